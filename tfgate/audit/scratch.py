"""Directories for a moment: private, and gone when whoever made them is gone.

``tempfile.TemporaryDirectory`` is neither: a process that is killed leaves it behind, and where the
system does not let it be removed its end never comes (``RecursionError``, CPython 3.10 to 3.13).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tfgate.errors import explained

_PREFIX = "tfgate-"
OWNER = ".owner"
"""Locked by the process that made the directory, for as long as it lives."""
_ATTEMPTS = 10


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory that its owner alone can enter (0700), and remove it at the end.

    What ``SIGKILL`` leaves behind is removed by the next call of any process of this user: a lock
    that ends with its process distinguishes a directory that nobody owns from one in use. Raises
    ``TfgateError`` where none can be made.
    """
    hint = "Let TMPDIR name a place that can be written to."
    with explained("No private directory can be made", hint=hint):
        remove_orphans(Path(tempfile.gettempdir()))
        directory, owner = _made()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(owner)


def _made() -> tuple[Path, int]:
    """Make a directory and its lock; whoever looks for orphans may be in between, so look again."""
    for _ in range(_ATTEMPTS):
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        owner = None
        try:
            owner = os.open(directory / OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            # Where there are no locks nobody removes orphans either.
            if _lock(owner) is not False and os.fstat(owner).st_nlink:
                return directory, owner
        except FileNotFoundError:  # it was removed between the two
            pass
        except BaseException:
            _drop(directory, owner)
            raise
        _drop(directory, owner)
    raise OSError(0, "another process removes it again and again")


def _drop(directory: Path, owner: int | None) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if owner is not None:
        os.close(owner)


def remove_orphans(parent: Path) -> None:
    """Remove directories in ``parent`` whose makers are dead; what fails is left alone."""
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
        if stat.S_ISREG(os.fstat(owner).st_mode) and _lock(owner):
            shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(owner)


def _lock(descriptor: int) -> bool | None:
    """Take the lock; ``False`` where another has it, ``None`` where there are no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True
