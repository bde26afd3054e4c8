"""Read small files of a directory that nobody vouches for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1 << 20
"""Bytes. The files read through here hold a name or a page of settings."""


class UnreadableError(Exception):
    """A file is there and must not, or cannot, be read; the text says why."""


def read_small(path: Path, *, follow: bool = False) -> bytes | None:
    """Give the bytes of a regular file, or ``None`` where there is none.

    Raises ``UnreadableError`` for a symbolic link (unless ``follow``), a directory, a device or
    pipe (never waited for), a file above ``LARGEST``, or one that permissions close.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UnreadableError(_reason(path, error)) from None
    try:
        return _read_regular(descriptor)
    finally:
        os.close(descriptor)


def _read_regular(descriptor: int) -> bytes:
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableError("it is not a regular file")
    if about.st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST} bytes")
    data = bytearray()
    while chunk := os.read(descriptor, LARGEST):
        data += chunk
        if len(data) > LARGEST:
            raise UnreadableError(f"it is larger than {LARGEST} bytes")
    return bytes(data)


def _reason(path: Path, error: OSError | ValueError) -> str:
    try:
        if path.is_symlink():
            return "it is a symbolic link"
    except (OSError, ValueError):
        pass
    text = error.strerror if isinstance(error, OSError) and error.strerror else "bad path"
    return f"it cannot be opened ({text})"
