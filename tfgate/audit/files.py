"""Private files: their owner alone can read them, and a crash leaves them whole or not there.

What a trail is made of: durable appends, atomic replacement, directories, locks.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tfgate.audit.record import MAX_LINE
from tfgate.errors import AuditError

_BLOCK = 64 * 1024
_PIECE = 1024 * 1024
# O_NOFOLLOW, O_CLOEXEC and O_NONBLOCK are not there on Windows, where this module must import.
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextlib.contextmanager
def reported(path: Path, doing: str) -> Iterator[None]:
    """Turn an ``OSError`` into an ``AuditError`` that says what failed, where and why."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AuditError(
            f"The audit trail {path} cannot be {doing}: {reason}.",
            hint="Nothing is applied without a record; make the place writable or name another.",
        ) from error


def read_bounded(file: _Readable, most: int) -> bytes:
    """Read a file that unpacks while it is read. Raises ``ValueError`` beyond ``most`` bytes.

    Piece by piece: ``read(most)`` takes memory for the most at once, whatever there is.
    """
    found = io.BytesIO()
    while piece := file.read(_PIECE):
        if found.tell() + len(piece) > most:
            raise ValueError(f"it unpacks to more than {most} bytes")
        found.write(piece)
    return found.getvalue()


def make_directory(directory: Path) -> None:
    """Create ``directory`` and its missing parents for their owner alone, durably."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    sync_directory(directory.parent)


def open_private(path: Path, *, append: bool = False) -> int:
    """Open a regular file for reading and writing, creating it with mode 0600.

    With ``append`` every write goes to the end, which is all that ``chattr +a`` lets through.

    A symbolic link in the last place is refused, and so is anything but a regular file: whoever
    can write in the directory could otherwise send the records elsewhere, to ``/dev/null`` too.
    """
    if path.is_symlink():
        raise AuditError(
            f"The audit trail {path} is a symbolic link.",
            hint="Name the file that it points to: a link can be turned elsewhere.",
        )
    # Without O_NONBLOCK, opening a pipe would wait for its other end.
    mode = os.O_CREAT | (os.O_APPEND if append else 0)
    descriptor = os.open(path, _FLAGS | _NONBLOCK | mode, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise AuditError(
            f"The audit trail {path} is not a regular file.",
            hint="Records need a file that keeps them; name one.",
        )
    return descriptor


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a log for appending and reading, as ``open_private`` does, while the block runs."""
    descriptor = open_private(path, append=True)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable, where the system can do that."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, or put it in the place of one, whole or not at all, durably, with mode 0600.

    Where the system can do that, a process that is killed meanwhile leaves nothing behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        if not _write_unnamed(path, data, temporary):
            with _created(temporary) as descriptor:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[int]:
    descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_unnamed(path: Path, data: bytes, temporary: Path) -> bool:
    """Write a file that gets a name when it is whole; ``False`` where that is impossible."""
    unnamed = getattr(os, "O_TMPFILE", 0)
    if not unnamed:
        return False
    try:
        descriptor = os.open(path.parent, _FLAGS | unnamed, 0o600)
    except OSError:  # not every file system has them
        return False
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
        if not _named(descriptor, path):  # there is one already
            if not _named(descriptor, temporary):
                return False
            temporary.replace(path)
        return True
    finally:
        os.close(descriptor)


def _named(descriptor: int, path: Path) -> bool:
    """Name a file that has no name (man 2 open); ``False`` where that is impossible."""
    try:
        # With src_dir_fd Python calls linkat, which follows the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
    except OSError:  # no /proc, or another process was first
        return False
    return True


def append_line(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` at the end, durably; on failure nothing of it stays."""
    size = os.fstat(descriptor).st_size
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        raise


def replace_tail(path: Path, offset: int, tail: bytes, data: bytes) -> None:
    """Put ``data`` durably in the place of ``tail``, which stands from ``offset`` to the end.

    ``data`` is written over ``tail`` before anything is cut off, so that a crash at any point
    leaves whole lines and at most another unfinished one. On failure ``tail`` is put back.
    """
    # Not in append mode: Linux appends then, whatever the offset.
    descriptor = os.open(path, _FLAGS)
    try:
        try:
            _write_from(descriptor, data, offset)
        except BaseException:
            with contextlib.suppress(OSError):
                _write_from(descriptor, tail, offset)
            raise
    finally:
        os.close(descriptor)


def _write_from(descriptor: int, data: bytes, offset: int) -> None:
    os.lseek(descriptor, offset, os.SEEK_SET)
    _write_all(descriptor, data)
    os.fsync(descriptor)
    os.ftruncate(descriptor, offset + len(data))
    os.fsync(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def last_line(descriptor: int) -> tuple[bytes | None, int]:
    """Read the last whole line from the end: the line (``None`` for none) and where it ends.

    What stands after that offset is a fragment of a line that was never finished.
    """
    size = os.fstat(descriptor).st_size
    end = _newline_before(descriptor, size)
    if end < 0:
        return None, 0
    start = _newline_before(descriptor, end) + 1
    return read_range(descriptor, start, end), end + 1


def read_range(descriptor: int, start: int, end: int) -> bytes:
    """Read the bytes from ``start`` up to ``end``."""
    os.lseek(descriptor, start, os.SEEK_SET)
    parts = []
    while start < end:
        part = os.read(descriptor, min(end - start, 1 << 20))
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _newline_before(descriptor: int, end: int) -> int:
    """Return the offset of the last newline before ``end``, or -1."""
    floor = max(0, end - MAX_LINE - 1)
    while end > floor:
        start = max(floor, end - _BLOCK)
        found = read_range(descriptor, start, end).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    if floor:
        raise OSError(0, f"a line is longer than {MAX_LINE} bytes")
    return -1


_DEFERRED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2")


@contextlib.contextmanager
def writing(log: Path, *, patience: float) -> Iterator[None]:
    """Hold the trail's lock, with signals put off, while the block runs.

    The lock is on a file of its own (``audit.jsonl.lock``), because the log is renamed when it is
    rotated. It is the kernel's (``flock``): it ends with the process, however that dies.
    ``patience`` is in seconds; after that, an ``AuditError`` says who holds it.
    """
    with held(log.with_name(log.name + ".lock"), patience=patience), signals_deferred():
        yield


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
