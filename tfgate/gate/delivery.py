"""Delivery beside a command: in the background, and for as long as was allowed at its end.

Threads, because a sink may be as slow as it likes: nothing of it is waited for in between. They
end with the process; what they were sending is sent again by whoever comes next.
"""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tfgate.audit.checkpoint import CheckpointPolicy, checkpoint_due, make_checkpoint
from tfgate.audit.record import Record
from tfgate.audit.sinks.deliver import Effort, Outcome, State, deliver
from tfgate.audit.sinks.interface import Sink
from tfgate.audit.sinks.make import make_sink
from tfgate.audit.sinks.spool import CursorFile, cursor_path
from tfgate.audit.writer import AuditTrail
from tfgate.errors import NotDeliveredError, TfgateError
from tfgate.ruleset import GateConfig
from tfgate.ruleset.sinks import SinkSpec, SinkType


@dataclass(frozen=True)
class Target:
    """One sink of one trail."""

    spec: SinkSpec
    log: Path
    env: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self.spec.name

    @property
    def file(self) -> CursorFile:
        """What it has."""
        return CursorFile(cursor_path(self.log, self.spec.name))

    def deliver(self, **effort: Any) -> Outcome:
        """Send what the sink lacks; ``effort`` as in ``Effort``. Nothing is raised."""
        settings = Effort(records=self.spec.batch_records, **effort)
        return deliver(self.log, self.file, self._make, now, settings)

    def _make(self) -> Sink:
        return make_sink(self.spec, self.env)


def now() -> dt.datetime:
    """The system's clock: pauses are kept across processes."""
    return dt.datetime.now(dt.timezone.utc)


def targets_of(config: GateConfig, log: Path, env: Mapping[str, str]) -> tuple[Target, ...]:
    """Return every sink of the configuration for the trail ``log``."""
    return tuple(Target(spec, log, env) for spec in config.sinks)


RETRY: Final = 2.0
"""Seconds between two looks at a sink that has not everything, in a process that lives long."""

_running: Final[list[Background]] = []
"""Of this process, so that its end can wait for them: a command does not know what it recorded."""
_lock: Final = threading.Lock()
"""A server records in many threads."""


class Background:
    """Delivers to each sink in a thread of its own, whenever there may be something new."""

    def __init__(self, targets: Sequence[Target], seconds: float) -> None:
        self.serves = (tuple(targets), seconds)
        # A command's standard output is its report: records go there by `audit deliver` alone.
        self._targets = [each for each in targets if each.spec.type is not SinkType.STDOUT]
        self._seconds = seconds
        self._new = [threading.Event() for _ in self._targets]
        self._threads: list[threading.Thread] = []
        self._came_to: dict[str, Outcome] = {}
        self._end: float | None = None

    def nudge(self) -> None:
        """Say that there is something new. Takes no time."""
        with _lock:
            if not self._threads:
                for target, new in zip(self._targets, self._new, strict=True):
                    self._threads.append(_start(partial(self._work, target, new)))
        for new in self._new:
            new.set()

    def finish(self) -> list[str]:
        """Let what is under way come to its end, if that takes no longer than was allowed.

        Returns a sentence for each sink that has not everything.
        """
        self._end = time.monotonic() + self._seconds
        for new in self._new:
            new.set()
        late: list[str] = []
        for thread, target in zip(self._threads, self._targets, strict=True):
            thread.join(max(0.0, self._end - time.monotonic()))
            late += self._lateness(target.name, is_alive=thread.is_alive())
        return late

    def _lateness(self, name: str, *, is_alive: bool) -> Iterator[str]:
        outcome = self._came_to.get(name)
        if is_alive:
            yield f"The sink {name} has not taken the record within {self._seconds} s."
        elif outcome is not None and outcome.state in (State.FAILED, State.WAITING):
            yield f"The sink {name} has not taken the record: {outcome.reason}"

    def _work(self, target: Target, new: threading.Event) -> None:
        wait: float | None = None
        while True:
            new.wait(wait)
            new.clear()
            ending = self._end is not None
            outcome = self._came_to[target.name] = target.deliver(is_over=self._is_over)
            if ending:
                return
            wait = None if outcome.state is State.DONE else RETRY

    def _is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


