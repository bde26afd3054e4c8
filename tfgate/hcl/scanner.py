"""Finds the blocks and attributes of native-syntax HCL, without reading a single expression.

Two passes, each only as deep as is asked for: ``scan`` finds the blocks at the top of a file,
``scan_body`` the attributes and nested blocks of one body. What HCL's grammar allows is found where
HCL would find it; of what it forbids, only that which loses the place is an error here, since
Terraform itself refuses the rest.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tfgate.hcl.lexical import (
    BLANK,
    IDENTIFIER,
    IN_BRACES,
    IN_BRACES_TO_COMMENT,
    STRING,
    ScanError,
    skip_expression,
    skip_special,
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


class Attribute(NamedTuple):
    """One argument: its name's line and where its expression stands."""

    name: str
    line: int
    end_line: int
    start: int
    """Offset of the expression."""
    end: int
    """Offset behind the expression; a comment or white space before it may still belong to it."""


class Body(NamedTuple):
    """What stands directly in a body, in the order of the text."""

    attributes: dict[str, Attribute]
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
    position, line, counted = 0, 1, 0
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
                line += text.count("\n", counted, position)
                last = line + text.count("\n", position, end)
                comments.append(Comment(text[position:end], line, last, position))
                line, counted = last, end
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
        self.line = line
        self.counted = start

    def run(self) -> Body:
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        try:
            while self._skip_blank():
                header = _HEADER.match(self.text, self.position, self.stop)
                if header is None:
                    raise ScanError("an argument or a block was expected here", self.position)
                if header.group(2):
                    attribute = self._attribute(header)
                    attributes.setdefault(attribute.name, attribute)
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

    def _count(self, position: int) -> int:
        """Give the line of ``position``, which is not before the last one asked for."""
        self.line += self.text.count("\n", self.counted, position)
        self.counted = position
        return self.line

    def _attribute(self, header: re.Match[str]) -> Attribute:
        line = self._count(header.start())
        end = min(skip_expression(self.text, header.end()), self.stop)
        self.position = end
        return Attribute(header.group(1), line, self._count(end), header.end(), end)

    def _block(self, header: re.Match[str]) -> Block:
        line = self._count(header.start())
        closed = self._closing_brace(header)
        self.position = closed + 1
        labels = _labels(header.group(3)) if header.group(3) else ()
        last = self._count(closed)
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
