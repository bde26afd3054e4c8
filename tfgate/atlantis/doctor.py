"""``tfgate atlantis doctor``: read settings, and list what lets plans through."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click

from tfgate.atlantis.settings import Flags, Item, parse_document, read_document, read_flags
from tfgate.atlantis.traps import Danger, Finding, flag_traps, project_traps, server_traps
from tfgate.command.output import write_lines, write_out
from tfgate.exitcodes import ExitCode
from tfgate.model import Frozen
from tfgate.report.escape import console

_ORDER = {danger: number for number, danger in enumerate(Danger)}


class Files(Frozen, frozen=True):
    """What is to be looked at; ``None`` where it is not given."""

    repos: str | None = None
    """Server-side repository configuration."""
    server: str | None = None
    """Settings file of ``atlantis server``."""
    projects: str | None = None
    """A repository's own ``atlantis.yaml``."""


def examine(files: Files, words: Sequence[str], env: Mapping[str, str]) -> list[Finding]:
    """Return every finding, the worst first. Raises ``UsageError`` for a file that is no YAML."""
    flags = read_flags(words, env, files.server)
    found = [*flag_traps(flags)]
    repos = _repos(files, flags)
    if repos is None:
        found.append(
            Finding(
                Danger.NOTE if files.projects or not flags.known else Danger.OPEN,
                "no-repo-config",
                "atlantis server",
                None,
                "There is no server-side repository configuration to look at.",
                "Name it with --repos FILE; a server without one never runs tfgate.",
            )
        )
    else:
        found += server_traps(repos)
    if files.projects is not None:
        found += project_traps(read_document(files.projects))
    # An entry of repos that inherits a setting has the same trap at the same place.
    once = {(one.name, one.where): one for one in reversed(found)}
    return sorted(once.values(), key=lambda one: (_ORDER[one.danger], one.file, one.line or 0))


def _repos(files: Files, flags: Flags) -> Item | None:
    if files.repos is not None:
        return read_document(files.repos)
    if (inline := flags["repo-config-json"].text) is not None:
        return parse_document(inline, "--repo-config-json")
    named = flags["repo-config"].text
    return None if named is None else read_document(named)


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
