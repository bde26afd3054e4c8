"""Finds the line on which a key of a TOML document stands, which tomli does not tell.

This is a scanner, not a parser: it is only run over text that tomli has accepted, and only where
there is a mistake to report. Where it loses its way, the line of the nearest key above is given.
"""

from __future__ import annotations

import contextlib
import re
from functools import cached_property
from typing import TYPE_CHECKING

from tfgate.model.pattern import late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.ruleset.problems import KeyPath

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
        """Give the 1-based line of ``path``, or of the nearest table around it; ``None`` for ()."""
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


class _Scan:
    """One pass over the text. ``line`` is the line of the token under the cursor."""

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, int] = {}
        self.arrays: dict[KeyPath, int] = {}
        """Arrays of tables, each with the number of its last element."""
        self.tokens = self._tokens(text)
        self.kind = self.text = ""
        self.line = 1
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
        self.kind, self.text, self.line = next(self.tokens, ("", "", self.line))

    @staticmethod
    def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup or "other", match.group()
            if kind != "skip":
                yield kind, token, line
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
