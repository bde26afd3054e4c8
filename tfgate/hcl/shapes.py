"""The shape of a block's values: what kind of expression stands where, and nothing of what it says.

Shapes are what the parser gives and what the cache keeps. They hold offsets into the file's text
alone, so that no literal, which may be a secret, is ever written anywhere; the values are read from
the text when they are asked for. Spans include quotes and heredoc marks.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Offset = Annotated[int, msgspec.Meta(ge=0)]


class Text(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A quoted string or heredoc, with template sequences or without."""

    start: Offset
    end: Offset


class Number(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A number, with its sign."""

    start: Offset
    end: Offset


class Word(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """``true``, ``false`` or ``null``; the name of an argument, a block or a member."""

    start: Offset
    end: Offset


class Items(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """A tuple."""

    items: list[Node]


class Members(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """An object: key (`Word`, `Text`, `Number` or `Code`) and value of each member."""

    start: Offset
    end: Offset
    members: list[tuple[Node, Node]]


class Code(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """Any other expression: a reference, a call, an operation, a ``for``."""

    start: Offset
    end: Offset


Node = Text | Number | Word | Items | Members | Code


class Body(msgspec.Struct, frozen=True, array_like=True):
    """Arguments (name, expression) and nested blocks of a body."""

    arguments: list[tuple[Word, Node]]
    blocks: list[Nested]


class Nested(msgspec.Struct, frozen=True, array_like=True):
    """A nested block: kind, labels (`Word` or `Text`) and body."""

    kind: Word
    labels: list[Node]
    body: Body


class Failure(msgspec.Struct, frozen=True):
    """Why a block has no values: a sentence that shows nothing of the source, and the line."""

    message: str
    line: int


class FileShapes(msgspec.Struct, frozen=True):
    """The shapes of a file's blocks, by the offset each begins at."""

    bodies: dict[int, Body]
    failures: dict[int, Failure]
