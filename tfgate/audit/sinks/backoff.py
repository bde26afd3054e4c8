"""When a sink that failed is tried again."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Final

from tfgate.audit.pipeline import timestamp

if TYPE_CHECKING:
    from tfgate.audit.sinks.cursor import Cursor

FIRST: Final = 1.0
LONGEST: Final = 15 * 60.0
ASKED_FOR: Final = 60 * 60.0
"""Seconds that a sink may put the next attempt off by asking."""


def pause(failures: int, asked: float | None = None) -> float:
    """Give the seconds to wait after so many failures in a row: doubled each time, and uneven.

    Many gates whose sink comes back must not all come at once.
    """
    wait = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
    wait *= random.uniform(0.75, 1.25)  # noqa: S311  # not for a secret
    return max(wait, min(asked, ASKED_FOR)) if asked is not None else wait


def later(now: dt.datetime, seconds: float) -> str:
    """Give the time that is so many seconds after ``now``, as records write it."""
    return timestamp(now + dt.timedelta(seconds=seconds))


def waits(cursor: Cursor, now: dt.datetime) -> bool:
    """Say whether the sink is to be left alone yet.

    A time further away than any pause is a clock that was set back since.
    """
    due = cursor.not_before
    return due is not None and timestamp(now) < due <= later(now, ASKED_FOR + LONGEST)
