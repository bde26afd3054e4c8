"""One writer at a time, and no signal in the middle of a record."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from tfgate.audit.files import open_private, reported
from tfgate.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEFERRED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2")


@contextlib.contextmanager
def writing(log: Path, *, patience: float) -> Iterator[None]:
    """Hold the trail's lock, with signals put off, while the block runs.

    The lock is on a file of its own (``audit.jsonl.lock``), because the log is renamed when it is
    rotated. It is the kernel's (``flock``): it ends with the process, however that dies.
    ``patience`` is in seconds; after that, an ``AuditError`` says who holds it.
    """
    path = log.with_name(log.name + ".lock")
    with reported(path, "locked"):
        descriptor = open_private(path)
    try:
        _acquire(descriptor, path, patience)
        with signals_deferred():
            _sign(descriptor)
            yield
    finally:
        os.close(descriptor)


class BusyError(AuditError):
    """Somebody else has the lock."""


@contextlib.contextmanager
def held(path: Path, *, patience: float) -> Iterator[None]:
    """Hold the lock at ``path`` while the block runs; signals come as they come.

    ``patience`` is in seconds. Raises ``BusyError`` where another has it all that time.
    """
    with reported(path, "locked"):
        descriptor = open_private(path)
    try:
        _acquire(descriptor, path, patience)
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT, SIGTERM and the like wait: they arrive when the block is done.

    In a program with several threads another thread may still take a signal that ends the
    process; what that cuts short is what a crash cuts short, and is recovered in the same way.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    wanted = {getattr(signal, name) for name in _DEFERRED if hasattr(signal, name)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _acquire(descriptor: int, path: Path, patience: float) -> None:
    try:
        import fcntl
    except ImportError:
        raise AuditError(
            "The audit trail needs file locks that this system does not have.",
            hint="Run tfgate on Linux or macOS.",
        ) from None

    # Waiting by asking again: a blocking flock() could not be given up.
    deadline, pause = time.monotonic() + patience, 0.0005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _held(descriptor, path, patience) from None
        except OSError as error:
            raise AuditError(f"The lock {path} cannot be taken: {error.strerror}.") from error
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def _held(descriptor: int, path: Path, patience: float) -> BusyError:
    holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
    who = f"process {holder}" if holder.isdigit() else "another process"
    return BusyError(
        f"The audit trail is locked: {who} has held {path} for over {patience:g} seconds.",
        hint="See what that process is doing, and try again.",
    )


def _sign(descriptor: int) -> None:
    # For people only: nothing reads it but the message above, so a full disk must not matter.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
