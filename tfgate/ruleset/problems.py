"""Collects every mistake of one file, so that one run reports them all."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from tfgate.errors import Problem
from tfgate.model.pattern import late
from tfgate.ruleset.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterable


KeyPath = tuple[str | int, ...]
"""Where a value stands in a TOML document: keys and, for arrays, 0-based numbers."""

MAX_PROBLEMS = 100
"""After this many, one file's further mistakes are only counted: a hostile file has no end."""

_BARE = late(r"[A-Za-z0-9_-]{1,120}\Z")


def show_path(path: KeyPath) -> str:
    """Write ``rules[2].match.actions``; a key that TOML would quote is quoted and escaped."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        text += f"{'.' if text else ''}{show_name(step)}"
    return text


def show_name(name: str) -> str:
    """Write a key as TOML would, shortened, with nothing in it that a terminal would obey."""
    if _BARE.match(name):
        return name
    return json.dumps(name if len(name) <= 120 else f"{name[:117]}...")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that is spelt most like ``name``, or ``None`` where none is near."""
    folded = {candidate.casefold().replace("_", "-"): candidate for candidate in known}
    wanted = name[:200].casefold().replace("_", "-")
    found = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suggest(name: str, known: Iterable[str]) -> str:
    """Give `` (did you mean "actions"?)``, or all known names where few, or nothing."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f' (did you mean "{near}"?)'
    if 0 < len(names) <= 12:
        return f" (known: {', '.join(names)})"
    return ""


class Problems:
    """The mistakes found so far in one file."""

    def __init__(self, file: str, text: str | None = None) -> None:
        self.file = file
        """Path as a user would write it."""
        self.prefix: KeyPath = ()
        """Put before every path that is reported."""
        self.found: list[Problem] = []
        self.more = 0
        """Mistakes beyond ``MAX_PROBLEMS``."""
        self._text = text
        self._lines: Lines | None = None

    def __bool__(self) -> bool:
        """Whether there is any mistake."""
        return bool(self.found)

    def line_of(self, path: KeyPath) -> int | None:
        """Give the line of a key; ``None`` where the file's text is not known."""
        if self._text is None:
            return None
        if self._lines is None:
            self._lines = Lines(self._text)
        return self._lines.line_of(path)

    def add(
        self,
        message: str,
        at: KeyPath = (),
        *,
        line: int | None = None,
        column: int | None = None,
        excerpt: str | None = None,
    ) -> None:
        """Record one mistake at a key; the key's line is looked up unless ``line`` is given."""
        if len(self.found) >= MAX_PROBLEMS:
            self.more += 1
            return
        path = (*self.prefix, *at)
        if line is None:
            line = self.line_of(path)
        key = show_path(path) or None
        self.found.append(Problem(self.file, message, key, line, column, excerpt))

    def unknown_key(self, name: str, at: KeyPath, known: Iterable[str]) -> None:
        """Record a key that the format does not have, with the nearest one that it has."""
        self.add(f"unknown key {show_name(name)}{suggest(name, known)}", (*at, name))

    def done(self) -> list[Problem]:
        """Give all mistakes in the file's order; a last line counts those beyond the bound."""
        found = sorted(self.found, key=lambda problem: problem.line or 0)
        if not self.more:
            return found
        return [*found, Problem(self.file, f"{self.more} more mistakes are not listed")]
