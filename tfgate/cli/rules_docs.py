"""``tfgate rules docs``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.app.rule_docs import write_docs
from tfgate.app.rule_sources import load_sources
from tfgate.cli.output import write_out
from tfgate.exitcodes import ExitCode
from tfgate.report.neutral import console


@click.command(epilog="Example: tfgate rules docs ./policy --out docs/rules")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--out", required=True, metavar="DIR", help="Folder that the pages are written to.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 where a page is stale.")
@click.option("--config", metavar="FILE", help="Configuration to use.")
def docs(sources: tuple[str, ...], out: str, check: bool, config: str | None) -> int:
    """Write a page for each rule, an index for each ruleset, and a matrix of controls.

    SOURCE is as in tfgate rules test.
    """
    rulesets = load_sources(sources, Path.cwd(), os.environ, config=config)
    drift = write_docs(rulesets, Path(out), check=check)
    for name in drift.stale:
        write_out(f"{console(f'{out}/{name}')}{' is out of date' if check else ''}\n")
    for name in drift.left_over:
        removed = "" if check else ", and is removed"
        write_out(f"{console(f'{out}/{name}')} is of no rule{removed}\n")
    return int(ExitCode.DENIED if check and drift else ExitCode.ALLOWED)
