"""Records that stand once in a trail."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tfgate.audit.trail_files import Rotation
from tfgate.audit.writer import AlreadyRecordedError, AuditTrail, find_once
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path

FIELD = "receipt_sha256"


def test_a_second_record_is_refused(tmp_path: Path) -> None:
    """And leaves nothing behind; another value, and another event, are free."""
    trail = AuditTrail(tmp_path / "audit.jsonl", clock=Ticking())
    first = trail.append("receipt_used", {FIELD: "a"})
    trail.append("receipt_used", {FIELD: "b"})
    trail.append("receipt_issued", {FIELD: "a"})
    trail.append("receipt_issued", {FIELD: "a"})
    before = (tmp_path / "audit.jsonl").read_bytes()
    with pytest.raises(AlreadyRecordedError) as caught:
        trail.append("receipt_used", {FIELD: "a"})
    assert caught.value.record["hash"] == first.hash
    assert (tmp_path / "audit.jsonl").read_bytes() == before


def test_it_is_found_in_old_files_too(tmp_path: Path) -> None:
    """Rotated, and compressed since."""
    log = tmp_path / "audit.jsonl"
    trail = AuditTrail(log, clock=Ticking(), rotation=Rotation(max_bytes=1))
    trail.append("receipt_used", {FIELD: "a"})
    trail.append("decision", {})
    (old,) = tmp_path.glob("audit-*.jsonl")
    old.with_name(f"{old.name}.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    with pytest.raises(AlreadyRecordedError):
        trail.append("receipt_used", {FIELD: "a"})


def test_what_cannot_be_read_cannot_be_ruled_out(tmp_path: Path) -> None:
    """A damaged file of the trail may hold the very record: nothing is let through."""
    log = tmp_path / "audit.jsonl"
    trail = AuditTrail(log, clock=Ticking(), rotation=Rotation(max_bytes=1))
    trail.append("receipt_used", {FIELD: "a"})
    trail.append("decision", {})
    (old,) = tmp_path.glob("audit-*.jsonl")
    old.with_name(f"{old.name}.gz").write_bytes(gzip.compress(old.read_bytes())[:-12])
    old.unlink()
    with pytest.raises(AuditError, match="is not known"):
        trail.append("receipt_used", {FIELD: "b"})


def test_a_value_in_another_member_is_no_use(tmp_path: Path) -> None:
    """A record that merely mentions the digest does not use the receipt up."""
    log = tmp_path / "audit.jsonl"
    assert find_once(log, "receipt_used", FIELD, "a") is None
    trail = AuditTrail(log, clock=Ticking())
    trail.append("receipt_used", {FIELD: "b", "note": "a"})
    trail.append("decision", {"note": ["receipt_used", "a"]})
    assert find_once(log, "receipt_used", FIELD, "a") is None
