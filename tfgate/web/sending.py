"""No heartbeat after the final answer: what is sent about one task is sent one at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Sending:
    """Knows what this server is sending. A final answer waits for a heartbeat under way."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._final: set[str] = set()
        self._beating: set[str] = set()

    @contextmanager
    def final(self, key: str) -> Iterator[None]:
        """Hold back heartbeats of the task."""
        with self._change:
            self._final.add(key)
            self._change.wait_for(lambda: key not in self._beating)
        try:
            yield
        finally:
            with self._change:
                self._final.discard(key)

    @contextmanager
    def heartbeat(self, key: str) -> Iterator[bool]:
        """Give whether a heartbeat may be sent now."""
        with self._change:
            free = key not in self._final and key not in self._beating
            if free:
                self._beating.add(key)
        try:
            yield free
        finally:
            if free:
                with self._change:
                    self._beating.discard(key)
                    self._change.notify_all()
