"""``tfgate audit deliver`` and ``tfgate audit status``: records beside the trail."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.deliver import deliver_on, deliver_once, find_targets, forget
from tfgate.app.sink_status import as_json, as_text, is_late, statuses
from tfgate.cli.output import tell, write_out
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.sinks import Target

_CONFIG = click.option("--config", metavar="FILE", help="Configuration that names the sinks.")
_LOG = click.option("--log", metavar="FILE", help="Trail to use (default: the one in force).")
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
@_LOG
@_CONFIG
def deliver(
    names: tuple[str, ...],
    watch: bool,
    again: tuple[str, ...],
    log: str | None,
    config: str | None,
) -> int:
    """Give every sink what it has not yet, in order.

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
                deliver_on(targets, stop, _tell)
            return int(ExitCode.ALLOWED)
        done = deliver_once(targets, stop, _tell)
    return int(ExitCode.ALLOWED if done else ExitCode.UNDECIDED)


@click.command("status", epilog="Example: tfgate audit status --max-age 15m")
@_SINKS
@click.option(
    "--max-age",
    metavar="AGE",
    help="End with 3 where a sink lacks a record that is older: 30s, 15m, 2h, 1d.",
)
@click.option("--json", "as_data", is_flag=True, help="For programs: a list of objects.")
@_LOG
@_CONFIG
def status(
    names: tuple[str, ...],
    max_age: str | None,
    as_data: bool,
    log: str | None,
    config: str | None,
) -> int:
    """Show how far each sink has come, and why one has not."""
    found = statuses(_targets(names, log, config))
    width = shutil.get_terminal_size((80, 24)).columns
    write_out(as_json(found) if as_data else as_text(found, width))
    late = max_age is not None and is_late(found, max_age)
    return int(ExitCode.UNDECIDED if late else ExitCode.ALLOWED)


def _targets(names: tuple[str, ...], log: str | None, config: str | None) -> tuple[Target, ...]:
    return find_targets(names, cwd=Path.cwd(), env=os.environ, config=config, log=log)


def _tell(text: str) -> None:
    """Say how a sink fares, from its own thread: one that fails ends, and delivers no more."""
    with contextlib.suppress(OSError):
        tell(f"tfgate: {text}")


@contextlib.contextmanager
def _ended_by_signal(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM end it between two batches, as whoever runs services sends it."""
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
