"""Appending to a trail: what stands in the file, and what refuses to."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest
import rfc8785

from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that is not there yet, in a directory that is not there either."""
    return tmp_path / "state" / "audit.jsonl"


@pytest.fixture
def trail(log: Path) -> AuditTrail:
    """A trail whose clock ticks once a second."""
    return AuditTrail(log, clock=Ticking())


def test_records_follow_the_documented_definition(trail: AuditTrail, log: Path) -> None:
    """Each line is canonical, its hash is that of the rest, and ``prev`` is the one before."""
    for number in range(3):
        trail.append("decision", {"decision_id": f"d{number}", "note": "zwölf\n\u202e"})
    prev = "0" * 64
    for number, line in enumerate(log.read_bytes().splitlines()):
        record = json.loads(line)
        assert rfc8785.dumps(record) == line
        digest = record.pop("hash")
        assert hashlib.sha256(rfc8785.dumps(record)).hexdigest() == digest
        assert (record["seq"], record["prev"], record["v"]) == (number, prev, 1)
        assert record["time"] == f"2026-01-31T12:00:0{number}.000000Z"
        assert record["note"] == "zwölf\n<U+202E>"
        prev = digest


def test_append_gives_the_record_that_is_on_the_disk(trail: AuditTrail, log: Path) -> None:
    """What ``append`` returns is the last line of the file."""
    record = trail.append("decision", {"decision_id": "d0", "plan_sha256": "ab"})
    assert record.line + b"\n" == log.read_bytes()
    assert record.fields == {"decision_id": "d0", "plan_sha256": "ab"}


def test_files_are_the_owners_alone(trail: AuditTrail, log: Path) -> None:
    """Log and lock have mode 0600, the directory that was made 0700."""
    old = os.umask(0)
    try:
        trail.append("decision", {})
    finally:
        os.umask(old)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (log.parent, *log.parent.iterdir())}
    assert modes == {"state": 0o700, "audit.jsonl": 0o600, "audit.jsonl.lock": 0o600}


def test_own_fields_cannot_set_the_chain(trail: AuditTrail, log: Path) -> None:
    """An event that brings its own ``seq`` is a mistake of the program, and nothing is written."""
    with pytest.raises(ValueError, match="seq"):
        trail.append("decision", {"seq": 7})
    assert not log.exists()


def test_values_that_json_cannot_hold_are_written_all_the_same(trail: AuditTrail) -> None:
    """Huge integers, NaN, lone surrogates, bytes and loops of nesting never lose a record."""
    nested: list[object] = []
    for _ in range(5000):
        nested = [nested]
    values = {"big": 2**70, "nan": float("nan"), "lone": "\ud800", "b": b"\xff", "deep": nested}
    record = trail.append("decision", values)
    assert record.fields["big"] == str(2**70)
    assert record.fields["lone"] == "<U+D800>"
    assert verify([trail.path]).ok


def test_a_symbolic_link_is_refused(log: Path, tmp_path: Path) -> None:
    """A link in the last place could be turned elsewhere."""
    log.parent.mkdir()
    log.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditError, match="symbolic link"):
        AuditTrail(log).append("decision", {})
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_what_is_no_regular_file_is_refused(log: Path, kind: str) -> None:
    """A pipe would block or lose the record; it is refused at once."""
    log.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(log)
    else:
        log.mkdir()
    with pytest.raises(AuditError, match=r"not a regular file|cannot be written"):
        AuditTrail(log).append("decision", {})


def test_an_altered_last_record_is_not_continued(trail: AuditTrail, log: Path) -> None:
    """The error names the record, and the file stays as it is."""
    for number in range(3):
        trail.append("decision", {"n": number})
    altered = log.read_bytes().replace(b'"n":2', b'"n":3')
    log.write_bytes(altered)
    with pytest.raises(AuditError, match="number 2"):
        trail.append("decision", {})
    assert log.read_bytes() == altered


def test_a_trail_of_a_later_version_is_not_continued(trail: AuditTrail, log: Path) -> None:
    """An old tfgate keeps its hands off a trail that a new one has written."""
    trail.append("decision", {})
    log.write_bytes(log.read_bytes().replace(b'"v":1', b'"v":2'))
    with pytest.raises(AuditError, match="newer tfgate"):
        trail.append("decision", {})


def test_threads_of_one_process_share_a_trail(trail: AuditTrail) -> None:
    """The lock holds between threads as it does between processes."""
    threads = [
        threading.Thread(target=lambda: [trail.append("decision", {}) for _ in range(10)])
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = verify([trail.path])
    assert (result.ok, result.records) == (True, 50)


def test_a_lock_that_is_held_is_named(trail: AuditTrail, log: Path) -> None:
    """After its patience a writer gives up and says which process holds the lock."""
    from tfgate.audit.files import writing

    trail.append("decision", {})
    impatient = AuditTrail(log, patience=0.05)
    with writing(log, patience=1), pytest.raises(AuditError, match=f"process {os.getpid()}"):
        impatient.append("decision", {})
    assert verify([log]).records == 1
