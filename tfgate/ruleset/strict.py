"""Reads TOML values against tables that say what may stand there, and misses no mistake.

A ``Kind`` is one sort of value: it reads a value (recording each mistake, never raising) and gives
its JSON Schema. A ``Table`` names keys with their kinds. The reader, the published schemas and the
reference pages all come from the same tables. A value that is wrong or missing reads as the key's
default, so that whoever builds on the result can go on and find further mistakes.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from enum import Enum
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from tfgate.model import Frozen
from tfgate.ruleset.problems import show_name, show_path, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.ruleset.problems import KeyPath, Problems

Schema = dict[str, Any]

MAX_DEPTH: Final = 100
"""Steps from a file's top to a value in it."""


class _Invalid:
    """Stands for a value that could not be read; its mistake is recorded."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()


class Kind(Protocol):
    """One sort of value."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        """Return the value in Python, or ``INVALID`` with each mistake recorded in ``problems``."""

    def schema(self) -> Schema:
        """Return the JSON Schema (draft 2020-12) of the value."""


def toml_type(value: object) -> str:
    """Name the type of a parsed value in TOML's words."""
    for types, word in _TYPE_WORDS:
        if isinstance(value, types):
            return word
    return "a value"


_TYPE_WORDS: tuple[tuple[type, str], ...] = (
    (str, "a string"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
    (dt.datetime, "a date-time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
)


def expected(words: str, value: object, at: KeyPath, problems: Problems, hint: str = "") -> Any:
    """Record that something else was expected, and give ``INVALID``."""
    problems.add(f"expected {words}, found {toml_type(value)}{hint}", at)
    return INVALID


class Text(Frozen, frozen=True):
    """A string."""

    words: str = "a string"
    """What the string is, with its article; used where it does not match ``pattern``."""
    pattern: str | None = None
    empty: bool = False
    most: int = 20_000
    """Characters."""
    format: str | None = None
    one_line: bool = False
    """Whether control, bidirectional and other unprintable characters are refused."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if not isinstance(value, str):
            return expected("a string", value, at, problems)
        if not self.empty and not value.strip():
            problems.add("must not be empty", at)
            return INVALID
        if len(value) > self.most:
            problems.add(f"is longer than {self.most:,} characters", at)
            return INVALID
        if self.one_line and not value.isprintable():
            problems.add("must be one line of printable characters", at)
            return INVALID
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            problems.add(f"{show_name(value)} is not {self.words}", at)
            return INVALID
        return value

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if not self.empty:
            schema["minLength"] = 1
        if self.pattern is not None:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.format is not None:
            schema["format"] = self.format
        return schema


class Boolean(Frozen, frozen=True):
    """``true`` or ``false``."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if isinstance(value, bool):
            return value
        hint = " (write it without quotes)" if value in ("true", "false") else ""
        return expected("a boolean", value, at, problems, hint)

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Integer(Frozen, frozen=True):
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return expected("an integer", value, at, problems)
        if not self.least <= value <= self.most:
            problems.add(f"must be from {self.least:,} to {self.most:,}", at)
            return INVALID
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Choice(Frozen, frozen=True):
    """One of an enum's words, read as its member."""

    members: type[Enum]
    other_words: Mapping[str, str] = {}
    """Words that people write by mistake, with the one that is meant."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if not isinstance(value, str):
            return expected("a string", value, at, problems)
        try:
            return self.members(value)
        except ValueError:
            known = [str(member.value) for member in self.members]
        meant = self.other_words.get(value)
        hint = f' (did you mean "{meant}"?)' if meant else suggest(value, known)
        problems.add(f"{show_name(value)} is not one of {', '.join(known)}{hint_once(hint)}", at)
        return INVALID

    def schema(self) -> Schema:
        return {"enum": [str(member.value) for member in self.members]}


def hint_once(hint: str) -> str:
    """Drop a hint that lists all known names: the sentence before it does already."""
    return "" if hint.startswith(" (known") else hint


class ListOf(Frozen, frozen=True):
    """An array, read as a tuple."""

    item: Kind
    least: int = 0
    unique: bool = True
    most: int = 10_000

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if not isinstance(value, list):
            hint = " (write it in brackets)" if isinstance(value, str) else ""
            if isinstance(value, dict) and isinstance(self.item, Table | Elsewhere):
                hint = f" (write its header as [[{show_path(at)}]])"
            return expected("an array", value, at, problems, hint)
        if len(value) < self.least:
            problems.add("must not be empty", at)
            return INVALID
        if len(value) > self.most:
            problems.add(f"has more than {self.most:,} elements", at)
            return INVALID
        read = [self.item.read(item, (*at, i), problems) for i, item in enumerate(value)]
        kept = tuple(item for item in read if item is not INVALID)
        if self.unique:
            _report_repeats(kept, at, problems)
        return kept

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema()}
        if self.least:
            schema["minItems"] = self.least
        if self.unique:
            schema["uniqueItems"] = True
        return schema


def _report_repeats(items: tuple[Any, ...], at: KeyPath, problems: Problems) -> None:
    seen: set[Any] = set()
    for item in items:
        if not isinstance(item, str):
            return
        if item in seen:
            word = item.value if isinstance(item, Enum) else item
            problems.add(f"{show_name(str(word))} is listed twice", at)
        seen.add(item)


class MapOf(Frozen, frozen=True):
    """A table whose keys the author chooses, read as a dict."""

    item: Kind
    key: Text = Text()
    most: int = 10_000

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if not isinstance(value, dict):
            return expected("a table", value, at, problems)
        if len(value) > self.most:
            problems.add(f"has more than {self.most:,} keys", at)
            return INVALID
        result: dict[str, Any] = {}
        for name, item in value.items():
            read = self.item.read(item, (*at, name), problems)
            if self.key.read(name, (*at, name), problems) is not INVALID and read is not INVALID:
                result[name] = read
        return result

    def schema(self) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.item.schema()}
        if self.key.pattern is not None:
            schema["propertyNames"] = {"pattern": f"^(?:{self.key.pattern})$"}
        return schema


class TextOr(Frozen, frozen=True):
    """A text, or a table."""

    text: Text
    table: Kind

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        kind = self.table if isinstance(value, dict) else self.text
        return kind.read(value, at, problems)

    def schema(self) -> Schema:
        return {"anyOf": [self.text.schema(), self.table.schema()]}


class Date(Frozen, frozen=True):
    """A date without a time, as TOML writes it: no quotes."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        hint = " (write it without quotes: 2027-01-31)" if isinstance(value, str) else ""
        hint = " (leave the time out)" if isinstance(value, dt.datetime) else hint
        return expected("a date", value, at, problems, hint)

    def schema(self) -> Schema:
        return {"type": "string", "format": "date"}


class Json(Frozen, frozen=True):
    """Any value that JSON has too: no date, no time, no ``nan`` or ``inf``."""

    table: bool = False
    """Whether it must be a table."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if self.table and not isinstance(value, dict):
            return expected("a table", value, at, problems)
        return value if _is_json(value, at, problems) else INVALID

    def schema(self) -> Schema:
        return {"type": "object"} if self.table else {}


_PLAIN = frozenset({str, int, bool})  # most of what stands in examples: right wherever it stands


def _is_json(value: object, at: KeyPath, problems: Problems) -> bool:
    if len(at) > MAX_DEPTH:
        problems.add("nests arrays or tables too deeply", at[:MAX_DEPTH])
        return False
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        plain = _PLAIN if len(at) < MAX_DEPTH else ()
        # All are read before the answer: every mistake is looked for, not the first one.
        right = [type(item) in plain or _is_json(item, (*at, key), problems) for key, item in items]
        return all(right)
    if isinstance(value, float) and not math.isfinite(value):
        problems.add("nan and inf are not JSON values", at)
        return False
    if isinstance(value, (dt.date, dt.time)):
        problems.add(f"{toml_type(value)} is not a JSON value; write it as a string", at)
        return False
    return True


class Key(Frozen, frozen=True):
    """One key of a table."""

    kind: Kind
    doc: str
    """What it is for, in a sentence or two; shown by editors and on the reference page."""
    required: bool = False
    default: Any = None
    """What it reads as where it is missing or wrong."""


class Table(Frozen, frozen=True, dict=True):
    """A table with known keys, read as a dict that has every one of them."""

    title: str
    """What it is, with its article: ``a rule``."""
    keys: Mapping[str, Key]
    rules: tuple[Schema, ...] = ()
    """Further JSON Schema for what one key alone cannot say."""
    retired: Mapping[str, str] = {}
    """Keys that people write by mistake, with what to do instead."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if not isinstance(value, dict):
            return expected("a table", value, at, problems)
        result = self._defaults.copy()
        for name, item in value.items():
            key = self.keys.get(name)
            if key is None:
                self._unknown(name, at, problems)
            elif (read := key.kind.read(item, (*at, name), problems)) is not INVALID:
                result[name] = read
        for name in self._required:
            if name not in value:
                problems.add(f"{self.title} needs the key {name}", at)
        return result

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {name: key.default for name, key in self.keys.items()}

    @cached_property
    def _required(self) -> list[str]:
        return [name for name, key in self.keys.items() if key.required]

    def _unknown(self, name: str, at: KeyPath, problems: Problems) -> None:
        if name in self.retired:
            problems.add(f"unknown key {show_name(name)}: {self.retired[name]}", (*at, name))
        else:
            problems.unknown_key(name, at, self.keys)

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {name: _described(key) for name, key in self.keys.items()},
            "additionalProperties": False,
        }
        if self._required:
            schema["required"] = list(self._required)
        if self.rules:
            schema["allOf"] = list(self.rules)
        return schema


class Elsewhere(Frozen, frozen=True, dict=True):
    """A table that another module has, which is imported when such a table is read."""

    module: str
    name: str

    @cached_property
    def table(self) -> Table:
        """The table itself."""
        table = getattr(import_module(self.module), self.name)
        assert isinstance(table, Table)
        return table

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        return self.table.read(value, at, problems)

    def schema(self) -> Schema:
        return self.table.schema()


def _described(key: Key) -> Schema:
    schema = {"description": key.doc, **key.kind.schema()}
    if key.default not in (None, "", (), {}) and not key.required:
        schema["default"] = _plain(key.default)
    return schema


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
