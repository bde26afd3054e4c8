"""Clocks for tests."""

from __future__ import annotations

import datetime as dt


class Ticking:
    """Starts on 31 January 2026 at noon UTC and adds ``step`` seconds with every look."""

    def __init__(self, step: float = 1.0) -> None:
        self.now = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
        self.step = dt.timedelta(seconds=step)

    def __call__(self) -> dt.datetime:
        now, self.now = self.now, self.now + self.step
        return now
