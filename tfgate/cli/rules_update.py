"""``tfgate rules update``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.rule_update import update_rulesets
from tfgate.cli.output import write_out
from tfgate.cli.rule_diffs import diff_lines
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.rule_update import Update


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
