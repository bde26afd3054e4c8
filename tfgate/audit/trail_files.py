"""The files of a trail: their names, their lines, and the step from one file to the next.

``audit.jsonl`` is written to. When it is full or its day is over it becomes
``audit-20260131-000000001234.jsonl``: the day of its last record (UTC) and the number of its first
one. The record that comes next begins a new ``audit.jsonl`` and is chained to the old one's last.
A file that is put away may be compressed with gzip.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from tfgate.audit.files import read_range, sync_directory
from tfgate.audit.record import GENESIS, MAX_LINE, NotARecordError, Record, open_line, sha256
from tfgate.errors import AuditError
from tfgate.model.text import late
from tfgate.opening import open_file

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
    """Return the fields of the ``rotated`` event that begins the file after ``old``."""
    return {"previous_file": old.name, "previous_last_seq": last.seq, "reason": reason}


def last_rotated_line(log: Path) -> tuple[Path, bytes] | None:
    """Return the last line of the newest rotated file of ``log``, where there is one."""
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
    """Return the rotated files of ``log`` in the order of the chain.

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
    """Return the number of the first record of a rotated file, as its name says."""
    match = _ROTATED.fullmatch(path.name)
    assert match is not None, "a rotated file"
    return int(match["seq"])


def trail_files(path: Path) -> list[Path]:
    """Return every file of the trail that ``path`` names.

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
    """Return the log that a rotated file belongs to; any other path is its own."""
    match = _ROTATED.fullmatch(path.name)
    return path.with_name(f"{match['stem']}.jsonl") if match else path


def _is_log(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz"))


_BLOCK = 1 << 20


class Lines:
    """The lines of a file (or of a byte range of a plain one), without their newlines.

    What went wrong is known when the iteration is over: nothing is raised while reading.
    """

    def __init__(self, path: Path, start: int = 0, end: int | None = None) -> None:
        self._path, self._start, self._end = path, start, end
        self.tail = b""
        """What stood after the last newline."""
        self.damage: str | None = None
        """Why the file could not be read to its end, in a clause."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._lines()
        except Exception as error:
            self.damage = _damage(error)
            if self.damage is None:
                raise

    def _lines(self) -> Iterator[bytes]:
        for block in self._blocks():
            parts = (self.tail + block).split(b"\n")
            self.tail = parts.pop()
            yield from parts
            if len(self.tail) > MAX_LINE:
                raise OSError(0, f"a line is longer than {MAX_LINE} bytes")

    def _blocks(self) -> Iterator[bytes]:
        with open_log(self._path) as file:
            if self._start:
                file.seek(self._start)
            left = self._end - self._start if self._end is not None else None
            while left is None or left > 0:
                block = file.read(_BLOCK if left is None else min(_BLOCK, left))
                if not block:
                    return
                left = None if left is None else left - len(block)
                yield block


def _damage(error: Exception) -> str | None:
    """Say in a clause why a file cannot be read; ``None`` for an error that is not the file's."""
    if isinstance(error, EOFError):
        return "the gzip file is truncated"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "it is not a whole gzip file"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or type(error).__name__})"
    return None


def open_log(path: Path) -> BinaryIO:
    """Open a log for reading; ``.gz`` is unpacked on the way."""
    return unpacked(path) if path.suffix == ".gz" else open_file(path)


def unpacked(path: Path) -> BinaryIO:
    """Open a gzip file for reading what is packed in it."""
    packed = open_file(path)
    file = gzip.GzipFile(fileobj=packed)
    file.myfileobj = packed  # type: ignore[assignment]  # closed with it, as its own file is
    return file  # type: ignore[return-value]  # it reads as a BinaryIO does


def parts_of(path: Path, count: int) -> list[tuple[int, int | None]]:
    """Cut a plain file in up to ``count`` byte ranges that begin and end at line ends."""
    if path.suffix == ".gz":
        return [(0, None)]
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            cuts = [_line_end(file, size * part // count) for part in range(1, count)]
    except OSError:
        return [(0, None)]
    edges = sorted({0, *cuts, size}) if size else [0, 0]
    return list(pairwise(edges))


def _line_end(file: BinaryIO, offset: int) -> int:
    file.seek(max(0, offset - 1))
    while block := file.read(_BLOCK):
        found = block.find(b"\n")
        if found >= 0:
            return file.tell() - len(block) + found + 1
    return file.seek(0, os.SEEK_END)


KEPT = 4096
"""Bytes of a fragment that its ``recovered`` event keeps; longer ones are kept from both ends."""


def fragment_after(descriptor: int, end: int) -> bytes:
    """Read what stands after the last whole line: empty unless a writer was cut short."""
    return read_range(descriptor, end, os.fstat(descriptor).st_size)


def record_in(fragment: bytes) -> tuple[Record, bytes] | None:
    """Return the whole record that a fragment begins with, and what stands after it.

    A crash can take the newline of a record and nothing else; then nothing stands after it. What
    does stand after a whole record was put there by no writer.
    """
    text = fragment.decode("utf-8", "surrogateescape")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
        line = text[:end].encode("utf-8", "surrogateescape")
        return open_line(line), fragment[len(line) :]
    except (ValueError, RecursionError):  # NotARecordError is a ValueError
        return None


def completes(fragment: bytes, last: Record | None) -> Record | None:
    """Return the record that follows ``last``, where ``fragment`` is all of it but the newline."""
    found = record_in(fragment)
    if found is None or found[1]:
        return None
    record = found[0]
    seq, prev = (0, GENESIS) if last is None else (last.seq + 1, last.hash)
    return record if (record.seq, record.prev) == (seq, prev) else None


def completed_fields(record: Record, log: Path) -> dict[str, Any]:
    """Return the fields of the ``recovered`` event where a record lacked its newline alone."""
    reason = "A writer was cut short; the newline that its record lacked was put in."
    return {**recovered_fields(b"", log, record.seq), "reason": reason}


def recovered_fields(fragment: bytes, log: Path, after: int | None) -> dict[str, Any]:
    """Return the fields of the ``recovered`` event for ``fragment``.

    The bytes are in base64: they are part of a record (which holds no secret) or anything else
    that a broken disk has put there.
    """
    half = KEPT // 2
    kept = fragment if len(fragment) <= KEPT else fragment[:half] + fragment[-half:]
    return {
        "reason": "A writer was cut short; its unfinished line was taken out of the trail.",
        "file": log.name,
        "after_seq": after,
        "fragment_length": len(fragment),
        "fragment_sha256": sha256(fragment),
        "fragment_base64": base64.b64encode(kept).decode(),
        "fragment_truncated": len(fragment) > KEPT,
    }
