"""Finds what native-syntax HCL is made of, without reading a single expression.

Three passes, each only as deep as is asked for: ``scan`` finds the blocks at the top of a file,
``scan_body`` the attributes and nested blocks of one body, ``elements`` the elements of one object
or tuple. What HCL's grammar allows is found where HCL would find it; of what it forbids, only that
which loses the place is an error here: `tfgate.hcl.expressions` refuses the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tfgate.hcl.lexical import (
    BLANK,
    ELEMENT,
    IDENTIFIER,
    IN_BRACES,
    IN_BRACES_TO_COMMENT,
    STRING,
    ScanError,
    skip_expression,
    skip_special,
    skip_to,
)

_GAP = r"(?:[ \t\r]|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*"
_NAME = rf"{IDENTIFIER}(?![\w-])"
"""A whole identifier: there is one way to match it, however long the text that fails behind it."""
_HEADER = re.compile(rf"({_NAME}){_GAP}(?:(=)(?![=>])|((?:(?:{STRING}|{_NAME}){_GAP})*)\{{)")
_LABEL = re.compile(rf"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|({STRING})|({IDENTIFIER})")


class Block(NamedTuple):
    """One block: where it stands, and what its header says. Offsets are in characters."""

    kind: str
    labels: tuple[str, ...]
    line: int
    """1-based line of the header."""
    end_line: int
    """1-based line of the closing brace."""
    start: int
    """Offset of the header."""
    opened: int
    """Offset behind the opening brace."""
    closed: int
    """Offset of the closing brace."""


class Element(NamedTuple):
    """An argument of a body, or an element of an object or tuple, and where its value stands."""

    key: str | int
    """Its name, or its number in a tuple."""
    line: int
    """Of the name."""
    end_line: int
    start: int
    """Offset of the value."""
    end: int
    """Offset behind it; a comment or white space before it may still belong to it."""


class Lines:
    """Counts lines on the way through a text: each place is not before the last one asked for."""

    def __init__(self, text: str, position: int = 0, line: int = 1) -> None:
        self._text = text
        self._position = position
        self._line = line

    def at(self, position: int) -> int:
        """Return the line of ``position``."""
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line


class Body(NamedTuple):
    """What stands directly in a body, in the order of the text."""

    attributes: dict[str, Element]
    blocks: list[Block]
    error: ScanError | None = None
    """Where the text stops being HCL; what stood before it was found."""


class Comment(NamedTuple):
    """One comment, with its marks: ``# …``, ``// …`` or ``/* … */``."""

    text: str
    line: int
    end_line: int
    start: int


def scan(text: str) -> Body:
    """Find the blocks (and stray attributes) at the top of a file."""
    return _Scan(text, 0, len(text), 1).run()


def scan_body(text: str, block: Block) -> Body:
    """Find the attributes and blocks that stand directly in ``block``."""
    line = block.line + text.count("\n", block.start, block.opened)
    return _Scan(text, block.opened, block.closed, line).run()


def scan_comments(text: str) -> list[Comment]:
    """Find every comment, and nothing that only looks like one inside a string or heredoc.

    Stops without a word where the text stops being HCL: ``scan`` has said so.
    """
    comments: list[Comment] = []
    position, lines = 0, Lines(text)
    try:
        while True:
            stop = IN_BRACES_TO_COMMENT.match(text, position)
            position = position if stop is None else stop.end()
            if position >= len(text):
                break
            if text[position] in "{}":
                position += 1
                continue
            end = skip_special(text, position)
            if text[position] in "#/":
                line = lines.at(position)
                comments.append(Comment(text[position:end], line, lines.at(end), position))
            position = end
    except ScanError:
        pass
    return comments


