"""``tfgate audit search``: records that match."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tfgate.app.trail import find_trail
from tfgate.app.trail_search import as_json_lines, as_table, find_hits, make_filters
from tfgate.cli.output import tell, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_FILTERS = (
    ("--event", "event", "GLOB", "decision, undecided, apply_started, apply_*, checkpoint, …"),
    ("--id", "decision_id", "GLOB", "Id of the decision."),
    ("--workspace", "workspace", "GLOB", "Workspace."),
    ("--operator", "operator", "GLOB", "Who asked for the apply."),
    ("--decision", "decision", "WORD", "allow or deny."),
    ("--plan", "plan", "HASH", "Beginning of the SHA-256 of the plan file or of its JSON."),
    ("--ruleset", "ruleset", "GLOB", "Ruleset: ID or ID@VERSION."),
    ("--commit", "commit", "HASH", "Beginning of the commit of the configuration or of a ruleset."),
    ("--approver", "approver", "GLOB", "Who approved an override, or a rule that took part."),
    ("--rule", "rule", "GLOB", "Rule that was evaluated."),
    ("--address", "address", "GLOB", "Address that a finding is about."),
    ("--type", "type", "GLOB", "Resource type that a finding is about."),
    ("--control", "control", "GLOB", "FRAMEWORK or FRAMEWORK:CONTROL, as in soc2:CC8.1."),
    ("--outcome", "outcome", "GLOB", "pass, fail, unknown, error or waived."),
    ("--waiver", "waiver", "GLOB", "Rule, owner, ticket or place of a waiver; * for any."),
)  # fmt: skip


def filter_options(command: F) -> F:
    """Add an option for every condition of a search."""
    for option, name, metavar, text in reversed(_FILTERS):
        command = click.option(option, name, metavar=metavar, help=text)(command)
    return command


@click.command(
    "search", epilog="Example: tfgate audit search --workspace 'prod-*' --decision deny --since 7d"
)
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@filter_options
@click.option("--since", metavar="TIME", help="2026-01-31, 2026-01-31T12:00:00Z, or an age: 7d.")
@click.option("--until", metavar="TIME", help="Likewise; a day is meant to its end.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The newest N of them alone.")
@click.option("--json", "as_json", is_flag=True, help="Whole records, as JSON Lines.")
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
def search(
    files: tuple[str, ...],
    since: str | None,
    until: str | None,
    last: int | None,
    as_json: bool,
    config: str | None,
    **given: str | None,
) -> None:
    """Find records, oldest first; all conditions must hold.

    Texts are globs (* and ?). Conditions on findings (rule, address, type, control, outcome,
    waiver) must hold of one and the same finding. Nothing is verified: see tfgate audit verify.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    now = dt.datetime.now(dt.timezone.utc)
    skipped: list[str] = []
    filters = make_filters(given, since=since, until=until, now=now)
    hits = find_hits(trail, filters, last=last, skipped=skipped)
    write_lines((as_json_lines if as_json else as_table)(hits))
    if skipped:
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        tell(
            f"tfgate: {len(skipped)} line(s) that are no record of this version were passed over: "
            f"{', '.join(skipped[:3])}{more}."
        )
