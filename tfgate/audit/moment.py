"""Times as a person asks for them: absolute, a day, or so long ago."""

from __future__ import annotations

import datetime as dt
import re

from tfgate.audit.pipeline import timestamp
from tfgate.errors import UsageError

_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: dt.datetime, *, end: bool = False) -> str:
    """Give ``text`` as a record's ``time``: RFC 3339, UTC, six decimals.

    Understands RFC 3339 (``2026-01-31T12:00:00Z``), a day in UTC (its beginning, or with ``end``
    its last microsecond), and an age before ``now``: ``30m``, ``24h``, ``7d``, ``2w``. Raises
    ``UsageError`` for anything else.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return timestamp(now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        if _DAY.fullmatch(text):
            day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)
            last = dt.timedelta(days=1, microseconds=-1)
            return timestamp(day + last if end else day)
        # Python 3.10 reads fractions of three or six digits alone, and no "Z".
        whole = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", text)
        moment = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", whole))
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"The time {text!r} cannot be understood.",
        hint="Write it as 2026-01-31T12:00:00Z, as a day (2026-01-31), or as an age (24h, 7d).",
    )
