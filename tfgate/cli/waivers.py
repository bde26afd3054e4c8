"""``tfgate waivers``: what is waived, and waivers out of other tools' comments."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.cli.output import write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.waiver_list import ListedWaiver


@click.group()
def waivers() -> None:
    """List waivers, and import skip comments of checkov, tfsec and trivy.

    Example: tfgate waivers list
    """


@waivers.command("list", epilog="Example: tfgate waivers list envs/prod")
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
              help="A ruleset whose rules are known. Default: those of tfgate.toml.")  # fmt: skip
@click.option("--config", metavar="FILE", help="Configuration to use.")
def list_(directory: Path, rulesets: tuple[str, ...], config: str | None) -> None:
    """List every waiver of the configuration, its files and the comments below DIRECTORY.

    Rule, address, owner, last day, where it stands, and whether it holds.
    """
    from tfgate.app.request import Request
    from tfgate.app.waiver_list import list_waivers
    from tfgate.report.neutral import console

    request = Request(
        plan=str(directory),
        env=os.environ,
        cwd=Path.cwd(),
        now=dt.datetime.now(dt.timezone.utc),
        root=directory,
        config=config,
        flags={"gate.rulesets": list(rulesets) or None},
    )
    rows = [tuple(map(console, row)) for row in _rows(list_waivers(request))]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(6)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        write_out("  ".join(cells).rstrip() + "\n")


def _rows(listed: tuple[ListedWaiver, ...]) -> Iterator[tuple[str, str, str, str, str, str]]:
    for one in listed:
        waiver = one.waiver
        if waiver is None:
            yield one.state, "", one.problem, "", "", one.source
        else:
            last = waiver.expires.isoformat()
            yield one.state, waiver.rule, waiver.address, waiver.owner, last, one.source


@waivers.command(
    "import",
    epilog="Example: tfgate waivers import --owner team@acme.example --expires 2027-06-30 "
    "--output waivers/imported.toml",
)
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--owner", required=True, metavar="NAME", help="Who answers for the waivers.")
@click.option("--expires", required=True, type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Last day of those that say no earlier one, as in 2027-06-30.")  # fmt: skip
@click.option("--output", metavar="FILE", help="Where to write them (default: standard output).")
def import_(directory: Path, owner: str, expires: dt.datetime, output: str | None) -> None:
    """Write waivers for the #checkov:skip, #tfsec:ignore and #trivy:ignore comments in DIRECTORY.

    What no rule is known for is listed on standard error. The file counts once tfgate.toml names it
    in gate.waiver_files.
    """
    from tfgate.app.waiver_import import import_waivers
    from tfgate.report.neutral import console

    data_dir = os.environ.get("TF_DATA_DIR")
    found = import_waivers(
        directory,
        Path(data_dir) if data_dir else None,
        owner=owner,
        expires=expires.date(),
        today=dt.datetime.now(dt.timezone.utc).date(),
    )
    if output is None:
        write_out(found.toml())
    else:
        write_file(output, found.toml())
    for sentence in found.left:
        click.echo(console(sentence), err=True)
    click.echo(f"{len(found.waivers)} imported, {len(found.left)} left.", err=True)
