"""``tfgate audit status``: how far each sink has come."""

from __future__ import annotations

import json
import math
import textwrap
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.app.sinks import now
from tfgate.audit.moment import parse_moment
from tfgate.audit.pipeline import moment_of
from tfgate.audit.sinks.backoff import settled
from tfgate.audit.sinks.cursor import NONE
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError
from tfgate.report.columns import in_columns
from tfgate.report.neutral import console

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tfgate.app.sinks import Target
    from tfgate.audit.sinks.cursor import Cursor


class SinkStatus(msgspec.Struct, frozen=True):
    """One sink."""

    name: str
    type: str
    delivered_seq: int | None
    """Number of the last record that it has."""
    delivered: str | None
    """When it took a batch last."""
    lag: int
    """Records that it has not."""
    oldest: str | None
    """Time of the first of them."""
    age_seconds: int
    """How long ago that was."""
    stuck: bool
    """Whether the trail does not go on from what the sink has: a person must look."""
    failures: int
    """Attempts in a row that failed."""
    failed: str | None
    """When the last one did."""
    next: str | None
    """When the next one is due."""
    error: str | None
    note: str | None


def statuses(targets: Sequence[Target]) -> list[SinkStatus]:
    """Give each sink's. Raises ``AuditError`` where the trail itself cannot be read."""
    moment = now()
    return [_status(target, moment) for target in targets]


def _status(target: Target, moment: dt.datetime) -> SinkStatus:
    head = AuditTrail(target.log).head()
    cursor, error = _cursor(target)
    first, problem = _first(target, cursor)
    lag = 0 if head is None or first is None else head.seq - first[0] + 1
    return SinkStatus(
        name=target.name,
        type=str(target.spec.type),
        delivered_seq=None if cursor.place is None else cursor.place.seq,
        delivered=cursor.delivered,
        lag=lag,
        oldest=None if first is None else first[1],
        age_seconds=0 if first is None else _age(first[1], moment),
        stuck=(error or problem) is not None,
        failures=cursor.failures,
        failed=cursor.failed,
        next=cursor.not_before,
        error=error or problem or cursor.error,
        note=cursor.note,
    )


def _cursor(target: Target) -> tuple[Cursor, str | None]:
    try:
        return settled(target.file.load()), None
    except AuditError as error:
        return NONE, str(error)


def _first(target: Target, cursor: Cursor) -> tuple[tuple[int, str] | None, str | None]:
    """Give number and time of the first record that the sink has not, and what is wrong."""
    try:
        with target.spool.opened() as reading:
            entry = next(reading.after(reading.start(cursor)), None)
    except AuditError as error:
        return None, str(error)
    return (None if entry is None else (entry.record.seq, entry.record.time)), None


def _age(time: str, moment: dt.datetime) -> int:
    written = moment_of(time)
    return max(0, int((moment - written).total_seconds()))


def is_late(found: Sequence[SinkStatus], age: str) -> bool:
    """Say whether a sink lacks a record that is older than ``age`` (``15m``).

    A sink of which that cannot be told is late. Raises ``UsageError`` for what is no age.
    """
    moment = now()
    limit = parse_moment(age, moment)
    return any(each.stuck or (each.oldest is not None and each.oldest < limit) for each in found)


def as_json(found: Sequence[SinkStatus]) -> str:
    """Write them for a program."""
    rows: list[Any] = msgspec.to_builtins(found)
    return json.dumps(rows, indent=2, ensure_ascii=True) + "\n"


def as_text(found: Sequence[SinkStatus], width: int) -> str:
    """Write a line for each, and what is wrong below it; ``width`` is that of the terminal."""
    moment = now()
    rows = [("sink", "type", "has", "lacks", "oldest", "delivered")]
    rows += [
        (
            each.name,
            each.type,
            "0" if each.delivered_seq is None else str(each.delivered_seq + 1),
            "?" if each.stuck else str(each.lag),
            _span(each.age_seconds) if each.lag else "-",
            "never" if each.delivered is None else f"{_span(_age(each.delivered, moment))} ago",
        )
        for each in found
    ]
    head, *others = in_columns(rows)
    lines = [head]
    for each, line in zip(found, others, strict=True):
        lines += [line, *_below(each, moment, width)]
    return "".join(f"{line}\n" for line in lines)


def _below(each: SinkStatus, moment: dt.datetime, width: int) -> list[str]:
    texts = []
    if each.error is not None:
        texts.append(each.error)
    if each.failures:
        due = 0 if each.next is None else _until(each.next, moment)
        again = f"in {_span(due)}" if due else "now"
        many = "attempt" if each.failures == 1 else f"{each.failures} attempts in a row"
        texts.append(f"The last {many} failed; the next one is due {again}.")
    if each.note is not None:
        texts.append(f"Note: {each.note}.")
    return [line for text in texts for line in _wrapped(text, width)]


def _wrapped(text: str, width: int) -> list[str]:
    tame = console(text).replace("\n", " ")
    return textwrap.wrap(
        tame, max(40, width), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _until(time: str, moment: dt.datetime) -> int:
    due = moment_of(time)
    return max(0, math.ceil((due - moment).total_seconds()))


def _span(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
