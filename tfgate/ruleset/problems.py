"""Finds the line on which a key of a TOML document stands, which tomli does not say.

This is a scanner, not a parser: it is only run over text that tomli has accepted, and only where
there is a mistake to report. Where it loses its way, the line of the nearest key above is given.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING

from tfgate.errors import Problem
from tfgate.model.text import late

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_TOKEN = late(
    r"""
      (?P<skip>[ \t]+ | \#[^\n]*)
    | (?P<newline>\r?\n)
    | (?P<string>
          \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3,5}
        | '{3}(?:[^']|'(?!''))*'{3,5}
        | "(?:[^"\\\n]|\\.)*"
        | '[^'\n]*')
    | (?P<mark>[\[\]{},=.])
    | (?P<bare>[^\s\[\]{},=."'\#]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = late(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


class Lines:
    """The lines of the keys of one TOML text, scanned at the first question."""

    def __init__(self, text: str) -> None:
        self.text = text

    def line_of(self, path: KeyPath) -> int | None:
        """The 1-based line of ``path``, or of the nearest table around it; ``None`` for ()."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return line
        return None

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        scan = _Scan(self.text)
        # Nesting that tomli still takes may be too deep here; what was found until then is good.
        with contextlib.suppress(RecursionError):
            scan.run()
        return scan.found


def string_tokens(text: str) -> dict[KeyPath, tuple[int, str]]:
    """Return the strings of a TOML text by their keys: where each begins, and how it is written."""
    scan = _Scan(text)
    with contextlib.suppress(RecursionError):
        scan.run()
    return scan.strings


class _Scan:
    """One pass over the text. ``line`` is the line of the token under the cursor."""

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, int] = {}
        self.strings: dict[KeyPath, tuple[int, str]] = {}
        self.arrays: dict[KeyPath, int] = {}
        """Arrays of tables, each with the number of its last element."""
        self.tokens = self._tokens(text)
        self.kind = self.text = ""
        self.line = 1
        self.start = 0
        self.advance()

    def run(self) -> None:
        table: KeyPath = ()
        while self.kind:
            if self.kind == "newline":
                self.advance()
            elif self.text == "[":
                table = self.header()
            else:
                self.pair(table)
                self.rest_of_line()

    def header(self) -> KeyPath:
        """Read ``[a.b]`` or ``[[a.b]]``."""
        line = self.line
        self.advance()
        is_array = self.text == "["
        if is_array:
            self.advance()
        path = self.resolve(self.key(), is_array=is_array)
        self.found.setdefault(path, line)
        self.rest_of_line()
        return path

    def resolve(self, key: KeyPath, *, is_array: bool) -> KeyPath:
        """Put the numbers of the arrays of tables into a header's key."""
        path: KeyPath = ()
        for step in key[:-1] if is_array else key:
            path = (*path, step)
            if path in self.arrays:
                path = (*path, self.arrays[path])
        if not is_array or not key:
            return path
        path = (*path, key[-1])
        self.arrays[path] = self.arrays.get(path, -1) + 1
        self.found.setdefault(path, self.line)
        return (*path, self.arrays[path])

    def pair(self, table: KeyPath) -> None:
        """Read ``key = value``, at the top level or in an inline table."""
        line, key = self.line, self.key()
        for length in range(1, len(key) + 1):
            self.found.setdefault((*table, *key[:length]), line)
        if self.text == "=":
            self.advance()
            self.value((*table, *key))

    def key(self) -> KeyPath:
        steps: list[str] = []
        while self.kind in {"bare", "string"} or self.text == ".":
            if self.kind != "mark":
                steps.append(_unquote(self.text) if self.kind == "string" else self.text)
            self.advance()
        return tuple(steps)

    def value(self, path: KeyPath) -> None:
        if self.text == "[" and self.kind == "mark":
            self.array(path)
        elif self.text == "{" and self.kind == "mark":
            self.inline_table(path)
        else:
            if self.kind == "string":
                self.strings[path] = self.start, self.text
            while self.kind in {"bare", "string", "other"} or self.text == ".":
                self.advance()

    def array(self, path: KeyPath) -> None:
        self.advance()
        number = 0
        while self.kind and self.text != "]":
            if self.kind == "newline" or self.text == ",":
                self.advance()
                continue
            self.found.setdefault((*path, number), self.line)
            before = self.tokens_seen
            self.value((*path, number))
            number += 1
            if before == self.tokens_seen:
                self.advance()
        self.advance()

    def inline_table(self, path: KeyPath) -> None:
        self.advance()
        while self.kind and self.text != "}":
            before = self.tokens_seen
            if self.kind != "newline" and self.text != ",":
                self.pair(path)
            if before == self.tokens_seen:
                self.advance()
        self.advance()

    def rest_of_line(self) -> None:
        while self.kind and self.kind != "newline":
            self.advance()

    def advance(self) -> None:
        self.tokens_seen = getattr(self, "tokens_seen", 0) + 1
        end = ("", "", self.line, self.start)
        self.kind, self.text, self.line, self.start = next(self.tokens, end)

    @staticmethod
    def _tokens(text: str) -> Iterator[tuple[str, str, int, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup or "other", match.group()
            if kind != "skip":
                yield kind, token, line, match.start()
            line += token.count("\n")


def _unquote(token: str) -> str:
    if token.startswith("'"):
        return token.strip("'")
    return _ESCAPE.sub(_unescape, token[1:-1])


def _unescape(match: re.Match[str]) -> str:
    digits = match.group(1) or match.group(2)
    if digits is not None:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 else ""
    return _SHORT.get(match.group(3), match.group(3))


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
    """Return the known name that is spelt most like ``name``, or ``None`` where none is near."""
    folded = {candidate.casefold().replace("_", "-"): candidate for candidate in known}
    wanted = name[:200].casefold().replace("_", "-")
    found = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean "actions"?)``, or all known names where few, or nothing."""
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
        """Return the line of a key; ``None`` where the file's text is not known."""
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
        """Return all mistakes in the file's order; a last line counts those beyond the bound."""
        found = sorted(self.found, key=lambda problem: problem.line or 0)
        if not self.more:
            return found
        return [*found, Problem(self.file, f"{self.more} more mistakes are not listed")]
