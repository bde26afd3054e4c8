"""What a crash leaves at the end of a file, and how the next writer takes it up."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

from tfgate.audit.canonical import sha256
from tfgate.audit.files import read_range
from tfgate.audit.record import GENESIS, open_line

KEPT = 4096
"""Bytes of a fragment that its ``recovered`` event keeps; longer ones are kept from both ends."""

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.audit.record import Record


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
