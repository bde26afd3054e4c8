"""A provider's types as shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.shapes.shape import (
    ANY,
    BOOLEAN,
    NULL_SHAPE,
    NUMBERS,
    TEXT,
    Shape,
    list_of,
    object_of,
)
from tfgate.schema.types import COMPUTED, DEPRECATED, OPTIONAL, WRITE_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.schema.types import Attribute, Block, NestedBlock

IS_OPTIONAL: Final = "it is optional"
NO_KEY: Final = "the map may have no such key"
LEFT_OUT: Final = "the object may leave it out"
NO_BLOCK: Final = "the block may not be there"

_PLAIN: Final = {"string": TEXT, "number": NUMBERS, "bool": BOOLEAN, "dynamic": ANY}


@dataclass(frozen=True)
class Note:
    """What a shape carries of the schema."""

    flags: int = 0
    is_block: bool = False

    def has(self, flag: int) -> bool:
        """Tell whether a flag of `tfgate.schema.types` is set."""
        return bool(self.flags & flag)


class Fields(Mapping[str, Shape]):
    """The fields of a block, each made a shape when it is looked at."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._made: dict[str, Shape] = {}

    def __getitem__(self, name: str) -> Shape:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._block.attributes
        yield from self._block.blocks

    def __len__(self) -> int:
        return len(self._block.attributes) + len(self._block.blocks)

    def __contains__(self, name: object) -> bool:
        return name in self._block.attributes or name in self._block.blocks

    def _make(self, name: str) -> Shape:
        attribute = self._block.attributes.get(name)
        if attribute is not None:
            return attribute_shape(attribute)
        return nested_shape(self._block.blocks[name])


def block_shape(block: Block) -> Shape:
    """Give the shape of a resource, a data source or a block."""
    return object_of(Fields(block))


def nested_shape(nested: NestedBlock) -> Shape:
    """Give the shape of what stands under a block's name."""
    inner = block_shape(nested.block)
    note = Note(DEPRECATED if nested.block.deprecated else 0, is_block=True)
    if nested.mode in {"single", "group"}:
        shape = inner if nested.least else inner.or_null(NO_BLOCK)
    elif nested.mode == "map":
        shape = object_of({}, inner.or_null(NO_KEY))
    else:
        shape = list_of(inner, least=nested.least)
    return replace(shape, note=note)


def attribute_shape(attribute: Attribute) -> Shape:
    """Give the shape of an attribute's value in a plan."""
    note = Note(attribute.flags)
    if attribute.has(WRITE_ONLY):
        return replace(NULL_SHAPE, note=note)
    nested = attribute.nested
    shape = type_shape(attribute.type) if nested is None else _nested_attributes(*nested)
    if attribute.has(OPTIONAL):
        shape = shape.or_null(IS_OPTIONAL)
    elif attribute.has(COMPUTED):
        shape = shape.or_null()
    return replace(shape, note=note)


def _nested_attributes(mode: str, attributes: dict[str, Attribute]) -> Shape:
    inner = object_of({name: attribute_shape(part) for name, part in attributes.items()})
    if mode == "map":
        return object_of({}, inner.or_null(NO_KEY))
    return inner if mode in {"single", "group"} else list_of(inner)


def type_shape(constraint: Any) -> Shape:
    """Give the shape of a type constraint."""
    if isinstance(constraint, str):
        return _PLAIN.get(constraint, ANY)
    kind, inner = constraint[0], constraint[1]
    if kind == "object":
        return object_of({name: type_shape(t).or_null(LEFT_OUT) for name, t in inner.items()})
    if kind == "map":
        return object_of({}, type_shape(inner).or_null(NO_KEY))
    if kind == "tuple":
        return list_of(ANY, least=len(inner))
    return list_of(type_shape(inner))
