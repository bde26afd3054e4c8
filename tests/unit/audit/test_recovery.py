"""What a crash leaves behind is taken up by the next writer, whatever the byte it stopped at."""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

import tfgate.audit.files as audit_files
from tfgate.audit.record import open_line
from tfgate.audit.scan import ProblemKind
from tfgate.audit.trail_files import KEPT
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three records."""
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path, clock=Ticking())
    for number in range(3):
        trail.append("decision", {"decision_id": f"d{number}"})
    return path


@pytest.mark.slow
def test_every_cut_of_the_last_line_is_recovered(log: Path) -> None:
    """Cut at any byte, the file verifies to the last whole record and can be continued."""
    whole = log.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(start + 1, len(whole) - 1):
        log.write_bytes(whole[:cut])
        before = verify([log])
        assert (before.ok, before.records) == (True, 2)
        assert [note.kind for note in before.notes] == [ProblemKind.UNFINISHED]
        AuditTrail(log, clock=Ticking()).append("decision", {"decision_id": "next"})
        after = verify([log])
        assert (after.ok, after.records) == (True, 4)
        recovered = open_line(log.read_bytes().splitlines()[2])
        fragment = whole[start:cut]
        assert recovered.event == "recovered"
        assert base64.b64decode(recovered.fields["fragment_base64"]) == fragment
        assert recovered.fields["fragment_sha256"] == hashlib.sha256(fragment).hexdigest()
        assert recovered.fields["after_seq"] == 1


def test_a_record_that_lacks_its_newline_alone_is_kept(log: Path) -> None:
    """Its bytes are all there: the newline is put in, and that is recorded."""
    whole = log.read_bytes()
    log.write_bytes(whole[:-1])
    assert [note.kind for note in verify([log]).notes] == [ProblemKind.UNFINISHED]
    AuditTrail(log, clock=Ticking()).append("decision", {})
    assert log.read_bytes().startswith(whole)
    events = [open_line(line).event for line in log.read_bytes().splitlines()[2:]]
    assert events == ["decision", "recovered", "decision"]
    assert verify([log]).ok


@pytest.mark.parametrize("extra", [b"X", b"}", b" ", b"\0\0", b"}}}}}}", b"\r", b"\xff{"])
def test_what_stands_in_the_place_of_a_newline_was_put_there(log: Path, extra: bytes) -> None:
    """No crash adds bytes to a whole record: the last newline is as well guarded as the others."""
    log.write_bytes(log.read_bytes()[:-1] + extra)
    [problem] = verify([log]).problems
    assert (problem.kind, problem.seq) == (ProblemKind.ALTERED, 2)


@pytest.mark.parametrize("fragment", [b"\0" * 512, b"x" * (KEPT * 3), b"\xff\xfe{"])
def test_any_bytes_can_be_a_fragment(log: Path, fragment: bytes) -> None:
    """Zeros of a lost block and fragments longer than the record keeps are recovered too."""
    with log.open("ab") as file:
        file.write(fragment)
    AuditTrail(log, clock=Ticking()).append("decision", {})
    assert verify([log]).ok
    fields = open_line(log.read_bytes().splitlines()[3]).fields
    assert fields["fragment_length"] == len(fragment)
    assert fields["fragment_truncated"] is (len(fragment) > KEPT)
    assert len(base64.b64decode(fields["fragment_base64"])) == min(len(fragment), KEPT)


class DyingOs:
    """The ``os`` module, until the ``fatal``-th call that changes a file: then the process ends.

    A fatal write still writes its first half, as a crash in the middle of it would.
    """

    def __init__(self, fatal: int) -> None:
        self.left = fatal

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in {"write", "fsync", "ftruncate", "open"}:
            return real

        def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                if name == "write":
                    os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os._exit(9)
            return real(*arguments)

        return call


def dies(trail: AuditTrail, fatal: int) -> bool:
    """Append in a child that dies at file operation number ``fatal``; False if it lived."""
    child = os.fork()
    if child == 0:
        audit_files.os = DyingOs(fatal)  # type: ignore[assignment]
        trail.append("decision", {"n": 1})
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.slow
@pytest.mark.parametrize("fragment", [b"", b'{"decision_', b"y" * 5000])
def test_a_crash_at_any_operation_leaves_a_trail_that_verifies(log: Path, fragment: bytes) -> None:
    """In the middle of appending or of recovering: whole records stay, the next writer goes on."""
    with log.open("ab") as file:
        file.write(fragment)
    begun = log.read_bytes()
    for fatal in range(100):
        log.write_bytes(begun)
        trail = AuditTrail(log)  # a real clock: the child's ticks would not be seen here
        if not dies(trail, fatal):
            break
        crashed = verify([log])
        assert crashed.ok
        assert crashed.records >= 3
        trail.append("decision", {"n": 2})
        result = verify([log])
        assert (result.ok, result.notes) == (True, ())
    else:
        pytest.fail("the writer never came to its end")
    assert fatal > 3


class FullOs:
    """The ``os`` module on a disk where a file can grow by ``room`` bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.limit: int | None = None

    def __getattr__(self, name: str) -> Any:
        return self._write if name == "write" else getattr(os, name)

    def _write(self, descriptor: int, data: memoryview) -> int:
        size = os.fstat(descriptor).st_size
        self.limit = size + self.room if self.limit is None else self.limit
        appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
        here = size if appends else os.lseek(descriptor, 0, os.SEEK_CUR)
        if here >= self.limit:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, bytes(data)[: self.limit - here])


@pytest.mark.parametrize("fragment", [b"", b'{"decision_id":"'])
@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_leaves_the_file_as_it_was(
    log: Path, fragment: bytes, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written of the record is taken out again, and the fragment is still there."""
    with log.open("ab") as file:
        file.write(fragment)
    begun = log.read_bytes()
    monkeypatch.setattr(audit_files, "os", FullOs(room))
    with pytest.raises(AuditError, match="No space left"):
        AuditTrail(log, clock=Ticking()).append("decision", {})
    assert log.read_bytes() == begun
