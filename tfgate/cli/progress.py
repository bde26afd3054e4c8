"""Progress on a terminal, for what may take more than a moment. It is never in a pipe or a log."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int, int], None]

PATIENCE = 0.5
"""Seconds before anything is shown: what is quicker needs no bar."""
_WIDTH = 30


@contextlib.contextmanager
def bytes_bar(what: str) -> Iterator[Progress | None]:
    """Give a callback for bytes done and in all; ``None`` where standard error is no terminal."""
    with _bar(what, lambda number: f"{number / 1e6:,.0f} MB") as progress:
        yield progress


@contextlib.contextmanager
def items_bar(what: str, noun: str) -> Iterator[Progress | None]:
    """Give a callback for things done and in all; ``None`` where nobody would see it."""
    with _bar(what, lambda number: f"{number:,} {noun}") as progress:
        yield progress


@contextlib.contextmanager
def _bar(what: str, show: Callable[[int], str]) -> Iterator[Progress | None]:
    if not sys.stderr.isatty():
        yield None
        return
    begun = shown = time.monotonic()
    drawn = False

    def progress(done: int, total: int) -> None:
        nonlocal shown, drawn
        now = time.monotonic()
        if now - begun < PATIENCE or (now - shown < 0.1 and done < total):
            return
        shown, drawn = now, True
        full = _WIDTH if total <= 0 else min(_WIDTH, done * _WIDTH // total)
        bar = "#" * full + "." * (_WIDTH - full)
        sys.stderr.write(f"\r{what} [{bar}] {show(done)} of {show(total)}\x1b[K")
        sys.stderr.flush()

    try:
        yield progress
    finally:
        if drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
