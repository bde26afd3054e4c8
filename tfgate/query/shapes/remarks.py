"""What the walk remarks on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfgate.query.shapes.shape import Shape


class RemarkKind(Enum):
    """Sorts of remarks."""

    UNKNOWN_FIELD = "unknown-field"
    """A field that the object never has: null always."""
    FIELD_OF_LIST = "field-of-list"
    """A field taken of a list: null always."""
    FIELD_OF_SCALAR = "field-of-scalar"
    """A field taken of a string, number or boolean: null always."""
    LIST_EXPECTED = "list-expected"
    """An index, filter, slice, ``[*]`` or ``[]`` on what is no list."""
    OBJECT_EXPECTED = "object-expected"
    """``.*`` on what is no object."""
    NEVER_EQUAL = "never-equal"
    """A comparison of values of types that have none in common."""
    NO_SUCH_WORD = "no-such-word"
    """A comparison with a constant that the other side never is."""
    NOT_ORDERED = "not-ordered"
    """An ordering comparison of what is neither a number nor a string: null always."""
    MIXED_ORDER = "mixed-order"
    """An ordering comparison of a number and a string, which fails."""
    TEXT_ORDER = "text-order"
    """An ordering comparison of strings, with one that is a number or a version."""
    NULL_RAISES = "null-raises"
    """An argument that may be null, to a function that then fails."""
    TYPE_RAISES = "type-raises"
    """An argument that is never of a type that the function takes."""
    BAD_PATTERN = "bad-pattern"
    """A constant that the function refuses."""


Part = tuple["int | None", str]
"""A part of an expression: its 0-based place in the text, where known, and what is there."""


@dataclass(frozen=True)
class Remark:
    """One remark on a part of an expression."""

    kind: RemarkKind
    part: Part
    """What it is about."""
    text: str
    """The same, written from the root where that can be told: ``after.ports[].from``."""
    shape: Shape
    """What was looked at: of `UNKNOWN_FIELD` the object, of `NULL_RAISES` the argument, …"""
    detail: str = ""
    """The field, the function, …"""
    other: Shape | None = None
    """The other side of a comparison."""
    parameter: str = ""
    """Of a function's argument: what it takes."""


@dataclass(frozen=True)
class Read:
    """One field that was read, with what stands there."""

    path: str
    """From the root, as far as that can be told: ``after.ports[].from``."""
    part: Part
    shape: Shape


@dataclass(frozen=True)
class Compared:
    """A comparison or a test for truth of one value, and what it does to the whole.

    ``polarity`` is True where its being true helps the expression to be truthy, False where it
    helps it to be falsy, None where both may be.
    """

    sign: str
    """``==``, ``<``, …, or ``in`` for an element that ``contains`` looks for."""
    position: int | None
    text: str
    path: str
    shape: Shape
    other: Shape
    polarity: bool | None
