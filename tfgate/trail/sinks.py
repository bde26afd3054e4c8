"""``tfgate audit deliver`` and ``tfgate audit status``: records beside the trail."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import shutil
import signal
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from tfgate.audit.record import moment_of
from tfgate.audit.search import parse_moment
from tfgate.audit.sinks.deliver import Outcome, State
from tfgate.audit.sinks.spool import NONE, Cursor, reading, settled
from tfgate.audit.writer import AuditTrail
from tfgate.command.output import write_err, write_out
from tfgate.errors import AuditError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.delivery import Target, now, targets_of
from tfgate.gate.record import audit_paths
from tfgate.report.escape import console
from tfgate.report.layout import in_columns
from tfgate.ruleset import load_gate_config
from tfgate.trail.command import LOG


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
    """Return each sink's. Raises ``AuditError`` where the trail itself cannot be read."""
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
    """Return number and time of the first record that the sink has not, and what is wrong."""
    try:
        with reading(target.log) as trail:
            entry = next(trail.after(trail.start(cursor)), None)
    except AuditError as error:
        return None, str(error)
    return (None if entry is None else (entry.record.seq, entry.record.time)), None


def _age(time: str, moment: dt.datetime) -> int:
    return max(0, int((moment - moment_of(time)).total_seconds()))


def is_late(found: Sequence[SinkStatus], age: str) -> bool:
    """Whether a sink lacks a record that is older than ``age`` (``15m``).

    A sink of which that is not known is late. Raises ``UsageError`` for what is no age.
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
    clean = console(text).replace("\n", " ")
    return textwrap.wrap(
        clean, max(40, width), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _until(time: str, moment: dt.datetime) -> int:
    return max(0, math.ceil((moment_of(time) - moment).total_seconds()))


def _span(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


PATIENCE = 30.0
"""Seconds that a person's command waits for another process that is at it."""
EVERY = 1.0
"""Seconds between two looks at the trail."""


def _came_to(name: str, outcome: Outcome) -> str:
    sent = f"{name}: {outcome.sent} record(s) delivered"
    if outcome.state is State.DONE:
        return f"{sent}."
    if outcome.state is State.STOPPED:
        return f"{sent}, then it was stopped."
    return f"{sent}, then it failed: {outcome.reason}"


def find_targets(
    names: Sequence[str], *, cwd: Path, env: Mapping[str, str], config: str | None, log: str | None
) -> tuple[Target, ...]:
    """Return the sinks that are named, or all. Raises ``UsageError`` where there is no such one."""
    loaded = load_gate_config(cwd, env, config=config, flags={"audit.log": log})
    targets = targets_of(loaded, audit_paths(loaded, env)[0], env)
    if not targets:
        raise UsageError(
            "The configuration has no sink.", hint="Sinks are [[sinks]] tables in tfgate.toml."
        )
    known = {target.name: target for target in targets}
    for name in names:
        if name not in known:
            raise UsageError(f"There is no sink {name} (there is: {', '.join(known)}).")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else targets


def forget(target: Target) -> None:
    """Have the sink given everything again. Raises ``AuditError``."""
    with target.file.claimed(PATIENCE):
        target.file.save(NONE)


def deliver_once(
    targets: Sequence[Target], stop: threading.Event, report: Callable[[str], None]
) -> bool:
    """Deliver to every sink at once, report on each, and return whether all have everything."""
    done = [False] * len(targets)

    def work(number: int, target: Target) -> None:
        outcome = target.deliver(ignore_pause=True, patience=PATIENCE, is_over=stop.is_set)
        done[number] = outcome.state is State.DONE
        report(_came_to(target.name, outcome))

    _each(targets, work, stop)
    return all(done)


