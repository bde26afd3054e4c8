"""Names of a trail's files, and the step from one file to the next.

``audit.jsonl`` is written to. When it is full or its day is over it becomes
``audit-20260131-000000001234.jsonl``: the day of its last record (UTC) and the number of its first
one. The record that comes next begins a new ``audit.jsonl`` and is chained to the old one's last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.files import sync_directory
from tfgate.audit.read import Lines
from tfgate.audit.record import NotARecordError, Record, open_line
from tfgate.errors import AuditError
from tfgate.model.text import late

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

_ROTATED = late(r"(?P<stem>.+)-(?P<day>\d{8})-(?P<seq>\d{12,})\.jsonl(?:\.gz)?", re.ASCII)


class Rotation(msgspec.Struct, frozen=True):
    """When a log is full."""

    max_bytes: int | None = None
    """A new file is begun when the log has at least this many bytes."""
    daily: bool = False
    """A new file is begun with the first record of a new day (UTC)."""

    def due(self, size: int, last: Record, now: dt.datetime) -> str | None:
        """Say why the log must be rotated before the next record: ``size``, ``day``, or not."""
        if self.max_bytes is not None and size >= self.max_bytes:
            return "size"
        if self.daily and last.time[:10] < now.strftime("%Y-%m-%d"):
            return "day"
        return None


def rotate(log: Path, last: Record) -> Path:
    """Rename ``log``, whose last record is ``last``, durably; give its new path.

    A crash right after this leaves no log: the next writer continues from the newest rotated file.
    """
    first = _first_record(log)
    path = rotated_name(log, last.time[:10].replace("-", ""), first.seq)
    if path.exists() or path.with_name(path.name + ".gz").exists():
        raise AuditError(
            f"The audit trail {log} cannot be rotated: {path} is already there.",
            hint="Move it away: two files would claim the same records.",
        )
    log.rename(path)
    sync_directory(log.parent)
    return path


def _first_record(log: Path) -> Record:
    lines = Lines(log)
    line = next(iter(lines), None)
    try:
        return open_line(line or b"")
    except NotARecordError as error:
        reason = lines.damage or f"of its first line, {error}"
        raise AuditError(
            f"The audit trail {log} cannot be rotated: {reason}.",
            hint="Run `tfgate audit verify`; keep the file as evidence, and name a new one.",
        ) from None


def rotated_fields(old: Path, last: Record, reason: str) -> dict[str, Any]:
    """Give the fields of the ``rotated`` event that begins the file after ``old``."""
    return {"previous_file": old.name, "previous_last_seq": last.seq, "reason": reason}


def last_rotated_line(log: Path) -> tuple[Path, bytes] | None:
    """Give the last line of the newest rotated file of ``log``, where there is one."""
    files = rotated_files(log)
    if not files:
        return None
    lines = Lines(files[-1])
    last = b""
    for line in lines:
        last = line
    if lines.tail or lines.damage:
        reason = lines.damage or "its last line is unfinished"
        raise AuditError(
            f"The audit trail {log} cannot be continued from {files[-1]}: {reason}.",
            hint="Bring the file back whole, or name another log.",
        )
    return files[-1], last


def rotated_name(log: Path, day: str, first_seq: int) -> Path:
    """Name the file that ``log`` becomes; ``day`` is ``YYYYMMDD``."""
    return log.with_name(f"{log.stem}-{day}-{first_seq:012d}.jsonl")


def rotated_files(log: Path) -> list[Path]:
    """Give the rotated files of ``log`` in the order of the chain.

    Where a file is there both plain and as ``.gz`` (the gate died between the two), the plain one
    counts.
    """
    found: dict[tuple[int, str], Path] = {}
    siblings = sorted(log.parent.iterdir()) if log.parent.is_dir() else []
    for path in siblings:
        match = _ROTATED.fullmatch(path.name)
        if match and match["stem"] == log.stem and path.is_file():
            found.setdefault((int(match["seq"]), match["day"]), path)  # .jsonl sorts before .gz
    return [found[key] for key in sorted(found)]


def first_of(path: Path) -> int:
    """Give the number of the first record of a rotated file, as its name says."""
    match = _ROTATED.fullmatch(path.name)
    assert match is not None, "a rotated file"
    return int(match["seq"])


def trail_files(path: Path) -> list[Path]:
    """Give every file of the trail that ``path`` names.

    ``path`` is the log itself (its rotated files come before it), one file of it, or a directory
    (every log in it).
    """
    if path.is_dir():
        logs = {log_of(found) for found in path.iterdir() if _is_log(found)}
        return [file for log in sorted(logs) for file in trail_files(log)]
    if path.name.endswith(".jsonl") and not _ROTATED.fullmatch(path.name):
        rotated = rotated_files(path)
        return [*rotated, path] if path.exists() or not rotated else rotated
    return [path]


def log_of(path: Path) -> Path:
    """Give the log that a rotated file belongs to; any other path is its own."""
    match = _ROTATED.fullmatch(path.name)
    return path.with_name(f"{match['stem']}.jsonl") if match else path


def _is_log(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz"))
