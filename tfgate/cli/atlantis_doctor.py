"""``tfgate atlantis doctor``."""

from __future__ import annotations

import os

import click

from tfgate.app.atlantis.doctor import Files, examine
from tfgate.app.atlantis.finding import Danger
from tfgate.cli.output import write_lines, write_out
from tfgate.exitcodes import ExitCode
from tfgate.report.neutral import console


@click.command(
    epilog="Example: tfgate atlantis doctor --repos repos.yaml -- atlantis server "
    "--enable-policy-checks"
)
@click.argument("words", nargs=-1, metavar="[-- ATLANTIS SERVER FLAGS...]")
@click.option("--repos", metavar="FILE",
              help="Server-side repository configuration; default: that of the flags.")  # fmt: skip
@click.option("--server", metavar="FILE", help="Settings file of the server, if it has one.")
@click.option("--projects", metavar="FILE", help="A repository's own atlantis.yaml.")
def doctor(
    words: tuple[str, ...], repos: str | None, server: str | None, projects: str | None
) -> int:
    """Find settings of an Atlantis server that let plans through.

    Flags of the server are read from behind --, from its environment (ATLANTIS_...) and from its
    settings file. Exit code 1: a plan that tfgate denies, or never sees, could be applied. Reading
    YAML needs PyYAML: pip install 'tfgate[yaml]'.
    """
    found = examine(Files(repos, server, projects), words, os.environ)
    for one in found:
        head = f"{one.danger}: {one.where}: {one.what} [{one.name}]"
        write_lines([console(head), console(f"    {one.remedy}")])
    opens = sum(one.danger is Danger.OPEN for one in found)
    counted = "Nothing found that lets a plan through." if not opens else (
        f"{opens} of these {'lets' if opens == 1 else 'let'} plans through."
    )  # fmt: skip
    write_out(f"{counted}\n")
    return int(ExitCode.DENIED if opens else ExitCode.ALLOWED)
