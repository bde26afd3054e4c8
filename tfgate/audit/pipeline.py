"""From an event to a record: its fields cleaned, stamped, linked to the record before, sealed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tfgate.audit.record import CHAIN_FIELDS, GENESIS, VERSION, Record, neutralise, seal

if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], dt.datetime]


def log_record(
    sink: Callable[[Record], Record],
    event: str,
    fields: dict[str, Any],
    *,
    after: Record | None,
    clock: Clock,
) -> Record:
    """Make ``event`` the record that follows ``after``, hand it to ``sink``, give what that gives.

    ``fields`` must have passed ``check_fields``.
    """
    members: dict[str, Any] = neutralise({**fields, "event": event})
    members["time"] = timestamp(clock())
    members["v"] = VERSION
    members["seq"] = 0 if after is None else after.seq + 1
    members["prev"] = GENESIS if after is None else after.hash
    return sink(seal(members))


def check_fields(fields: dict[str, Any]) -> None:
    """Raise ``ValueError`` where ``fields`` has a member that the chain sets itself."""
    reserved = sorted({*CHAIN_FIELDS}.intersection(fields))
    if reserved:
        raise ValueError(f"an event's own fields cannot be named {', '.join(reserved)}")


def timestamp(moment: dt.datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC with six decimals."""
    if moment.tzinfo is None:
        raise ValueError("the clock of an audit trail gives aware datetimes")
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(time: str) -> dt.datetime:
    """Read what `timestamp` has written, or another RFC 3339 time of six decimals or none."""
    return dt.datetime.fromisoformat(time.replace("Z", "+00:00"))  # 3.10 does not take the Z
