"""Write the files to begin with; what is there already stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate._version import __version__
from tfgate.app.starter.places import FILES, Place
from tfgate.app.starter.policy import CONFIG, RULE, RULESET, SERVER_CONFIG
from tfgate.errors import TfgateError
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROVIDERS = {"aws": re.compile(r'hashicorp/aws|^\s*(?:resource|data)\s+"aws_', re.MULTILINE)}
_MOST_FILES = 200
_MOST_BYTES = 256 * 1024
"""Looked at of each file to tell which provider is used."""


@dataclass(frozen=True)
class Written:
    """One file."""

    path: str
    """Relative to the directory."""
    new: bool
    """False: it was there, and stays as it is."""


def starter_files(directory: Path, place: Place, name: str, owner: str) -> dict[str, str]:
    """Give every file by its path relative to ``directory``."""
    rulesets = ["tfgate:core", *_shipped_for(directory), "./policy"]
    listed = ", ".join(f'"{ruleset}"' for ruleset in rulesets)
    config = SERVER_CONFIG if place is Place.ATLANTIS else CONFIG
    prefix = re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:20].strip("-")
    files = {
        "tfgate.toml": config.format(rulesets=listed),
        "policy/ruleset.toml": RULESET.format(name=name, owner=owner),
        "policy/rules/deletions.toml": RULE.format(prefix=prefix),
    }
    if (own := FILES[place]) is not None:
        path, text = own
        files[path] = text.replace("{version}", __version__)
    return files


def write_starter(directory: Path, files: dict[str, str]) -> Iterator[Written]:
    """Write what is not there yet; give each file as it is done.

    Raises ``TfgateError`` where one cannot be written.
    """
    for name, text in files.items():
        yield Written(name, _write_new(directory / name, text))


def _write_new(path: Path, text: str) -> bool:
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


def name_for(directory: Path) -> str:
    """Make a ruleset id out of a directory's name."""
    words = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")
    return words[:40].strip("-") if words[:1].isalpha() else "own"


def _shipped_for(directory: Path) -> list[str]:
    """Name the shipped rulesets for the providers that the configuration uses."""
    texts = [_beginning(path) for path in sorted(directory.glob("*.tf"))[:_MOST_FILES]]
    return [
        f"tfgate:{name}"
        for name, sign in _PROVIDERS.items()
        if any(sign.search(text) for text in texts)
    ]


def _beginning(path: Path) -> str:
    try:
        with open_file(path) as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
