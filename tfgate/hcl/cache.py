"""The user's cache directory: what was parsed once need not be parsed again.

It holds shapes and parser tables, never text of a source. It is used only where it is a directory
of this user that nobody else can write to or read; where it is not, everything works without it,
slower. Whoever can write to it can already act as the user; still, what is read is checked, runs
nothing, and is bound to the sources by their hash.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ENTRY = 32 * 1024 * 1024
"""Bytes of an entry; larger ones are neither written nor read."""
MAX_ENTRIES = 10_000
"""Entries kept; beyond, the oldest half goes."""


class Cache:
    """A directory of entries by key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._usable: bool | None = None
        self._writes = 0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Cache | None:
        """Give the cache below ``XDG_CACHE_HOME`` (or ``~/.cache``); ``None`` without a home."""
        base = environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            home = environ.get("HOME") or environ.get("USERPROFILE") or ""
            if not os.path.isabs(home):
                return None
            base = os.path.join(home, ".cache")
        return cls(Path(base) / "tfgate" / "hcl")

    @property
    def directory(self) -> Path:
        """Where it is."""
        return self._directory

    def read(self, key: str) -> bytes | None:
        """Give an entry, or ``None`` where there is none that can be used."""
        if not self._ready(create=False):
            return None
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            with open(os.open(self._directory / key, flags), "rb") as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_ENTRY:
                    return None
                return file.read(MAX_ENTRY)
        except OSError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Keep an entry, whole or not at all. A disk that is full or read-only is no error."""
        if len(data) > MAX_ENTRY or not self._ready(create=True):
            return
        try:
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self._directory)
        except OSError:
            return
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(name, self._directory / key)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            return
        self._writes += 1
        if self._writes % 256 == 1:
            self._prune()

    def _ready(self, *, create: bool) -> bool:
        if create and not self._usable:
            try:
                self._directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._directory.mkdir(exist_ok=True, mode=0o700)
            except OSError:
                return False
            self._usable = None
        if self._usable is None:
            self._usable = _private(self._directory)
        return self._usable

    def _prune(self) -> None:
        try:
            with os.scandir(self._directory) as entries:
                aged = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
            for _, path in aged[: len(aged) // 2] if len(aged) > MAX_ENTRIES else []:
                os.unlink(path)
        except OSError:
            return


def _private(directory: Path) -> bool:
    """Say whether ``directory`` is this user's alone, and no link to elsewhere."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & 0o077
