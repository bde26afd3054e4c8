"""``tfgate init``: write the first configuration, a first ruleset, and what the CI system needs.

The texts are files in ``starter``; ``{name}``, ``{owner}``, ``{prefix}``, ``{rulesets}`` and
``{version}`` in them are filled in.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tfgate._version import __version__
from tfgate.command.output import write_out
from tfgate.errors import TfgateError, UsageError
from tfgate.opening import open_file
from tfgate.report.escape import console
from tfgate.terraform import detect_operator

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(NamedTuple):
    """A place where the gate runs."""

    file: str | None
    """What it needs there besides configuration and rules, by its path in the directory."""
    next: str
    """What a person does after ``tfgate init``."""
    config: str = "tfgate.toml"
    """The starter of ``tfgate.toml``."""


PLACES = {
    "local": Place(None, "terraform plan -out=p.tfplan && tfgate check p.tfplan"),
    "github": Place(".github/workflows/tfgate.yml", "Commit, push, and open a pull request."),
    "gitlab": Place(
        ".gitlab/tfgate.yml", "Include .gitlab/tfgate.yml in .gitlab-ci.yml, and commit."
    ),
    "azure": Place(
        "azure-pipelines-tfgate.yml",
        "Make a pipeline of azure-pipelines-tfgate.yml, and require it.",
    ),
    "atlantis": Place(
        "repos.yaml",
        "Put tfgate.toml and policy/ into /etc/tfgate on the server, start it with "
        "--repo-config=repos.yaml, and run: tfgate atlantis doctor --repos repos.yaml",
        "server.toml",
    ),
}
_PROVIDERS = {"aws": re.compile(r'hashicorp/aws|^\s*(?:resource|data)\s+"aws_', re.MULTILINE)}
_MOST_FILES = 200
_MOST_BYTES = 256 * 1024
"""Read of each file to see which provider is used."""


def starter_files(directory: Path, place: str, name: str, owner: str) -> dict[str, str]:
    """Return the text of every file, by its path relative to ``directory``."""
    rulesets = ["tfgate:core", *_shipped_for(directory), "./policy"]
    values = {
        "rulesets": ", ".join(f'"{ruleset}"' for ruleset in rulesets),
        "prefix": re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:20].strip("-"),
        "name": name,
        "owner": owner,
        "version": __version__,
    }
    starters = {
        "tfgate.toml": PLACES[place].config,
        "policy/ruleset.toml": "ruleset.toml",
        "policy/rules/deletions.toml": "rule.toml",
    }
    if (own := PLACES[place].file) is not None:
        starters[own] = f"{place}.yml"
    return {path: _filled(starter, values) for path, starter in starters.items()}


def _filled(starter: str, values: dict[str, str]) -> str:
    text = (files("tfgate.authoring") / "starter" / starter).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _shipped_for(directory: Path) -> Iterator[str]:
    """Yield the shipped rulesets for the providers that the configuration uses."""
    texts = [_beginning(path) for path in sorted(directory.glob("*.tf"))[:_MOST_FILES]]
    for name, sign in _PROVIDERS.items():
        if any(sign.search(text) for text in texts):
            yield f"tfgate:{name}"


def _beginning(path: Path) -> str:
    try:
        with open_file(path) as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet; return false where it is, and leave it as it is.

    Raises ``TfgateError`` where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:  # follows no link either
            file.write(text)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise TfgateError(f"{path.parent} is there, and is no folder.") from None
    except OSError as error:
        raise TfgateError(f"{path} cannot be written: {error.strerror}.") from None
    return True


@click.command(epilog="Example: tfgate init --for github")
@click.argument(
    "directory", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option("--for", "place", type=click.Choice(list(PLACES)),
              help="Where the gate will run. Asked for where it is not given.")  # fmt: skip
@click.option("--name", metavar="ID", help="Id of the first ruleset (default: the directory's).")
@click.option("--owner", metavar="EMAIL", help="Who answers for its rules (default: git's user).")
def init(directory: Path, place: str | None, name: str | None, owner: str | None) -> None:
    """Write tfgate.toml, a first ruleset with a test, and what the CI system needs.

    A file that exists is never overwritten.
    """
    place = place or _ask()
    kept = []
    for path, text in starter_files(directory, place, _id(name, directory), _owner(owner)).items():
        is_new = write_new(directory / path, text)
        if not is_new:
            kept.append(path)
        word, note = ("wrote", "") if is_new else ("kept ", "  (it was there already)")
        write_out(f"{word}  {console(path)}{note}\n")
    if "tfgate.toml" in kept and "policy/ruleset.toml" not in kept:
        write_out('\nThe rules count once tfgate.toml names them: rulesets = [..., "./policy"]\n')
    write_out(f"\nNext: {PLACES[place].next}\n")


def _ask() -> str:
    question = "Where will the gate run?"
    if not sys.stdin.isatty():
        raise UsageError(question, hint=f"Name it with --for {'|'.join(PLACES)}.")
    answer: str = click.prompt(question, type=click.Choice(list(PLACES)), default="local")
    return answer


def _id(name: str | None, directory: Path) -> str:
    """Check the id of the ruleset, or make one out of the directory's name."""
    if not name:
        words = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")
        return words[:40].strip("-") if words[:1].isalpha() else "own"
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
        raise UsageError(f"{owner!r} is no address.", hint="Use --owner team@example.com.")
    return owner