def delivery_of(
    config: GateConfig,
    log: Path,
    env: Mapping[str, str],
    before: Callable[[AuditTrail], None] | None,
) -> Callable[[AuditTrail], None] | None:
    """Return what is to be done after each record: ``before``, and delivery where that is due."""
    seconds = config.audit.sink_seconds
    if not seconds:
        return before
    background = _background(targets_of(config, log, env), seconds)

    def after(trail: AuditTrail) -> None:
        if before is not None:
            before(trail)
        background.nudge()

    return after


def _background(targets: Sequence[Target], seconds: float) -> Background:
    """Return the one of this process that does just this, or make it."""
    wanted = (tuple(targets), seconds)
    with _lock:
        for running in _running:
            if running.serves == wanted:
                return running
        _running.append(Background(targets, seconds))
        return _running[-1]


def required_of(
    config: GateConfig, log: Path, env: Mapping[str, str]
) -> Callable[[Record], None] | None:
    """Return what a record that allows something must pass, where the configuration says so."""
    name = config.audit.require_sink
    if name is None:
        return None
    (target,) = (each for each in targets_of(config, log, env) if each.name == name)
    seconds = config.audit.require_sink_seconds
    return lambda record: require(target, record, seconds)


def finish_deliveries() -> list[str]:
    """Wait for deliveries of this process, as long as the configuration allows.

    Returns a sentence for each sink that has not everything then.
    """
    late: list[str] = []
    while _running:
        late += _running.pop().finish()
    return late


def require(target: Target, record: Record, seconds: float) -> None:
    """Deliver up to ``record``, or raise ``NotDeliveredError``; it takes ``seconds`` at most."""
    found: list[Outcome] = []
    thread = _start(
        lambda: found.append(target.deliver(ignore_pause=True, upto=record.seq, patience=seconds))
    )
    thread.join(seconds)
    if found and _has(found[0], record):
        return
    reason = (found[0].reason if found else None) or f"it took longer than {seconds} s."
    raise NotDeliveredError(
        f"The sink {target.name} must have the record before anything is allowed, and has not: "
        f"{reason}",
        hint="The record is in the trail; see `tfgate audit status`, and try again.",
    )


def _has(outcome: Outcome, record: Record) -> bool:
    """Return whether the sink has the record.

    The number alone proves nothing: where the trail was begun anew or cut, a failed delivery
    knows a higher one, of another record.
    """
    place = outcome.cursor.place
    if outcome.state not in (State.DONE, State.STOPPED) or place is None:
        return False
    return place.seq > record.seq or place.hash == record.hash


def _start(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        # Signals are the main thread's: one that is in the middle of a record puts them off.
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        work()

    thread = threading.Thread(target=run, daemon=True, name="tfgate-sink")
    thread.start()
    return thread


def automatic_checkpoints(config: GateConfig) -> Callable[[AuditTrail], None]:
    """Return what is to be done after each record: a checkpoint, where one is due."""
    key = config.audit.checkpoint_key
    policy = CheckpointPolicy(
        every_records=config.audit.checkpoint_every,
        every_minutes=config.audit.checkpoint_minutes,
    )

    def after(trail: AuditTrail) -> None:
        if key is not None and checkpoint_due(trail, policy):
            _make(trail, key)

    return after


def _make(trail: AuditTrail, key: Path) -> None:
    """Make a checkpoint. One that cannot be made is recorded, and stops nothing.

    What it would vouch for is on the disk already, and an apply may be under way.
    """
    try:
        make_checkpoint(trail, key)
    except TfgateError as error:
        trail.append("checkpoint_failed", {"reason": error.message})
    except OSError as error:
        trail.append("checkpoint_failed", {"reason": error.strerror or type(error).__name__})
