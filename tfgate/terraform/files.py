"""Read small files of a directory that nobody vouches for."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from tfgate.opening import NotAFileError, descriptor_of

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
    try:
        descriptor = descriptor_of(path, follow=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (IsADirectoryError, NotAFileError):
        raise UnreadableError("it is not a regular file") from None
    except OSError as error:
        raise UnreadableError(_reason(path, error)) from None
    try:
        return _read_regular(descriptor)
    finally:
        os.close(descriptor)


def _read_regular(descriptor: int) -> bytes:
    if os.fstat(descriptor).st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST} bytes")
    data = bytearray()
    while chunk := os.read(descriptor, LARGEST):
        data += chunk
        if len(data) > LARGEST:
            raise UnreadableError(f"it is larger than {LARGEST} bytes")
    return bytes(data)


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP and path.is_symlink():
        return "it is a symbolic link"
    return f"it cannot be opened ({error.strerror or 'bad path'})"
