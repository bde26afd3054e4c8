"""What a crash leaves at the end of a file, and how the next writer takes it up."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from tfgate.audit.canonical import sha256
from tfgate.audit.files import read_range

KEPT = 4096
"""Bytes of a fragment that its ``recovered`` event keeps; longer ones are kept from both ends."""

if TYPE_CHECKING:
    from pathlib import Path


def fragment_after(descriptor: int, end: int) -> bytes:
    """Read what stands after the last whole line: empty unless a writer was cut short."""
    return read_range(descriptor, end, os.fstat(descriptor).st_size)


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
