"""Finds the elements of object and tuple expressions, one level at a time."""

from __future__ import annotations

import re
from typing import NamedTuple

from tfgate.hcl.lexical import BLANK, ELEMENT, IDENTIFIER, STRING, ScanError, skip_to

_FOR = re.compile(r"for\b(?![ \t]*[=:])")
_KEY = re.compile(rf"({STRING})|({IDENTIFIER})|(\d+)")


class Element(NamedTuple):
    """One element of an object (``key`` is a string) or a tuple (``key`` is its number)."""

    key: str | int
    line: int
    end_line: int
    start: int
    end: int


def elements(text: str, start: int, end: int, line: int) -> list[Element]:
    """Give the elements of the object or tuple that stands at ``text[start:end]``.

    Gives none for every other expression: a ``for``, a call, a reference. ``line`` is that of
    ``start``. A key that is an expression in parentheses has no element here.
    """
    position = _blank(text, start)
    if position >= end or text[position] not in "{[":
        return []
    inside = _blank(text, position + 1)
    if _FOR.match(text, inside):
        return []
    walk = _Members if text[position] == "{" else _Items
    try:
        return walk(text, inside, end, line + text.count("\n", start, inside)).run()
    except ScanError:
        return []


def _blank(text: str, position: int) -> int:
    blank = BLANK.match(text, position)
    return position if blank is None else blank.end()


class _Walk:
    stops = ","

    def __init__(self, text: str, position: int, end: int, line: int) -> None:
        self.text = text
        self.position = self.counted = position
        self.end = end
        self.line = line

    def run(self) -> list[Element]:
        found: list[Element] = []
        while self.position < self.end and self.text[self.position] not in "]})":
            before = self.position
            element = self.one(len(found))
            if element is not None:
                found.append(element)
            self.position = _blank(self.text, self.position)
            if self.text.startswith(",", self.position):
                self.position = _blank(self.text, self.position + 1)
            if self.position == before:
                break
        return found

    def one(self, number: int) -> Element | None:
        raise NotImplementedError

    def count(self, position: int) -> int:
        self.line += self.text.count("\n", self.counted, position)
        self.counted = position
        return self.line

    def value(self, key: str | int, begins: int, position: int) -> Element:
        line = self.count(begins)
        self.position = skip_to(self.text, position, ELEMENT, self.stops)
        return Element(key, line, self.count(self.position), position, self.position)


class _Items(_Walk):
    def one(self, number: int) -> Element:
        return self.value(number, self.position, self.position)


class _Members(_Walk):
    stops = ",\n#"

    def one(self, number: int) -> Element | None:
        begins = self.position
        key = _KEY.match(self.text, begins)
        separator = None if key is None else _SEPARATOR.match(self.text, key.end())
        if key is None or separator is None:
            self.position = skip_to(self.text, begins, ELEMENT, self.stops)
            return None
        name = key.group(1)[1:-1] if key.group(1) else key.group()
        return self.value(name, begins, separator.end())


_SEPARATOR = re.compile(r"\s*(?:=(?![=>])|:)")
