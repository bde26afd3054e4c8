"""Reading what is compressed takes the memory of what is there, and no more than a bound."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.support.fuzzing.limits import bounded_memory
from tfgate.audit.decision import read_packed, write_evidence
from tfgate.audit.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path


def test_small_files_take_little_memory(tmp_path: Path) -> None:
    """Evidence that is there already is compared, and a plan is read, in 256 MiB."""
    plan = tmp_path / "plan.json.gz"
    plan.write_bytes(gzip.compress(b"{}"))
    plain = tmp_path / "plan.json"
    plain.write_bytes(b"{}")
    with bounded_memory(256 * 1024**2):
        digests = {write_evidence(tmp_path, {"a": 1}) for _ in range(2)}
        assert read_packed(plan) == read_packed(plain) == b"{}"
    assert len(digests) == 1


def test_bombs_are_refused(tmp_path: Path) -> None:
    """What unpacks to more than the bound is refused after that much."""
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(5_000_000)))
    with gzip.open(bomb) as file, pytest.raises(ValueError, match="more than 4000000 bytes"):
        read_bounded(file, 4_000_000)
    with gzip.open(bomb) as file:
        assert len(read_bounded(file, 5_000_000)) == 5_000_000
