"""Signals while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupted(KeyboardInterrupt):
    """Somebody asked for the end. Everything on the way out is cleaned up, as for Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into ``Interrupted`` between enter and exit.

    Within ``held`` they are noted alone. What the parent ignores (nohup) stays ignored. Off the
    main thread, where Python takes no signals, nothing is changed.
    """

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self._depth = 0
        self.noted: list[int] = []
        """Signals that came while they were held."""

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave us

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
