"""Read the lines of a trail's files, plain or gzip, whole or in parts."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tfgate.audit.files import read_range
from tfgate.audit.record import GENESIS, MAX_LINE, open_line, sha256
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tfgate.audit.record import Record


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


# --- What a crash leaves at the end of a file, and how the next writer takes it up.


KEPT = 4096
"""Bytes of a fragment that its ``recovered`` event keeps; longer ones are kept from both ends."""


def fragment_after(descriptor: int, end: int) -> bytes:
    """Read what stands after the last whole line: empty unless a writer was cut short."""
    return read_range(descriptor, end, os.fstat(descriptor).st_size)


def record_in(fragment: bytes) -> tuple[Record, bytes] | None:
    """Give the whole record that a fragment begins with, and what stands after it.

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
    """Give the record that follows ``last``, where ``fragment`` is all of it but the newline."""
    found = record_in(fragment)
    if found is None or found[1]:
        return None
    record = found[0]
    seq, prev = (0, GENESIS) if last is None else (last.seq + 1, last.hash)
    return record if (record.seq, record.prev) == (seq, prev) else None


def completed_fields(record: Record, log: Path) -> dict[str, Any]:
    """Give the fields of the ``recovered`` event where a record lacked its newline alone."""
    return {
        "reason": "A writer was cut short; the newline that its record lacked was put in.",
        "file": log.name,
        "after_seq": record.seq,
        "fragment_length": 0,
        "fragment_sha256": sha256(b""),
        "fragment_base64": "",
        "fragment_truncated": False,
    }


def recovered_fields(fragment: bytes, log: Path, after: int | None) -> dict[str, Any]:
    """Give the fields of the ``recovered`` event for ``fragment``.

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