def deliver_on(
    targets: Sequence[Target],
    stop: threading.Event,
    report: Callable[[str], None],
    *,
    every: float = EVERY,
) -> None:
    """Deliver to every sink whatever comes, until ``stop``. What changes is reported."""

    def work(_: int, target: Target) -> None:
        before: str | None = None
        seen: object = None
        while not stop.is_set():
            now = _stamp(target.log)
            if now != seen or before is not None:
                outcome = target.deliver(is_over=stop.is_set)
                seen = now if outcome.state is State.DONE else None
                before = _report_change(target.name, outcome, before, report)
            stop.wait(every)

    _each(targets, work, stop)


def _report_change(
    name: str, outcome: Outcome, before: str | None, report: Callable[[str], None]
) -> str | None:
    """Report a failure when it begins or changes, and its end; return the one in force."""
    if outcome.state is State.FAILED:
        if outcome.reason != before:
            report(f"{name}: {outcome.reason}")
        return outcome.reason
    if outcome.state is State.DONE and before is not None:
        report(f"{name}: delivered again.")
        return None
    return before


def _stamp(log: Path) -> object:
    try:
        found = log.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _each(
    targets: Sequence[Target], work: Callable[[int, Target], None], stop: threading.Event
) -> None:
    """Run ``work`` for each sink beside the others; an interrupt stops all of them."""
    threads = [
        threading.Thread(target=work, args=(number, target), daemon=True)
        for number, target in enumerate(targets)
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
    except BaseException:
        stop.set()
        raise


_CONFIG = click.option("--config", metavar="FILE", help="Configuration that names the sinks.")
_SINKS = click.option(
    "--sink", "names", multiple=True, metavar="NAME", help="This sink alone. Repeatable."
)


@click.command("deliver", epilog="Example: tfgate audit deliver --watch")
@_SINKS
@click.option("--watch", is_flag=True, help="Go on, and deliver what comes, until it is ended.")
@click.option(
    "--again",
    multiple=True,
    metavar="NAME",
    help="Forget what this sink has: it is given the whole trail again. Repeatable.",
)
@LOG
@_CONFIG
def deliver(
    names: tuple[str, ...], watch: bool, again: tuple[str, ...], log: str | None, config: str | None
) -> int:
    """Deliver to every sink what it has not yet, in order.

    Exit code 0 means that all of them have everything, 3 that one has not; what it lacks stays in
    the trail. Records for a sink of type stdout are the only thing on standard output.
    """
    for target in _targets(again, log, config) if again else ():
        forget(target)
    targets = _targets(names, log, config)
    stop = threading.Event()
    with _ended_by_signal(stop):
        if watch:
            with contextlib.suppress(KeyboardInterrupt):
                deliver_on(targets, stop, _report)
            return int(ExitCode.ALLOWED)
        done = deliver_once(targets, stop, _report)
    return int(ExitCode.ALLOWED if done else ExitCode.UNDECIDED)


@click.command("status", epilog="Example: tfgate audit status --max-age 15m")
@_SINKS
@click.option(
    "--max-age",
    metavar="AGE",
    help="End with 3 where a sink lacks a record that is older: 30s, 15m, 2h, 1d.",
)
@click.option("--json", "as_data", is_flag=True, help="For programs: a list of objects.")
@LOG
@_CONFIG
def status(
    names: tuple[str, ...], max_age: str | None, as_data: bool, log: str | None, config: str | None
) -> int:
    """Show how far each sink has come, and why one has not."""
    found = statuses(_targets(names, log, config))
    width = shutil.get_terminal_size((80, 24)).columns
    write_out(as_json(found) if as_data else as_text(found, width))
    late = max_age is not None and is_late(found, max_age)
    return int(ExitCode.UNDECIDED if late else ExitCode.ALLOWED)


def _targets(names: tuple[str, ...], log: str | None, config: str | None) -> tuple[Target, ...]:
    return find_targets(names, cwd=Path.cwd(), env=os.environ, config=config, log=log)


def _report(text: str) -> None:
    """Say how a sink fares, from its own thread: one that fails ends, and delivers no more."""
    with contextlib.suppress(OSError):
        write_err(f"tfgate: {text}")


@contextlib.contextmanager
def _ended_by_signal(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM end it between two batches, as whoever runs services sends it."""
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
