"""Sinks for tests: ones that remember, fail when told to, and a trail to deliver."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tfgate.audit.sinks.deliver import Effort, Outcome, deliver
from tfgate.audit.sinks.interface import Batch, SinkError
from tfgate.audit.sinks.spool import CursorFile, cursor_path
from tfgate.audit.trail_files import Rotation
from tfgate.audit.writer import AuditTrail

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.audit.sinks.interface import Sink


class MemorySink:
    """Keeps batches; ``failing`` says how many attempts fail first."""

    def __init__(self, *, failing: int = 0, most: int = 10**9, steady: bool = False) -> None:
        self.failing = failing
        self.most = most
        self.steady = steady
        self.batches: list[Batch] = []
        self.closed = 0

    @property
    def numbers(self) -> list[int]:
        """Numbers of the records that came, in order."""
        return [record.seq for batch in self.batches for record in batch.records]

    def send(self, batch: Batch) -> None:
        """Keep it, or fail."""
        if len(batch.records) > self.most:
            raise SinkError("too much", too_large=True)
        if self.failing:
            self.failing -= 1
            raise SinkError("the sink is down")
        self.batches.append(batch)

    def close(self) -> None:
        """Count."""
        self.closed += 1


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time go by."""
        self.now += dt.timedelta(seconds=seconds)


class Delivering:
    """A trail with one sink."""

    def __init__(self, folder: Path, *, rotate: int | None = None, name: str = "test") -> None:
        self.clock = Clock()
        self.log = folder / "audit.jsonl"
        rotation = None if rotate is None else Rotation(max_bytes=rotate)
        self.trail = AuditTrail(self.log, clock=self.clock, rotation=rotation)
        self.file = CursorFile(cursor_path(self.log, name))

    def write(self, count: int, *, size: int = 10) -> None:
        """Append records."""
        for number in range(count):
            self.trail.append("decision", {"decision_id": f"d{number}", "text": "x" * size})

    def deliver(self, sink: Sink, **effort: object) -> Outcome:
        """Deliver once."""
        settings = Effort(**{"ignore_pause": True, **effort})  # type: ignore[arg-type]
        return deliver(self.log, self.file, lambda: sink, self.clock, settings)
