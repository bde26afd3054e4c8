"""Shapes: sets of JSON values, as far as a schema tells them apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tfgate.query.values import (
    ANYTHING,
    FALSE,
    FALSY,
    LISTS,
    NULL,
    NUMBER,
    OBJECTS,
    STRINGS,
    TRUE,
    TRUTHY,
    kinds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMES = (
    (NULL, "null"),
    (FALSE | TRUE, "boolean"),
    (NUMBER, "number"),
    (STRINGS, "string"),
    (LISTS, "list"),
    (OBJECTS, "object"),
)


@dataclass(frozen=True, eq=False)
class Shape:
    """A set of values: of the kinds in ``mask``, with what is known of their parts."""

    mask: int = ANYTHING
    """Kinds, as in `tfgate.query.values`."""
    fields: Mapping[str, Shape] | None = None
    """Of objects: what the fields hold. ``None``: nothing is known of them."""
    rest: Shape | None = None
    """Of objects: what any other field holds (null where it is not there). ``None`` with `fields`:
    there are no others."""
    element: Shape | None = None
    """Of lists: what the elements are. ``None``: nothing is known of them."""
    constants: frozenset[Any] | None = None
    """Strings, numbers and booleans that it may be, where these can be counted."""
    why_null: str | None = None
    """Why it may be null, where that is known for certain to happen."""
    note: Any = None
    """What the document's maker says of it: carried along, not looked into. A list without one was
    computed, and how long it may be is not known."""
    least: int = 0
    """Of lists: the fewest elements there are."""
    samples: frozenset[Any] | None = None
    """Some constants that it may be, among others: the default of a parameter."""
    variants: Callable[[str, Any], Shape | None] | None = None
    """Of objects: the narrower shape once a field is known to hold a constant."""

    @property
    def truth(self) -> bool | None:
        """JMESPath truthiness, ``None`` where members differ."""
        if not self.mask & FALSY:
            return True
        return None if self.mask & TRUTHY else False

    @property
    def words(self) -> str:
        """Names of its types, null left out: ``string or number``."""
        names = [name for bits, name in _NAMES if self.mask & bits and name != "null"]
        return " or ".join(names) or "null"

    def restricted(self, mask: int) -> Shape:
        """Return the members whose kinds are in ``mask``."""
        kept = self.mask & mask
        if kept == self.mask:
            return self
        constants = self.constants
        if constants is not None:
            constants = frozenset(value for value in constants if kinds(value) & kept)
        why = self.why_null if kept & NULL else None
        least = self.least if kept & LISTS else 0
        return replace(self, mask=kept, constants=constants, why_null=why, least=least)

    def or_null(self, why: str | None = None) -> Shape:
        """Return it with null beside it."""
        return replace(self, mask=self.mask | NULL, why_null=self.why_null or why)


ANY = Shape()
"""Every JSON value."""
NOTHING = Shape(0)
NULL_SHAPE = Shape(NULL)
BOOLEAN = Shape(FALSE | TRUE)
NUMBERS = Shape(NUMBER)
TEXT = Shape(STRINGS)


def list_of(element: Shape, *, least: int = 0) -> Shape:
    """Return the shape of a list."""
    return Shape(LISTS, element=element, least=least)


def object_of(fields: Mapping[str, Shape], rest: Shape | None = None) -> Shape:
    """Return the shape of an object that has these fields."""
    return Shape(OBJECTS, fields=fields, rest=rest)


def of_value(value: Any, depth: int = 6) -> Shape:
    """Return the shape of one value, with its parts down to ``depth`` levels."""
    mask = kinds(value)
    if isinstance(value, dict):
        if depth == 0 or len(value) > 200:
            return Shape(mask)
        return Shape(mask, {key: of_value(part, depth - 1) for key, part in value.items()})
    if isinstance(value, (list, tuple)):
        if depth == 0 or len(value) > 500:
            return Shape(mask, least=len(value))
        parts = [of_value(part, depth - 1) for part in value]
        return Shape(mask, element=union(*parts) if parts else NOTHING, least=len(parts))
    return Shape(mask, constants=frozenset() if value is None else frozenset({value}))


def union(*shapes: Shape) -> Shape:
    """Return the shape that holds the members of all."""
    made = NOTHING
    for shape in shapes:
        made = _both(made, shape)
    return made


def _both(left: Shape, right: Shape) -> Shape:
    if not left.mask or left is right:
        return right
    if not right.mask:
        return left
    if left.mask == NULL or right.mask == NULL:
        wider, null = (right, left) if left.mask == NULL else (left, right)
        return wider.or_null(null.why_null)
    return Shape(
        mask=left.mask | right.mask,
        **_objects(left, right),
        element=_elements(left, right),
        constants=_constants(left, right),
        why_null=left.why_null or right.why_null,
        note=left.note if left.note is right.note else None,
        least=min(left.least, right.least),
    )


def _constants(left: Shape, right: Shape) -> frozenset[Any] | None:
    if left.constants is None or right.constants is None:
        return None
    together = left.constants | right.constants
    return together if len(together) <= 500 else None


def _elements(left: Shape, right: Shape) -> Shape | None:
    if not left.mask & LISTS:
        return right.element
    if not right.mask & LISTS:
        return left.element
    if left.element is None or right.element is None:
        return None
    return union(left.element, right.element)


def _objects(left: Shape, right: Shape) -> dict[str, Any]:
    if not left.mask & OBJECTS:
        return {"fields": right.fields, "rest": right.rest, "variants": right.variants}
    if not right.mask & OBJECTS:
        return {"fields": left.fields, "rest": left.rest, "variants": left.variants}
    if left.fields is None or right.fields is None:
        return {}
    names = dict.fromkeys([*left.fields, *right.fields])
    rests = [shape.rest for shape in (left, right) if shape.rest is not None]
    fields = {name: union(_part(left, name), _part(right, name)) for name in names}
    return {"fields": fields, "rest": union(*rests) if rests else None}


def _part(shape: Shape, name: str) -> Shape:
    found = (shape.fields or {}).get(name)
    return found if found is not None else shape.rest or NULL_SHAPE
