"""Read the files of requirements/: what is locked, for which Python and system, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
HASH = re.compile(r"--hash=(\S+)")


@dataclass(frozen=True)
class Locked:
    """One package in one version."""

    name: str
    """Its canonical name."""
    version: str
    requirement: Requirement
    """As it stands there: the version pinned, and a marker where it is not for everybody."""
    hashes: frozenset[str]
    """Of every file of the version, as ``sha256:HEX``."""
    via: tuple[str, ...]
    """Who asked for it: names of packages, ``tfgate`` itself, ``tfgate:GROUP`` for a group."""

    def counts(self, environment: dict[str, str]) -> bool:
        """Say whether it is installed on a Python and a system, given as values of markers."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(environment)


def read_lock(name: str) -> tuple[Locked, ...]:
    """Return what ``requirements/NAME.txt`` lists, in its order."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(_locked(block) for block in re.split(r"\n(?=\w)", text)[1:])


def _locked(block: str) -> Locked:
    head, _, rest = block.partition(" \\\n")
    requirement = Requirement(head)
    (specifier,) = requirement.specifier
    return Locked(
        canonicalize_name(requirement.name),
        specifier.version,
        requirement,
        frozenset(HASH.findall(rest)),
        tuple(_via(rest)),
    )


def _via(rest: str) -> list[str]:
    """Read the comment below the hashes: ``# via click`` or one name a line."""
    lines = [line.strip(" #") for line in rest.splitlines() if line.strip().startswith("#")]
    names = [line.removeprefix("via").strip() for line in lines]
    return [name.replace(" (pyproject.toml", "").replace(")", "") for name in names if name]
