"""Bounds of one input: how long it may take, and how much memory the process may have for it."""

from __future__ import annotations

import contextlib
import resource
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0
"""Of a processor, for one input of at most 256 KiB, on a machine that does other things as well."""

WAITING = 6
"""Times as long by the clock: so that what waits for ever ends too."""

MEMORY = 1024**3
"""Bytes of address space beside what the process has already."""


class TookTooLongError(BaseException):
    """No ``except Exception`` on the way may take it for something else."""


@contextlib.contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Bound time and memory of the block (main thread only)."""
    with bounded_memory(memory), bounded_time(seconds):
        yield


@contextlib.contextmanager
def bounded_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raise ``TookTooLongError`` in the block when it is not done in time (main thread only)."""

    def give_up(*_: Any) -> None:
        raise TookTooLongError(f"more than {seconds} s")

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds),
              (signal.SIGALRM, signal.ITIMER_REAL, seconds * WAITING))  # fmt: skip
    before = [signal.signal(number, give_up) for number, _, _ in timers]
    try:
        for _, timer, least in timers:
            signal.setitimer(timer, least)
        yield
    finally:
        for (number, timer, _), old in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, old)


@contextlib.contextmanager
def bounded_memory(more: int = MEMORY) -> Iterator[None]:
    """Let the process have at most ``more`` bytes of address space beside what it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
