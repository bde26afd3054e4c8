"""What the server does again and again beside its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tfgate.server.monitoring import Log


class Background:
    """Calls functions at intervals, each in a thread of its own, until it is stopped."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def every(self, seconds: float, act: Callable[[], object]) -> None:
        """Begin to call a function. One that raises is called again at its next turn."""

        def loop() -> None:
            while not self._stop.wait(seconds):
                try:
                    act()
                except Exception as error:  # noqa: PERF203 - tried again at the next turn
                    self._log.error("loop", act=act.__name__, error=type(error).__name__)

        thread = threading.Thread(target=loop, name=f"tfgate-{act.__name__}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self, seconds: float) -> None:
        """Stop; what is under way is waited for, so long for each."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)
