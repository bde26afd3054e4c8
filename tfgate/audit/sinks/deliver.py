"""One sink is given what it lacks: in order, a batch at a time, noted as soon as it is taken."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tfgate.audit.files import BusyError
from tfgate.audit.record import Clock, timestamp
from tfgate.audit.sinks.interface import Batch, Sink, SinkError
from tfgate.audit.sinks.spool import (
    NONE,
    Cursor,
    CursorFile,
    Entry,
    Place,
    Start,
    later,
    pause,
    reading,
    settled,
    waits,
)
from tfgate.errors import AuditError, TfgateError

BATCH_BYTES = 4 * 1024 * 1024
"""A batch has no more than this, except where one record has."""


class State(Enum):
    """How a delivery ended."""

    DONE = "done"
    """The sink has all that there was."""
    STOPPED = "stopped"
    """Its time was up, or the sink has as much as was asked for."""
    WAITING = "waiting"
    """The last attempt failed a short while ago."""
    BUSY = "busy"
    """Another process is delivering to this sink."""
    FAILED = "failed"


class Outcome(msgspec.Struct, frozen=True):
    """What a delivery came to."""

    state: State
    sent: int = 0
    """Records."""
    cursor: Cursor = NONE
    reason: str | None = None
    """Why it failed."""


class Effort(msgspec.Struct, frozen=True):
    """How much is done for a sink at once."""

    records: int = 500
    """In a batch, at most."""
    is_over: Callable[[], bool] = bool
    """Says whether no further batch is to be begun."""
    upto: int | None = None
    """Number of the record after which nothing needs to be sent."""
    patience: float = 0.0
    """Seconds to wait for another process that delivers to this sink."""
    ignore_pause: bool = False
    """Whether it is tried even where the last attempt failed just now."""


def deliver(
    log: Path, file: CursorFile, make: Callable[[], Sink], clock: Clock, effort: Effort
) -> Outcome:
    """Send what the sink lacks. Whatever goes wrong is noted in ``file``, and in the outcome.

    ``make`` gives the sink, and is called when there is something to send; it may raise
    ``TfgateError``.
    """
    try:
        with file.claimed(effort.patience):
            return _claimed(_Delivery(log, file, make, clock, effort))
    except BusyError as error:
        return Outcome(State.BUSY, reason=error.message)
    except AuditError as error:  # the cursor itself
        return Outcome(State.FAILED, reason=str(error))


def _claimed(delivery: _Delivery) -> Outcome:
    cursor = delivery.load()
    if not delivery.effort.ignore_pause and waits(cursor, delivery.clock()):
        return Outcome(State.WAITING, 0, cursor, cursor.error)
    try:
        return Outcome(delivery.run(), delivery.sent, delivery.cursor)
    except TfgateError as error:
        return delivery.fail(error)
    except Exception as error:  # of a library: one sink must not end the delivery to others
        return delivery.fail(SinkError(_words(error)))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f" for {error.filename}" if isinstance(error.filename, str) else ""
        return f"The system says {error.strerror!r}{where}."
    return f"An unexpected {type(error).__name__} stopped it."


@dataclass
class _Delivery:
    log: Path
    file: CursorFile
    make: Callable[[], Sink]
    clock: Clock
    effort: Effort
    cursor: Cursor = NONE
    sent: int = 0

    def load(self) -> Cursor:
        self.cursor = settled(self.file.load())
        return self.cursor

    def run(self) -> State:
        with reading(self.log) as trail:
            start = trail.start(self.cursor)
            self._begin(start)
            if self._is_far_enough():
                return State.STOPPED
            feed = _Feed(trail.after(start))
            if not feed.peek():
                self._note_success()
                return State.DONE
            sink = self.make()
            try:
                return self._send_all(sink, feed)
            finally:
                sink.close()

    def _begin(self, start: Start) -> None:
        """Remember a chain that is begun, before anything of it is sent."""
        if (start.chain, start.after) != (self.cursor.chain, self.cursor.place):
            fresh = start.chain != self.cursor.chain
            self.cursor = replace(
                self.cursor,
                chain=start.chain,
                place=start.after,
                sending=None if fresh else self.cursor.sending,
                note=start.note or self.cursor.note,
            )

    def _is_far_enough(self) -> bool:
        upto, place = self.effort.upto, self.cursor.place
        return upto is not None and place is not None and place.seq >= upto

    def _send_all(self, sink: Sink, feed: _Feed) -> State:
        most = self.effort.records
        while feed.peek():
            if self._is_far_enough() or self.effort.is_over():
                return State.STOPPED
            taken = feed.take(most, self.cursor.sending)
            try:
                self._send(sink, taken)
            except SinkError as error:
                if not error.too_large or len(taken) == 1:
                    raise
                feed.give_back(taken)
                most = max(1, len(taken) // 2)
                self.cursor = replace(self.cursor, sending=None)
        return State.DONE

    def _send(self, sink: Sink, taken: list[Entry]) -> None:
        assert self.cursor.chain is not None, "there is a record, so there is a chain"
        batch = Batch(self.cursor.chain, tuple(entry.record for entry in taken))
        sending = batch.last.seq if sink.steady else None
        self.cursor = replace(self.cursor, sending=sending, since=timestamp(self.clock()))
        self.file.save(self.cursor)
        sink.send(batch)
        self.sent += len(taken)
        self._took(taken[-1].place)

    def _took(self, place: Place) -> None:
        now = timestamp(self.clock())
        self.cursor = replace(self.cursor, place=place, sending=None, delivered=now, **_NO_FAILURE)
        self.file.save(self.cursor)

    def _note_success(self) -> None:
        """Forget a failure that was not the sink's, once it is over."""
        if self.cursor.failures:
            self.cursor = replace(self.cursor, **_NO_FAILURE)
            self.file.save(self.cursor)

    def fail(self, error: TfgateError) -> Outcome:
        """Note the failure, and when to try again. Where that fails too, it is tried sooner."""
        now, failures = self.clock(), self.cursor.failures + 1
        asked = error.retry_after if isinstance(error, SinkError) else None
        self.cursor = replace(
            self.cursor,
            since=None,
            failures=failures,
            failed=timestamp(now),
            not_before=later(now, pause(failures, asked)),
            error=str(error),
        )
        with contextlib.suppress(AuditError):
            self.file.save(self.cursor)
        return Outcome(State.FAILED, self.sent, self.cursor, str(error))


_NO_FAILURE = {"since": None, "failures": 0, "failed": None, "not_before": None, "error": None}


class _Feed:
    """Entries, some of which may be given back."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self._ready: deque[Entry] = deque()

    def peek(self) -> Entry | None:
        if not self._ready:
            entry = next(self._entries, None)
            if entry is None:
                return None
            self._ready.append(entry)
        return self._ready[0]

    def take(self, most: int, last: int | None) -> list[Entry]:
        """Take up to ``most`` entries, and none after number ``last``."""
        taken: list[Entry] = []
        size = 0
        while len(taken) < most and (entry := self.peek()) is not None:
            size += len(entry.record.line)
            if taken and size > BATCH_BYTES:
                break
            taken.append(self._ready.popleft())
            if entry.record.seq == last:
                break
        return taken

    def give_back(self, entries: list[Entry]) -> None:
        self._ready.extendleft(reversed(entries))
