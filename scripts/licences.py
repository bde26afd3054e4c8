#!/usr/bin/env python3
"""Keep the list of licences of what tfgate runs with: requirements/licences.toml, and its page.

scripts/licences.py           follow requirements/all.txt, with what is installed here
scripts/licences.py --check   say what is not as it should be, and fail

What a package declares of itself is taken down; where that leaves it open ("BSD License"), a person
reads its licence and writes it under [read]. A licence that is neither under allowed nor under
[conditions] fails: somebody has to decide.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING, Any, cast

import tomli
from lockfile import FOLDER, Locked, read_lock
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = FOLDER / "licences.toml"
ROOT = FOLDER.parent
PAGE = ROOT / "docs" / "third-party.md"
NAMES = {
    "Apache 2": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Names in use that mean one licence and no other."""

INTRODUCTION = (
    "What tfgate runs with. Nothing of it is in tfgate's own wheel: it is installed beside it, as"
    " locked in `requirements/all.txt`. A licence that is not listed here fails the tests until"
    " somebody has decided about it. `scripts/sbom` writes the same as a bill of materials, with"
    " hashes."
)


class Licences:
    """The list: what is allowed, and what each package is under."""

    def __init__(self, path: Path = LIST) -> None:
        found: dict[str, Any] = tomli.loads(path.read_text(encoding="utf-8"))
        self.allowed: list[str] = found["allowed"]
        self.conditions: dict[str, str] = found["conditions"]
        """Licences that are allowed because of what is said there."""
        self.read: dict[str, str] = found["read"]
        """What a person read, of packages that do not declare it in a way a program can read."""
        self.declared: dict[str, str] = found["declared"]

    def licence(self, name: str) -> str | None:
        """Return a package's licence as an SPDX expression; ``None`` where nothing is known."""
        return self.read.get(name) or self.declared.get(name)

    def permits(self, expression: str) -> bool:
        """Say whether one side of each OR is allowed whole. Brackets are not understood: no."""
        known = {*self.allowed, *self.conditions}
        sides = expression.split(" OR ")
        return any(all(one in known for one in side.split(" AND ")) for side in sides)

    def problem(self, name: str) -> str | None:
        """Say what stands against a package, in a sentence; ``None`` when nothing does."""
        licence = self.licence(name)
        if licence is None:
            return (
                f"The licence of {name} is not known: install it and run scripts/licences.py, or"
                f" read its licence and write it under [read] of requirements/{LIST.name}."
            )
        if not self.permits(licence):
            return (
                f"{name} is under {licence}, which nobody has allowed: do without it, or decide and"
                f" write the licence into requirements/{LIST.name}."
            )
        return None


def declared_licence(name: str) -> str | None:
    """Return what an installed package declares; ``None`` if that names no one licence.

    Errors: ``PackageNotFoundError`` where it is not installed.
    """
    found = metadata(name)
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in found.get_all("Classifier") or []
        if text.startswith("License ::") and text.count("::") > 1
    ]
    fields = [name for name in ("License-Expression", "License") if name in found]
    texts = [*(found[name] for name in fields), *classifiers[:1]]
    if len(classifiers) > 1 and "License-Expression" not in fields:
        return None
    return next((spdx for text in texts if (spdx := _spdx(text))), None)


def _spdx(text: str) -> str | None:
    try:
        return canonicalize_license_expression(NAMES.get(text, text))
    except InvalidLicenseExpression:
        return None


def main() -> int:
    """Write or check; says each thing that is wrong."""
    check = sys.argv[1:] == ["--check"]
    licences, locked = Licences(), read_lock("all")
    names = sorted({one.name for one in locked})
    licences.declared = {
        name: licence
        for name in names
        if name not in licences.read and (licence := _now(name, licences))
    }
    problems = [problem for name in names if (problem := licences.problem(name))]
    idle = [name for name in licences.read if name not in names]
    problems += [f"{name} is under [read], but not locked: take it out." for name in idle]
    for path, text in ((LIST, _listed(licences)), (PAGE, page(licences, locked))):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            if check:
                problems.append(f"{path.relative_to(ROOT)} is out of date: run scripts/licences.py")
            else:
                path.write_text(text, encoding="utf-8")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def _now(name: str, licences: Licences) -> str | None:
    try:
        return declared_licence(name)
    except PackageNotFoundError:  # locked for another Python or system
        return licences.declared.get(name)


def _listed(licences: Licences) -> str:
    """Return the list with its last table anew; what people wrote above it stays."""
    head, _, _ = LIST.read_text(encoding="utf-8").partition("[declared]\n")
    lines = [f'{name} = "{licence}"' for name, licence in licences.declared.items()]
    return "\n".join([f"{head}[declared]", *lines, ""])


def page(licences: Licences, locked: tuple[Locked, ...]) -> str:
    """Return the page of third-party licences."""
    lines = [
        "<!-- Made by scripts/licences.py: run it again. -->",
        "",
        "# Third-party licences",
        "",
        INTRODUCTION,
        "",
        "| package | version | licence | needed by |",
        "| --- | --- | --- | --- |",
    ]
    for name in sorted({one.name for one in locked}):
        entries = [one for one in locked if one.name == name]
        versions = ", ".join(sorted({one.version for one in entries}))
        needed = ", ".join(_needed(name, entries))
        lines.append(f"| {name} | {versions} | {licences.licence(name)} | {needed} |")
    lines += ["", "Allowed because of what is said here:", ""]
    lines += [f"- {licence}: {reason}" for licence, reason in licences.conditions.items()]
    return "\n".join([*lines, ""])


def _needed(name: str, entries: list[Locked]) -> Iterator[str]:
    """Say who needs a package: tfgate itself, an extra of it, or other packages."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = {"tfgate": project["dependencies"], **project["optional-dependencies"]}
    for part, texts in cast("dict[str, list[str]]", parts).items():
        if name in {canonicalize_name(Requirement(text).name) for text in texts}:
            yield part if part == "tfgate" else f"extra {part}"
    yield from sorted({who for one in entries for who in one.via} - {"tfgate"})


if __name__ == "__main__":
    sys.exit(main())
