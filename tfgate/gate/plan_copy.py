"""Where the plan lies that is evaluated and applied: out of reach, and gone when the gate is gone.

In memory where the system can do that (Linux): a file without a name, sealed once it is written,
so that no process can change it. Terraform opens it as ``/proc/<gate>/fd/<number>``; it ends with
the gate, whatever ends that. Elsewhere in a private directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tfgate.audit.files import read_range
from tfgate.errors import TfgateError, UsageError, explained
from tfgate.opening import create_file
from tfgate.terraform.runner import signals_taken


@contextmanager
def private_directory(interrupts: Interrupts) -> Iterator[Path]:
    """Make a directory that its owner alone can enter (0700), and remove it at the end.

    It is removed after an exception and after a signal as well; after ``SIGKILL`` by the next
    tfgate of this user. Raises ``TfgateError``.
    """
    from tfgate.audit.scratch import scratch  # 4 ms: docs/performance.md

    place = scratch()
    with interrupts.held():
        directory = place.__enter__()
    try:
        yield directory
    finally:
        with interrupts.held():
            place.__exit__(None, None, None)


VARIABLE = "TFGATE_PLAN_COPY"
"""``directory`` where the memory of this process is out of Terraform's sight (a container)."""
_WORDS = ("memory", "directory")
_UNWRITTEN = "The private copy of the plan cannot be written"
_ELSEWHERE = f"Let {VARIABLE}=directory keep it in a file below TMPDIR."


def is_unchanged(copy: Path, sha256: str) -> bool:
    """Return whether the copy still has the bytes that were evaluated."""
    try:
        with copy.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == sha256


class InDirectory:
    """Files in a directory that is private already."""

    def __init__(self, directory: Path) -> None:
        self._new, self._kept = directory / "new.tfplan", directory / "plan.tfplan"

    def blank(self) -> Path:
        """Return the path of a new file that a program may write a plan to."""
        return self._new

    def take(self, path: Path) -> bytes:
        """Return what was written to a blank file, and drop it; nothing where nothing was."""
        try:
            data = path.read_bytes()
            path.unlink()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise TfgateError(f"The new plan cannot be read: {error.strerror}.") from None
        return data

    def keep(self, data: bytes) -> Path:
        """Write a plan to a new file, which nobody has a reason to write to again."""
        with explained(_UNWRITTEN, hint="Make room there, or let TMPDIR name another place."):
            create_file(self._kept, data)
            # The gate itself has no reason to write to it again.
            self._kept.chmod(0o400)
        return self._kept

    def close(self) -> None:
        """Remove the files by their names: the directory's removal first looks what is in it."""
        for path in (self._new, self._kept):
            with contextlib.suppress(FileNotFoundError):
                _destroy(path)


def _destroy(path: Path) -> None:
    """Remove a file, or at least what is in it. Raises ``FileNotFoundError`` for none."""
    try:
        path.unlink()
    except FileNotFoundError:
        raise
    except OSError:
        with contextlib.suppress(OSError):
            path.chmod(0o600)
            os.truncate(path, 0)


class InMemory:
    """Files without a name (``memfd_create``), which a seal closes to everybody's writing."""

    def __init__(self) -> None:
        self._open: dict[Path, int] = {}

    def blank(self) -> Path:
        """Make an empty file."""
        with explained(_UNWRITTEN, hint=_ELSEWHERE):
            return self._new()

    def _new(self) -> Path:
        descriptor = os.memfd_create("tfgate-plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        self._open[path] = descriptor
        return path

    def take(self, path: Path) -> bytes:
        """Read what was written, which nobody changes any more, and drop the file."""
        descriptor = self._open[path]
        with explained("The new plan cannot be read"):
            _seal(descriptor)
            data = read_range(descriptor, 0, os.fstat(descriptor).st_size)
        del self._open[path]
        os.close(descriptor)
        return data

    def keep(self, data: bytes) -> Path:
        """Write a file and seal it."""
        with explained(_UNWRITTEN, hint=_ELSEWHERE):
            path = self._new()
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._open[path], rest) :]
            _seal(self._open[path])
        return path

    def close(self) -> None:
        """Drop every file."""
        while self._open:
            os.close(self._open.popitem()[1])


PlanPlace = InDirectory | InMemory
"""Where plan files are put that nobody else is to read or write."""


@contextmanager
def plan_place(interrupts: Interrupts, env: Mapping[str, str]) -> Iterator[PlanPlace]:
    """Yield a place for plan files, the best that there is here; at the end nothing is left of it.

    Raises ``TfgateError`` where there is none.
    """
    memory = _memory() if _wanted(env) else None
    with contextlib.ExitStack() as stack:
        place = memory or InDirectory(stack.enter_context(private_directory(interrupts)))
        try:
            yield place
        finally:
            with interrupts.held():
                place.close()


def _memory() -> InMemory | None:
    """Return a place in memory whose files another process can open; ``None`` where that fails."""
    if not hasattr(os, "memfd_create"):
        return None
    memory = InMemory()
    try:
        path = memory.keep(b"probe")
        # Not so where /proc is missing, hidden, or of another process namespace.
        reached = path.read_bytes() == b"probe"
    except (OSError, TfgateError):
        reached = False
    memory.close()
    return memory if reached else None


def _wanted(env: Mapping[str, str]) -> bool:
    word = env.get(VARIABLE) or _WORDS[0]
    if word not in _WORDS:
        raise UsageError(f"{VARIABLE} is memory or directory.")
    return word == _WORDS[0]


def _seal(descriptor: int) -> None:
    import fcntl

    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupted(KeyboardInterrupt):
    """Somebody asked for the end. Everything on the way out is removed, as for Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into ``Interrupted`` between enter and exit.

    Within ``held`` they are noted alone.
    """

    def __init__(self) -> None:
        self._taken = signals_taken(_NAMES, self._take)
        self._depth = 0
        self.noted: list[int] = []
        """Signals that came while they were held."""

    def __enter__(self) -> Interrupts:
        self._taken.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._taken.__exit__(None, None, None)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._depth:
            self.noted.append(number)
        else:
            raise Interrupted(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold what comes until the end of the block; it is in ``noted`` then."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
