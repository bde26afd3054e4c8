"""Opening and writing files: what is not a file is refused, and nothing is waited for.

A pipe that nobody writes to would hold a command up for ever, a device may never end, and whoever
can write in a folder can put either in the place of a file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path
from typing import BinaryIO

# Not all of them are there on Windows, where this module must import.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_OWN = re.compile(r"/dev/fd/(\d{1,9})|/proc/self/fd/(\d{1,9})|/dev/stdin", re.ASCII)


class NotAFileError(OSError):
    """A path leads to something else than a file; ``strerror`` says to what, in a clause."""

    def __init__(self, what: str, path: str | PathLike[str]) -> None:
        super().__init__(
            errno.EINVAL, f"it is {what}, which is not a regular file", os.fspath(path)
        )


def open_file(path: str | PathLike[str], *, follow: bool = True) -> BinaryIO:
    """Open a regular file for reading. Raises ``OSError`` as `descriptor_of` does."""
    return open(descriptor_of(path, follow=follow), "rb")


def read_file(path: str | PathLike[str]) -> bytes:
    """Read a whole regular file. Raises ``OSError`` as `descriptor_of` does."""
    with open_file(path) as file:
        return file.read()


def descriptor_of(path: str | PathLike[str], *, follow: bool = True) -> int:
    """Open a regular file for reading and give its descriptor, without waiting for anything.

    A symbolic link in the last place is followed, or refused without ``follow``. Raises
    ``OSError``, for what is not a file ``IsADirectoryError`` or `NotAFileError`.
    """
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except ValueError:  # a null character, or half a surrogate pair
        raise OSError(errno.EINVAL, "the path has characters that no path has", None) from None
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise NotAFileError("a socket or a device", path) from None
        if error.errno == errno.ELOOP and not follow and os.path.islink(path):
            raise OSError(errno.ELOOP, "it is a symbolic link", os.fspath(path)) from None
        raise
    try:
        _check_regular(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(descriptor: int, path: str | PathLike[str]) -> None:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    raise NotAFileError(next((what for is_it, what in _KINDS if is_it(mode)), "a thing"), path)


def open_stream(path: str) -> BinaryIO:
    """Open a file, a device that is read to its end, or a stream that this process has open.

    Such a stream is named by its number (``/dev/fd/63``, as a shell's ``<(…)`` is, ``/dev/stdin``).
    Any other pipe is refused: it might have no other end. Raises ``OSError``.
    """
    if own := _OWN.fullmatch(path):
        return open(os.dup(int(own[1] or own[2] or 0)), "rb")
    try:
        return open_file(path)
    except NotAFileError:
        if not stat.S_ISCHR(os.stat(path).st_mode):
            raise
        return open(path, "rb")


def open_for_report(path: str, flags: int) -> int:
    """Open for writing, as an ``opener`` of `open`; a pipe that nobody reads is not waited for."""
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe or a socket that nobody reads", path) from None
        raise
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def create_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file that is not there yet; a link in its place is none. Raises ``OSError``."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, mode), "wb") as file:
        file.write(data)


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file, whole or not at all; who reads the old one goes on. Raises ``OSError``."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        create_file(temporary, data, mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def search_path(
    program: str, env: Mapping[str, str], *, skip: Collection[str | Path] = ()
) -> str | None:
    """Return the first ``program`` on PATH as an absolute path, or ``None``.

    Unlike a shell, relative and empty PATH entries are passed over: they mean the working
    directory, which belongs to the author of the change that is evaluated.
    """
    skipped = {os.path.realpath(directory) for directory in skip}
    suffixes = env.get("PATHEXT", ".EXE").split(os.pathsep) if sys.platform == "win32" else [""]
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        if not os.path.isabs(entry) or (skipped and os.path.realpath(entry) in skipped):
            continue
        for suffix in suffixes:
            path = Path(entry, program + suffix)
            if is_program(path):
                return str(path)
    return None


def is_program(path: Path) -> bool:
    """Whether a path leads to a file that can be started."""
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False
