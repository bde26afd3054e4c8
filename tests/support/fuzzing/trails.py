"""Targets of the audit trail: whatever is in it, reading tells, and writing goes on or refuses."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import msgspec

from tests.support.fuzzing.corpus import SIGNED, SIGNERS
from tests.support.plans import NOW
from tfgate.audit.search import Filters, read_records, search_trail, show
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError
from tfgate.gate.evidence import Scope
from tfgate.gate.trail import Trail
from tfgate.trail import report_formats as audit_csv
from tfgate.trail import report_formats as audit_html
from tfgate.trail.report import make_report
from tfgate.trail.search import as_table

if TYPE_CHECKING:
    from pathlib import Path


def trail(data: bytes, folder: Path) -> None:
    """Verify, search and show the trail, then append to it and verify again."""
    log = folder / "audit.jsonl"
    for old in folder.glob("audit*"):
        old.unlink()
    log.write_bytes(data)
    log.chmod(0o600)
    before = verify([log])
    with contextlib.suppress(AuditError):  # where there is no record at all
        read_records(log, last=5)
        for hit in search_trail([log], Filters(rule="*", address="*")):
            with contextlib.suppress(AuditError):
                show([log], str(hit.record.fields.get("decision_id")))
    try:
        AuditTrail(log, clock=lambda: NOW, patience=1).append("decision", {"decision_id": "last"})
    except AuditError:
        assert log.read_bytes().startswith(data), "what is there is left as it is"
        return
    after = verify([log])
    assert after.ok or not before.ok, "an append does not damage a good trail"
    assert b'"decision_id":"last"' in log.read_bytes()


def checkpoint(data: bytes, folder: Path) -> str:
    """Take the first part as a checkpoint and the rest, behind a line of its own, as signature."""
    log = folder / "trail.jsonl"
    log.write_bytes((SIGNED / "trail.jsonl").read_bytes())
    statement, _, signature = data.partition(b"\n--\n")
    place = folder / "checkpoint.json"
    place.write_bytes(statement)
    place.with_name("checkpoint.json.sig").write_bytes(signature)
    assert verify([log], checkpoints=[place]).checkpoints == 0, "nobody may sign"
    result = verify([log], checkpoints=[place], allowed_signers=SIGNERS)
    if result.checkpoints:
        signed = (SIGNED / "checkpoint.txt").read_bytes().partition(b"\n--\n")[0]
        assert json.loads(statement) == json.loads(signed), "nobody has signed this"
    return f"{result.checkpoints} checkpoints, {len(result.problems)} problems"


def history(data: bytes, folder: Path) -> None:
    """Record each line as an event's fields; the trail holds, and reports of it can be written."""
    log = folder / "history.jsonl"
    log.unlink(missing_ok=True)
    trail = AuditTrail(log, clock=lambda: NOW)
    trail.append("decision", {"decision_id": "first"})
    for line in data.splitlines()[:50]:
        _record(trail, line)
    result = verify([log])
    assert result.ok, result.problems
    found = make_report(Trail((str(log),), None), Scope(), result, now=NOW)
    for renderer in (audit_html, audit_csv):
        renderer.render(found).encode()
    msgspec.json.encode(found)
    for sentence in as_table(search_trail([log], Filters())):
        sentence.encode()


def _record(trail: AuditTrail, line: bytes) -> None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(fields, dict):
        event = fields.pop("event", "decision")
        with contextlib.suppress(AuditError):  # a name that only the trail itself may write
            trail.append(str(event), fields)
