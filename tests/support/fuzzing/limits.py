"""Bounds of one input: how long it may take, and how much memory the process may have for it."""

from __future__ import annotations

import contextlib
import resource
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 20
"""For one input of at most 256 KiB, on a machine that does other things as well."""

MEMORY = 2 * 1024**3
"""Bytes of address space beside what the process has already."""


class TookTooLongError(BaseException):
    """No ``except Exception`` on the way may take it for something else."""


@contextlib.contextmanager
def bounded_time(seconds: int = SECONDS) -> Iterator[None]:
    """Raise ``TookTooLongError`` in the block when it is not done in time (main thread only)."""

    def give_up(*_: Any) -> None:
        raise TookTooLongError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


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
