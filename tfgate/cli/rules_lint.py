"""``tfgate rules lint``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tfgate.app.lint import CHECKS
from tfgate.app.linting import lint as run
from tfgate.cli.output import write_out
from tfgate.exitcodes import ExitCode
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from tfgate.app.lint import LintResult


@click.command(epilog="Example: tfgate rules lint ./policy --schema ./infra")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option(
    "--schema", "schemas", multiple=True, metavar="FILE|DIR",
    help="A provider's schema: what `terraform providers schema -json` printed, an index, or an "
         "initialised directory. Repeatable; counts before the shipped ones.",
)  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CHECK", help="A check to leave out. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@click.option("--checks", is_flag=True, help="List the checks.")
def lint(
    sources: tuple[str, ...],
    config: str | None,
    schemas: tuple[str, ...],
    ignore: tuple[str, ...],
    as_json: bool,
    checks: bool,
) -> int:
    """Check rules against the schemas of providers: names, nesting, types, nulls.

    SOURCE is a folder, a TOML file or tfgate:NAME; without any, the ruleset in this directory, else
    those of tfgate.toml. Exit code 1 says that something was found.
    """
    if checks:
        for name, what in CHECKS.items():
            write_out(f"{name:20} {what}\n")
        return int(ExitCode.ALLOWED)
    result = run(sources, Path.cwd(), os.environ, config=config, schemas=schemas, ignore=ignore)
    write_out(_json(result) if as_json else _text(result))
    return int(ExitCode.DENIED if result.findings else ExitCode.ALLOWED)


def _json(result: LintResult) -> str:
    return msgspec.json.format(msgspec.json.encode(result)).decode() + "\n"


def _text(result: LintResult) -> str:
    lines = [line for finding in result.findings for line in finding.render().split("\n")]
    lines += [f"note: {note}" for note in result.notes]
    rules = f"{result.rules} rule{'' if result.rules == 1 else 's'}"
    count = len(result.findings)
    found = "nothing found" if not count else f"{count} finding{'' if count == 1 else 's'}"
    ignored = f", {result.ignored} ignored" if result.ignored else ""
    return "".join(f"{console(line)}\n" for line in [*lines, f"{rules}: {found}{ignored}"])
