"""A trail over several files is one chain."""

from __future__ import annotations

import datetime as dt
import gzip
import os
from typing import TYPE_CHECKING

import pytest

from tfgate.audit.scan import ProblemKind
from tfgate.audit.trail_files import Rotation, rotated_files
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path


def filled(log: Path, count: int, *, rotation: Rotation) -> AuditTrail:
    """Append ``count`` decisions."""
    trail = AuditTrail(log, clock=Ticking(), rotation=rotation)
    for number in range(count):
        trail.append("decision", {"decision_id": f"d{number}"})
    return trail


def test_rotation_by_size_keeps_the_chain(tmp_path: Path) -> None:
    """Every file begins with a ``rotated`` record that continues the file before."""
    log = tmp_path / "audit.jsonl"
    filled(log, 12, rotation=Rotation(max_bytes=700))
    names = [path.name for path in rotated_files(log)]
    assert names[:2] == ["audit-20260131-000000000000.jsonl", "audit-20260131-000000000003.jsonl"]
    result = verify([log])
    assert (result.ok, result.events["decision"]) == (True, 12)
    assert result.events["rotated"] == len(names)
    assert [chain.files for chain in result.chains] == [result.files]


def test_rotation_by_day_follows_the_clock(tmp_path: Path) -> None:
    """A new day (UTC) begins a new file named by the day of the old one's last record."""
    log = tmp_path / "audit.jsonl"
    clock = Ticking(0)
    trail = AuditTrail(log, clock=clock, rotation=Rotation(daily=True))
    for hours in (0, 11, 2, 20):
        clock.now += dt.timedelta(hours=hours)
        trail.append("decision", {})
    assert [path.name for path in rotated_files(log)] == ["audit-20260131-000000000000.jsonl"]
    assert verify([log]).ok


def test_rotated_files_may_be_compressed(tmp_path: Path) -> None:
    """``gzip`` on a rotated file changes nothing; while both are there, the plain one counts."""
    log = tmp_path / "audit.jsonl"
    filled(log, 12, rotation=Rotation(max_bytes=700))
    for path in rotated_files(log):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    assert verify([log]).records == verify([tmp_path]).records
    for path in rotated_files(log):
        path.unlink()
    result = verify([log])
    assert result.ok
    assert all(file.endswith(".gz") for file in result.files[:-1])


def test_a_removed_file_is_missed(tmp_path: Path) -> None:
    """The records of a rotated file that is gone are named by number."""
    log = tmp_path / "audit.jsonl"
    filled(log, 12, rotation=Rotation(max_bytes=700))
    rotated_files(log)[1].unlink()
    [problem] = verify([log]).problems
    assert problem.kind is ProblemKind.MISSING
    assert problem.text.startswith("Records 3 to 5 are missing")


def test_a_truncated_gzip_is_named_and_the_rest_read(tmp_path: Path) -> None:
    """What can be unpacked is read, and so are the files after it."""
    log = tmp_path / "audit.jsonl"
    filled(log, 12, rotation=Rotation(max_bytes=700))
    first = rotated_files(log)[0]
    packed = gzip.compress(first.read_bytes())
    first.with_name(first.name + ".gz").write_bytes(packed[:-30])
    first.unlink()
    result = verify([log])
    kinds = {problem.kind for problem in result.problems}
    assert ProblemKind.UNREADABLE in kinds
    assert any("truncated" in problem.text for problem in result.problems)
    assert result.records >= 12


@pytest.mark.parametrize("moment", ["after the rename", "in the first record"])
def test_a_crash_in_the_rotation_loses_nothing(tmp_path: Path, moment: str) -> None:
    """With the log gone or begun by a fragment, the next writer continues the rotated file."""
    log = tmp_path / "audit.jsonl"
    trail = filled(log, 3, rotation=Rotation(max_bytes=10**6))
    os.rename(log, tmp_path / "audit-20260131-000000000000.jsonl")
    if moment == "in the first record":
        log.write_bytes(b'{"event":"rota')
    record = trail.append("decision", {"decision_id": "next"})
    assert record.seq == (3 if moment == "after the rename" else 4)
    result = verify([log])
    assert (result.ok, result.notes) == (True, ())


def test_a_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    """A rename over another file would destroy records: the writer refuses."""
    log = tmp_path / "audit.jsonl"
    trail = filled(log, 3, rotation=Rotation(max_bytes=600))
    in_the_way = tmp_path / "audit-20260131-000000000000.jsonl"
    in_the_way.write_bytes(b"precious")
    with pytest.raises(AuditError, match="already there"):
        trail.append("decision", {})
    assert in_the_way.read_bytes() == b"precious"


@pytest.mark.parametrize("first", [b"{}\n", b"no record\n", b"\n"])
def test_a_first_record_that_is_none_is_not_rotated(tmp_path: Path, first: bytes) -> None:
    """A log whose first record cannot be read is left as it is, and that is said."""
    log = tmp_path / "audit.jsonl"
    filled(log, 3, rotation=Rotation())
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([first, *lines[1:]]))
    with pytest.raises(AuditError, match="cannot be rotated: of its first line"):
        filled(log, 1, rotation=Rotation(max_bytes=100))
    assert rotated_files(log) == []


def test_a_log_that_cannot_be_read_is_not_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk does not give the first record the reason is told."""
    log = tmp_path / "audit.jsonl"
    filled(log, 3, rotation=Rotation())

    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tfgate.audit.trail_files.open_log", failing)
    with pytest.raises(AuditError, match="cannot be rotated"):
        filled(log, 1, rotation=Rotation(max_bytes=100))
