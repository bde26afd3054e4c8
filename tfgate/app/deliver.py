"""``tfgate audit deliver``: every sink is given what it lacks, once or for as long as this runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.app.record import audit_paths
from tfgate.app.sinks import targets_of
from tfgate.audit.sinks.cursor import NONE
from tfgate.audit.sinks.deliver import State
from tfgate.errors import UsageError
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tfgate.app.sinks import Target
    from tfgate.audit.sinks.deliver import Outcome

PATIENCE = 30.0
"""Seconds that a person's command waits for another process that is at it."""
EVERY = 1.0
"""Seconds between two looks at the trail."""


@dataclass(frozen=True)
class Delivered:
    """What the delivery to one sink came to."""

    name: str
    outcome: Outcome

    @property
    def is_done(self) -> bool:
        """Whether the sink has everything."""
        return self.outcome.state is State.DONE

    @property
    def text(self) -> str:
        """A sentence for a person."""
        sent = f"{self.outcome.sent} record(s) delivered"
        if self.is_done:
            return f"{self.name}: {sent}."
        if self.outcome.state is State.STOPPED:
            return f"{self.name}: {sent}, then it was stopped."
        return f"{self.name}: {sent}, then it failed: {self.outcome.reason}"


def find_targets(
    names: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    config: str | None,
    log: str | None,
) -> tuple[Target, ...]:
    """Give the sinks that are named, or all. Raises ``UsageError`` where there is no such one."""
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
    targets: Sequence[Target], stop: threading.Event, tell: Callable[[str], None]
) -> bool:
    """Deliver to every sink at once, and tell of each; give whether all have everything."""
    done = [False] * len(targets)

    def work(number: int, target: Target) -> None:
        outcome = target.deliver(heedless=True, patience=PATIENCE, is_over=stop.is_set)
        delivered = Delivered(target.name, outcome)
        done[number] = delivered.is_done
        tell(delivered.text)

    _each(targets, work, stop)
    return all(done)


def deliver_on(
    targets: Sequence[Target],
    stop: threading.Event,
    tell: Callable[[str], None],
    *,
    every: float = EVERY,
) -> None:
    """Deliver to every sink whatever comes, until ``stop``. Told is what changes."""

    def work(_: int, target: Target) -> None:
        before: str | None = None
        seen: object = None
        while not stop.is_set():
            now = _stamp(target.log)
            if now != seen or before is not None:
                outcome = target.deliver(is_over=stop.is_set)
                seen = now if outcome.state is State.DONE else None
                before = _told(target.name, outcome, before, tell)
            stop.wait(every)

    _each(targets, work, stop)


def _told(
    name: str, outcome: Outcome, before: str | None, tell: Callable[[str], None]
) -> str | None:
    """Tell of a failure when it begins or changes, and of its end; give the one in force."""
    if outcome.state is State.FAILED:
        if outcome.reason != before:
            tell(f"{name}: {outcome.reason}")
        return outcome.reason
    if outcome.state is State.DONE and before is not None:
        tell(f"{name}: delivered again.")
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