class _Scan:
    """One walk over one body."""

    def __init__(self, text: str, start: int, stop: int, line: int) -> None:
        self.text = text
        self.position = start
        self.stop = stop
        self.line_at = Lines(text, start, line).at

    def run(self) -> Body:
        attributes: dict[str, Element] = {}
        blocks: list[Block] = []
        try:
            while self._skip_blank():
                header = _HEADER.match(self.text, self.position, self.stop)
                if header is None:
                    raise ScanError("an argument or a block was expected here", self.position)
                if header.group(2):
                    attribute = self._attribute(header)
                    attributes.setdefault(header.group(1), attribute)
                else:
                    blocks.append(self._block(header))
        except ScanError as error:
            return Body(attributes, blocks, error)
        return Body(attributes, blocks)

    def _skip_blank(self) -> bool:
        """Pass over white space and comments; say whether anything is left."""
        blank = BLANK.match(self.text, self.position, self.stop)
        self.position = self.position if blank is None else blank.end()
        if self.text.startswith("/*", self.position):
            raise ScanError("a comment is opened here and never closed", self.position)
        return self.position < self.stop

    def _attribute(self, header: re.Match[str]) -> Element:
        line = self.line_at(header.start())
        end = min(skip_expression(self.text, header.end()), self.stop)
        self.position = end
        return Element(header.group(1), line, self.line_at(end), header.end(), end)

    def _block(self, header: re.Match[str]) -> Block:
        line = self.line_at(header.start())
        closed = self._closing_brace(header)
        self.position = closed + 1
        labels = _labels(header.group(3)) if header.group(3) else ()
        last = self.line_at(closed)
        return Block(header.group(1), labels, line, last, header.start(), header.end(), closed)

    def _closing_brace(self, header: re.Match[str]) -> int:
        text, position, depth = self.text, header.end(), 1
        while True:
            passed = IN_BRACES.match(text, position, self.stop)
            position = position if passed is None else passed.end()
            if position >= self.stop:
                raise ScanError(
                    f"the {header.group(1)} block is opened here and never closed", header.start()
                )
            character = text[position]
            if character == "}":
                depth -= 1
                if not depth:
                    return position
                position += 1
            elif character == "{":
                depth += 1
                position += 1
            else:
                position = skip_special(text, position)


def _labels(header: str) -> tuple[str, ...]:
    return tuple(
        quoted[1:-1] if quoted else name
        for quoted, name in _LABEL.findall(header)
        if quoted or name
    )


_FOR = re.compile(r"for\b(?![ \t]*[=:])")
_SEPARATOR = re.compile(r"\s*(?:=(?![=>])|:)")
_KEY = re.compile(rf"({STRING})|({IDENTIFIER})|(\d+)")


def elements(text: str, start: int, end: int, line: int) -> list[Element]:
    """Return the elements of the object or tuple that stands at ``text[start:end]``.

    Gives none for every other expression: a ``for``, a call, a reference. ``line`` is that of
    ``start``. A key that is an expression in parentheses has no element here.
    """
    position = _behind_blank(text, start)
    if position >= end or text[position] not in "{[":
        return []
    inside = _behind_blank(text, position + 1)
    if _FOR.match(text, inside):
        return []
    lines = Lines(text, start, line)
    found: list[Element] = []
    try:
        for key, begins, value, behind in _walk(text, inside, end, is_object=text[position] == "{"):
            first = lines.at(begins)
            found.append(Element(key, first, lines.at(behind), value, behind))
    except ScanError:
        return []
    return found


def _behind_blank(text: str, position: int) -> int:
    blank = BLANK.match(text, position)
    return position if blank is None else blank.end()


def _walk(
    text: str, position: int, end: int, *, is_object: bool
) -> Iterator[tuple[str | int, int, int, int]]:
    """Yield key, where it begins, where its value begins, and the offset behind each element."""
    number = 0
    while position < end and text[position] not in "]})":
        begins = position
        key, value = _key(text, begins) if is_object else (number, begins)
        position = skip_to(text, value, ELEMENT, ",\n#" if is_object else ",")
        if key is not None:
            yield key, begins, value, position
            number += 1
        position = _behind_blank(text, position)
        if text.startswith(",", position):
            position = _behind_blank(text, position + 1)
        if position == begins:
            break


def _key(text: str, position: int) -> tuple[str | None, int]:
    """Return a member's key, ``None`` for one that is an expression, and where its value begins."""
    key = _KEY.match(text, position)
    separator = None if key is None else _SEPARATOR.match(text, key.end())
    if key is None or separator is None:
        return None, position
    return key.group(1)[1:-1] if key.group(1) else key.group(), separator.end()
