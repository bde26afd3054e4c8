"""The SHA-256 of a plan, computed while it is being decoded."""

from __future__ import annotations

import hashlib
import threading
from typing import Final

_LARGE: Final = 1 << 20
"""Bytes from which a thread of its own is worth starting. Hashing releases the GIL."""


class Digest:
    """SHA-256 of some bytes, started at once and ready when asked for."""

    __slots__ = ("_hash", "_thread")

    def __init__(self, data: bytes) -> None:
        self._hash = hashlib.sha256()
        self._thread: threading.Thread | None = None
        if len(data) < _LARGE:
            self._hash.update(data)
        else:
            self._thread = threading.Thread(target=self._hash.update, args=(data,), daemon=True)
            self._thread.start()

    def hex(self) -> str:
        """Wait for it and give it in hexadecimal digits."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return self._hash.hexdigest()
