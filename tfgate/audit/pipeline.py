"""The structlog pipeline: an event with its fields goes in, a sealed line comes out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tfgate.audit.lean import bound_logger
from tfgate.audit.neutral import neutralise
from tfgate.audit.record import CHAIN_FIELDS, GENESIS, VERSION, Record, seal

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    EventDict = MutableMapping[str, Any]
    Clock = Callable[[], dt.datetime]


def log_record(
    sink: Callable[[Record], Record],
    event: str,
    fields: dict[str, Any],
    *,
    after: Record | None,
    clock: Clock,
) -> Record:
    """Log ``event`` through structlog as the record that follows ``after``; ``sink`` writes it.

    ``fields`` must have passed ``check_fields``.
    """
    processors = [_clean, _Stamp(clock), _Link(after), _seal]
    logger = bound_logger()(_Sink(sink), processors, {})
    record: Record = logger.bind(**fields).info(event)
    return record


def check_fields(fields: dict[str, Any]) -> None:
    """Raise ``ValueError`` where ``fields`` has a member that the chain sets itself."""
    # structlog's own methods are called with the fields as keywords, hence "self".
    reserved = sorted({*CHAIN_FIELDS, "self"}.intersection(fields))
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


class _Sink:
    """The logger that structlog wraps: one method, named like the level it is called by."""

    def __init__(self, write: Callable[[Record], Record]) -> None:
        self.info = write


def _clean(_logger: object, _method: str, event: EventDict) -> EventDict:
    members: dict[str, Any] = neutralise(event)
    return members


class _Stamp:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event["time"] = timestamp(self._clock())
        return event


class _Link:
    def __init__(self, after: Record | None) -> None:
        self._after = after

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event["v"] = VERSION
        event["seq"] = 0 if self._after is None else self._after.seq + 1
        event["prev"] = GENESIS if self._after is None else self._after.hash
        return event


def _seal(_logger: object, _method: str, event: EventDict) -> tuple[tuple[Record], dict[str, Any]]:
    # The form structlog documents for handing a logger anything but a string.
    return (seal(dict(event)),), {}
