"""``tfgate audit sql``: questions in SQL."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.app.trail import find_trail
from tfgate.app.trail_sql import ask
from tfgate.cli.output import write_lines


@click.command(
    "sql",
    epilog='Example: tfgate audit sql "SELECT operator, count(*) FROM decisions '
    "WHERE decision = 'deny' GROUP BY ALL\"",
)
@click.argument("query")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE|DIR",
    help="Trail to ask (default: the one in force). Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Each row as a JSON object.")
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
def sql(query: str, files: tuple[str, ...], as_json: bool, config: str | None) -> None:
    """Answer an SQL QUERY with DuckDB (the extra audit), on the trail's files where they lie.

    Views: records (seq, time, event, decision_id, workspace, operator, decision, plan_sha256,
    hash, file, record), decisions (of these), findings (one row for each, with rule, address,
    outcome, controls), applies (begin, end and exit code). record and finding are JSON:
    record->>'input'. Nothing else can be read, and nothing written.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    answer = ask(trail, query)
    write_lines(answer.as_json_lines() if as_json else answer.as_table())
