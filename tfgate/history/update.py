"""``tfgate rules update``: takes what refs of rulesets in git are now, and says what changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import ConfigError, UsageError
from tfgate.history.changes import RuleDiff, diff_lines, diff_rulesets
from tfgate.report.escape import console
from tfgate.ruleset import GateConfig, Ruleset, load_gate_config
from tfgate.ruleset.loader import load_located
from tfgate.ruleset.remote.lock import Pin, read_lock
from tfgate.ruleset.remote.remote import Remote, Taken
from tfgate.ruleset.sources import GIT_PREFIX, Located


class Update(NamedTuple):
    """One ruleset."""

    source: str
    ruleset: Ruleset
    """As its ref is now."""
    before: Pin | None
    """``None`` where it was not locked."""
    after: Pin
    diff: tuple[RuleDiff, ...] | None = None
    """``None`` where the version before is not to be had, or there was none."""

    @property
    def moved(self) -> bool:
        """Whether the lock says something else now."""
        return self.before != self.after


def update_rulesets(
    cwd: Path,
    env: Mapping[str, str],
    *,
    names: Sequence[str] = (),
    config: str | None = None,
    write: bool = True,
) -> tuple[Update, ...]:
    """Fetch the rulesets in git, those named (by id or source) or all, and move the lock.

    The lock moves for all of them or for none: what cannot be fetched, is not signed where that is
    asked for, or is no ruleset, is an error before it is written. Raises ``ConfigError`` and
    ``UsageError``.
    """
    loaded = load_gate_config(cwd, env, config=config)
    remote = loaded.remote
    pins = read_lock(remote.lock)
    sources = git_sources(loaded)
    found = tuple(
        update for source in sources for update in _update(remote, source, pins.get(source), names)
    )
    if names and len(found) < len(set(names)):
        raise _unknown_name(names, found)
    if write:
        # What the configuration names no more is dropped, unless only some were asked for.
        keep = None if names else frozenset(sources)
        remote.pin({update.source: update.after for update in found}, keep=keep)
    return found


def git_sources(config: GateConfig) -> tuple[str, ...]:
    """Return every ruleset in git that the configuration names, for whatever workspace."""
    named = [source.text for source in config.rulesets]
    named += [text for table in config.workspaces for text in table.rulesets]
    return tuple(dict.fromkeys(text for text in named if text.startswith(GIT_PREFIX)))


def _update(
    remote: Remote, source: str, before: Pin | None, names: Sequence[str]
) -> Iterator[Update]:
    old = None if before is None else _pinned(remote, source)
    if names and source not in names and old is not None and old.id not in names:
        return
    taken = remote.newest(source)
    ruleset = _load(source, taken)
    if names and source not in names and ruleset.id not in names and old is None:
        return
    diff = None if old is None else diff_rulesets(old, ruleset)
    yield Update(source, ruleset, before, taken.pin, diff)


def _pinned(remote: Remote, source: str) -> Ruleset | None:
    """Load the version that is locked, if it can still be had."""
    try:
        return _load(source, remote.pinned(source))
    except ConfigError:
        return None


def _load(source: str, taken: Taken) -> Ruleset:
    located = Located(taken.path, source, taken.pin.commit)
    return load_located(source, located, rule_functions())


def _unknown_name(names: Sequence[str], found: Sequence[Update]) -> UsageError:
    known = {name for update in found for name in (update.source, update.ruleset.id)}
    wrong = next((name for name in names if name not in known), names[0])
    return UsageError(
        f"No ruleset in git that tfgate.toml names is {wrong}.",
        hint="Name it by its id, or by its source as tfgate.toml has it.",
    )


@click.command(epilog="Example: tfgate rules update acme-net --dry-run")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option("--dry-run", is_flag=True, help="Show what would change; leave tfgate.lock alone.")
def update(names: tuple[str, ...], config: str | None, dry_run: bool) -> None:
    """Take what the refs of rulesets in git are now, move tfgate.lock, and show what changed.

    NAME is the id of a ruleset or its source as tfgate.toml has it; without any, all are taken.
    """
    updates = update_rulesets(Path.cwd(), os.environ, names=names, config=config, write=not dry_run)
    if not updates:
        write_out("The configuration names no ruleset in git.\n")

    for one in updates:
        write_out("".join(f"{console(line)}\n" for line in _lines(one)))
    if dry_run and any(one.moved for one in updates):
        write_out("tfgate.lock is as it was (--dry-run)\n")


def _lines(update: Update) -> Iterator[str]:
    after = f"{update.after.commit[:12]} ({update.ruleset.version})"
    yield f"{update.ruleset.id}  {update.source}"
    if not update.moved:
        yield f"  is {after}, as before"
        return
    before = update.before
    yield f"  locked to {after}" if before is None else f"  {before.commit[:12]} → {after}"
    if update.diff is None:
        if before is not None:
            yield "  the version before cannot be had any more, so that nothing can be compared"
        yield f"  {len(update.ruleset.rules)} rules"
        return
    if not update.diff:
        yield "  no rule changed"
    for diff in update.diff:
        yield from diff_lines(diff)
