"""``tfgate init``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from tfgate.app.starter.places import NEXT, Place
from tfgate.app.starter.write import name_for, starter_files, write_starter
from tfgate.cli.output import write_out
from tfgate.errors import UsageError
from tfgate.report.neutral import console
from tfgate.terraform import detect_operator

_PLACES = ("local", "github", "gitlab", "azure", "atlantis")


@click.command(epilog="Example: tfgate init --for github")
@click.argument(
    "directory", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option("--for", "place", type=click.Choice(_PLACES),
              help="Where the gate will run. Asked for where it is not given.")  # fmt: skip
@click.option("--name", metavar="ID", help="Id of the first ruleset (default: the directory's).")
@click.option("--owner", metavar="EMAIL", help="Who answers for its rules (default: git's user).")
def init(directory: Path, place: str | None, name: str | None, owner: str | None) -> None:
    """Write tfgate.toml, a first ruleset with a test, and what the CI system needs.

    What is there already is never overwritten.
    """
    chosen = Place(place or _ask())
    files = starter_files(directory, chosen, _checked(name or name_for(directory)), _owner(owner))
    kept = []
    for file in write_starter(directory, files):
        if not file.new:
            kept.append(file.path)
        word, note = ("wrote", "") if file.new else ("kept ", "  (it was there already)")
        write_out(f"{word}  {console(file.path)}{note}\n")
    if "tfgate.toml" in kept and "policy/ruleset.toml" not in kept:
        write_out('\nThe rules count once tfgate.toml names them: rulesets = [..., "./policy"]\n')
    write_out(f"\nNext: {NEXT[chosen]}\n")


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageError("Where will the gate run?", hint=f"Give --for {'|'.join(_PLACES)}.")
    answer: str = click.prompt(
        "Where will the gate run?", type=click.Choice(_PLACES), default="local"
    )
    return answer


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", name):
        raise UsageError(
            f"{name!r} is no id of a ruleset.", hint="Use small letters, digits and hyphens."
        )
    return name


def _owner(owner: str | None) -> str:
    if owner is None:
        name = detect_operator(os.environ, None, Path.cwd()).name
        return name if re.fullmatch(r"[\w.+@-]+", name) else "unknown"
    if not re.fullmatch(r"[\w.+@/-]+", owner):
        raise UsageError(f"{owner!r} is no address.", hint="Give --owner team@example.com.")
    return owner
