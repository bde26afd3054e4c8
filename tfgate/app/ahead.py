"""A large file read by a thread while other things are made ready.

Reading 80 MB takes as long as importing what judges them, and neither needs the other.
"""

from __future__ import annotations

import os
import stat
import threading

from tfgate.opening import open_file

WORTH_IT = 4 * 1024**2
"""Bytes from which on a thread is worth its start."""
MOST = 2 * 1024**3


class Ahead:
    """The content of ``path``, on its way."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._data: bytes | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @staticmethod
    def of(path: str) -> Ahead | None:
        """Begin to read a regular file that is large enough; ``None`` for anything else."""
        try:
            facts = os.stat(path)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(facts.st_mode) or not WORTH_IT <= facts.st_size <= MOST:
            return None
        return Ahead(path)

    def result(self) -> bytes | None:
        """Wait for the content; ``None`` where it could not be read, for the caller to find why."""
        self._thread.join()
        return self._data

    def _read(self) -> None:
        try:
            with open_file(self.path) as file:
                if os.fstat(file.fileno()).st_size <= MOST:
                    self._data = file.read()
        except OSError:
            return
