"""Functions on times: age_days, by the clock that the evaluation was given, and date_add."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.text import late
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import function

if TYPE_CHECKING:
    from tfgate.query.state import Scope

_RFC3339: Final = late(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,18})?"
    r"(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def timestamp(text: str) -> datetime:
    """Read a time of RFC 3339; ValueError for everything else.

    Python's own ``fromisoformat`` does not take ``Z`` before version 3.11.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not a time of RFC 3339")
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    leap = second == 60  # allowed by RFC 3339; counted as the second after
    zone = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    moment = datetime(
        year,
        month,
        day,
        hour,
        minute,
        59 if leap else second,
        int(((found[7] or ".0")[1:] + "000000")[:6]),
        tzinfo=timezone(-zone if found[8] == "-" else zone),
    )
    return moment + timedelta(seconds=leap)


def _check(literals: tuple[Any, ...]) -> str | None:
    if type(literals[0]) is not str:
        return None
    try:
        timestamp(literals[0])
    except (ValueError, OverflowError):
        return "The text is not a time of RFC 3339, such as 2026-01-31T12:00:00Z."
    return None


@function(
    "age_days(timestamp: string) -> number",
    "age_days('2026-01-01T00:00:00Z')",
    30.5,
    cost=60,
    errors="The text is not a time of RFC 3339.",
    scope=True,
    check=_check,
)
def _age_days(scope: Scope | None, text: str) -> float:
    """Return how many days ago a time of RFC 3339 was, with fractions; negative if to come."""
    moment = timestamp(text)
    if scope is None or scope.now is None:
        raise EvaluationError("age_days() needs the time of day, which was not given here.")
    return (scope.now - moment) / timedelta(days=1)


_DATE: Final = late(r"\d{4}-\d\d-\d\d", re.ASCII)


def _check_date(literals: tuple[Any, ...]) -> str | None:
    if type(literals[0]) is not str:
        return None
    try:
        _date_add(literals[0], 0)
    except (ValueError, OverflowError):
        return "The text is neither a date (2026-01-31) nor a time of RFC 3339."
    return None


@function(
    "date_add(date: string, days: number) -> string",
    "date_add('2026-01-31', `90`)",
    "2026-05-01",
    cost=60,
    errors="The text is neither a date (2026-01-31) nor a time of RFC 3339, or the result is in no "
    "year from 1 to 9999.",
    check=_check_date,
)
def _date_add(text: str, days: float) -> str:
    """Return the date so many days after a date, or before it where the number is negative; of a
    time the time, in UTC and without fractions of seconds. Dates are ordered as texts are.

    ``after.tags.expires <= date_add($context.date, `90`)``
    """
    if _DATE.fullmatch(text):
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    moment = (timestamp(text) + timedelta(days=days)).astimezone(timezone.utc)
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
