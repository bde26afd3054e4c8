"""A directory that its owner alone can enter, and that does not outlive whoever made it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.errors import TfgateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.interrupts import Interrupts

_PREFIX = "tfgate-"
OWNER = ".owner"
"""Locked by the process that made the directory, for as long as it lives."""
_ATTEMPTS = 10


@contextmanager
def private_directory(interrupts: Interrupts) -> Iterator[Path]:
    """Make a directory that its owner alone can enter (0700), and remove it at the end.

    It is removed after an exception and after a signal as well. What ``SIGKILL`` leaves behind is
    removed by the next call of any process of this user: a lock that ends with its process tells
    a directory that nobody owns from one in use. Raises ``TfgateError``.
    """
    with interrupts.held():
        remove_orphans(Path(tempfile.gettempdir()))
        try:
            directory, owner = _made()
        except OSError as error:
            raise TfgateError(
                f"No private directory for the plan can be made: {error.strerror}.",
                hint="Let TMPDIR name a place that can be written to.",
            ) from None
    try:
        yield directory
    finally:
        with interrupts.held():
            shutil.rmtree(directory, ignore_errors=True)
            os.close(owner)


def _made() -> tuple[Path, int]:
    """Make a directory and its lock; whoever looks for orphans may be in between, so look again."""
    for _ in range(_ATTEMPTS):
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            owner = os.open(directory / OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if _locked(owner) and os.fstat(owner).st_nlink:
                return directory, owner
            os.close(owner)
        except BaseException as error:
            shutil.rmtree(directory, ignore_errors=True)
            if not isinstance(error, FileNotFoundError):
                raise
    raise OSError(0, "another process removes it again and again")


def remove_orphans(parent: Path) -> None:
    """Remove private directories in ``parent`` whose makers are dead; what fails is left alone."""
    try:
        with os.scandir(parent) as entries:
            found = [Path(entry.path) for entry in entries if entry.name.startswith(_PREFIX)]
    except OSError:
        return
    for directory in found:
        with contextlib.suppress(OSError):
            _remove_orphan(directory)


def _remove_orphan(directory: Path) -> None:
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        return
    # No link is followed, and a pipe in this place is not waited for.
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    owner = os.open(directory / OWNER, flags)
    try:
        if stat.S_ISREG(os.fstat(owner).st_mode) and _locked(owner):
            shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(owner)


def _locked(descriptor: int) -> bool:
    """Take the lock, and say whether nobody has it; without locks everything is somebody's."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
