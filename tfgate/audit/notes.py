"""What else a pass over a trail shows: damaged files, clocks, orphans, evidence, file modes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.audit.evidence import read_evidence_bytes
from tfgate.audit.result import Problem, ProblemKind
from tfgate.audit.rotation import log_of
from tfgate.errors import AuditError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from tfgate.audit.scan import Scan
    from tfgate.audit.work import Damage


def damaged(damages: Sequence[Damage], names: Sequence[str]) -> Iterator[Problem]:
    """Name files that cannot be read to their end, and unfinished last lines."""
    for damage in damages:
        name, line = names[damage.file], damage.lines + 1
        if damage.reason is not None:
            text = f"Only {damage.lines} line(s) of {name} can be read: {damage.reason}."
            yield Problem(ProblemKind.UNREADABLE, text, name, line)
        elif damage.after:
            text = f"Record {damage.seq} (line {line}) was altered: {damage.after} byte(s) stand"
            text += " where its newline should be, and no crash puts them there."
            yield Problem(ProblemKind.ALTERED, text, name, line, damage.seq)
        elif log_of(Path(name)) == Path(name):
            text = f"Line {line} is unfinished ({damage.tail} bytes, no newline): a writer was cut"
            text += " short or is at work; the next writer takes it out and records that."
            yield Problem(ProblemKind.UNFINISHED, text, name, line, fatal=False)
        else:
            text = f"Line {line} is unfinished ({damage.tail} bytes, no newline), in a file that"
            text += " no writer works on any more: it was cut."
            yield Problem(ProblemKind.UNFINISHED, text, name, line)


def overflowed(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Say where so much is wrong that not all of it is named."""
    if scan.overflow:
        text = "So much is wrong with this trail that only the beginning of it is named here."
        yield Problem(ProblemKind.FOREIGN, text, names[-1])


def clock(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Name records whose time is before their predecessor's."""
    for file, line, seq in scan.backwards:
        text = f"Record {seq} (line {line}) has an earlier time than the one before: the clock was"
        text += " set back, or two machines disagree."
        yield Problem(ProblemKind.CLOCK, text, names[file], line, seq, fatal=False)


def orphans(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Name applies that were started and of which no end is recorded."""
    for decision, (file, line, seq) in scan.started.items():
        if decision not in scan.finished:
            text = f"Record {seq} (line {line}) starts an apply of decision {decision}, and no"
            text += " record says how it ended."
            yield Problem(ProblemKind.ORPHAN, text, names[file], line, seq, fatal=False)


def modes(files: Sequence[Path]) -> Iterator[Problem]:
    """Name files that others than their owner can write to."""
    for file in files:
        if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            text = f"Others than its owner can write to {file}: take that right from them."
            yield Problem(ProblemKind.PLACE, text, str(file), fatal=False)


def evidence(
    scan: Scan, names: Sequence[str], directory: str | os.PathLike[str]
) -> Iterator[Problem]:
    """Check every evidence file that a record names."""
    for digest, (file, line, seq) in scan.evidence.items():
        reason = _evidence_problem(directory, digest)
        if reason is not None:
            text = f"Record {seq} (line {line}): {reason}"
            yield Problem(ProblemKind.EVIDENCE, text, names[file], line, seq)


def _evidence_problem(directory: str | os.PathLike[str], digest: str) -> str | None:
    try:
        read_evidence_bytes(directory, digest)
    except AuditError as error:
        return error.message
    return None
