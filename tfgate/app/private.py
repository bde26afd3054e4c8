"""A private directory that no signal leaves behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tfgate.audit.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfgate.app.interrupts import Interrupts


@contextmanager
def private_directory(interrupts: Interrupts) -> Iterator[Path]:
    """Make a directory that its owner alone can enter (0700), and remove it at the end.

    It is removed after an exception and after a signal as well; after ``SIGKILL`` by the next
    tfgate of this user. Raises ``TfgateError``.
    """
    place = scratch()
    with interrupts.held():
        directory = place.__enter__()
    try:
        yield directory
    finally:
        with interrupts.held():
            place.__exit__(None, None, None)
