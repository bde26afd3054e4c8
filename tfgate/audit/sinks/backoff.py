"""When a sink that failed is tried again."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tfgate.audit.pipeline import moment_of, timestamp

if TYPE_CHECKING:
    from tfgate.audit.sinks.cursor import Cursor

FIRST: Final = 1.0
LONGEST: Final = 15 * 60.0
UNFINISHED: Final = 10.0
"""Seconds that an attempt which never ended is taken to have lasted."""
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


def settled(cursor: Cursor) -> Cursor:
    """Count an attempt that never ended as one that failed.

    Its process had no more time, or was killed: a sink that answers nobody must not be waited for
    by everybody.
    """
    if cursor.since is None:
        return cursor
    failures = cursor.failures + 1
    begun = moment_of(cursor.since)
    return replace(
        cursor,
        since=None,
        failures=failures,
        failed=cursor.since,
        not_before=later(begun, UNFINISHED + pause(failures)),
        error="The last attempt did not come to an end.",
    )


def waits(cursor: Cursor, now: dt.datetime) -> bool:
    """Say whether the sink is to be left alone yet.

    A time further away than any pause is a clock that was set back since.
    """
    due = cursor.not_before
    return due is not None and timestamp(now) < due <= later(now, ASKED_FOR + LONGEST)
