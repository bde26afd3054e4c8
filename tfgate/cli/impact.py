"""``tfgate impact``: what a change of rules would have done."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.impact_run import run_impact
from tfgate.app.impact_text import impact_text
from tfgate.app.rules_at import RulesPlace
from tfgate.audit.moment import parse_moment
from tfgate.cli.output import write_file, write_out
from tfgate.cli.progress import items_bar

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(
    epilog="Example: tfgate impact --base origin/main --plans archive --since 30d --format markdown"
)
@click.option(
    "--base",
    required=True,
    metavar="REF",
    help="Where the old rules are: a commit, "
    "branch or tag of the checkout here. The new ones are those of the working tree.",
)
@click.option(
    "--plans",
    multiple=True,
    required=True,
    metavar="DIR|FILE|archive",
    help="Plan JSON, a folder of it (also .json.gz, .json.zst), or the archive of the "
    "trail in force. Repeatable.",
)
@click.option(
    "--since", metavar="TIME", help="Of the archive: judged since then (30d, 2026-01-31)."
)
@click.option(
    "--workspace",
    "-w",
    metavar="NAME",
    help="Workspace of the plans in folders (default: the name of a plan's folder).",
)
@click.option(
    "--ruleset",
    "-r",
    "rulesets",
    multiple=True,
    metavar="SOURCE",
    help="A ruleset. Default: those of tfgate.toml, or the one here.",
)
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.option("--output", metavar="FILE", help="Where to write it (default: standard output).")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1),
    metavar="N",
    help="Processes that share the work (default: one per processor).",
)
def impact(
    base: str,
    plans: tuple[str, ...],
    since: str | None,
    workspace: str | None,
    rulesets: tuple[str, ...],
    config: str | None,
    kind: str,
    output: str | None,
    jobs: int | None,
) -> None:
    """Judge recorded plans under the rules of REF and under those here; show what differs.

    Newly denied and newly allowed plans, by rule, workspace and address. Nothing is recorded.
    """
    place = RulesPlace(Path.cwd(), os.environ, config, rulesets)
    write_impact(
        place, base, plans, kind, since=since, workspace=workspace, output=output, jobs=jobs
    )


def write_impact(
    place: RulesPlace,
    base: str,
    plans: Sequence[str],
    kind: str,
    *,
    since: str | None = None,
    workspace: str | None = None,
    output: str | None = None,
    jobs: int | None = None,
) -> None:
    """Judge and write. Raises ``TfgateError``."""
    now = dt.datetime.now(dt.timezone.utc)
    with items_bar("judging", "plans") as progress:
        found = run_impact(
            place,
            base,
            plans,
            now=now,
            since=None if since is None else parse_moment(since, now),
            workspace=workspace,
            workers=jobs,
            progress=progress,
        )
    text = impact_text(found, kind)
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
