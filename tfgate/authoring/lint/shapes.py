"""The documents that a rule sees, as shapes: one for each type that its match selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.action import Action
from tfgate.model.rule import Match, Rule, Scope
from tfgate.model.subjects import FIELDS
from tfgate.query.shapes.shape import (
    ANY,
    BOOLEAN,
    NULL_SHAPE,
    NUMBERS,
    TEXT,
    Shape,
    list_of,
    object_of,
)  # fmt: skip
from tfgate.query.values import OBJECTS, STRING
from tfgate.schema.index import (
    COMPUTED,
    DEPRECATED,
    OPTIONAL,
    WRITE_ONLY,
    Attribute,
    Block,
    NestedBlock,
)

if TYPE_CHECKING:
    from tfgate.schema import Block as SchemaBlock
    from tfgate.schema import Catalog


IS_OPTIONAL: Final = "it is optional"
NO_KEY: Final = "the map may have no such key"
LEFT_OUT: Final = "the object may leave it out"
NO_BLOCK: Final = "the block may not be there"

_PLAIN: Final = {"string": TEXT, "number": NUMBERS, "bool": BOOLEAN, "boolean": BOOLEAN}


class Note(NamedTuple):
    """What a shape carries of the schema."""

    flags: int = 0
    is_block: bool = False

    def has(self, flag: int) -> bool:
        """Return whether a flag of `tfgate.schema.index` is set."""
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


def nested_shape(nested: NestedBlock) -> Shape:
    """Return the shape of what stands under a block's name."""
    inner = object_of(Fields(nested.block))
    note = Note(DEPRECATED if nested.block.deprecated else 0, is_block=True)
    if nested.mode in {"single", "group"}:
        shape = inner if nested.least else inner.or_null(NO_BLOCK)
    elif nested.mode == "map":
        shape = object_of({}, inner.or_null(NO_KEY))
    else:
        shape = list_of(inner, least=nested.least)
    return replace(shape, note=note)


def attribute_shape(attribute: Attribute) -> Shape:
    """Return the shape of an attribute's value in a plan."""
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
    """Return the shape of a type constraint."""
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


_OF_CHANGES: Final = (Scope.RESOURCE, Scope.DRIFT)
_WORDS: Final = {Action.REPLACE: ("create", "delete", "forget")}
"""How an action is spelt in ``actions``, where by other words than its own."""
_NO_AFTER: Final = frozenset({Action.DELETE, Action.FORGET})
_NO_BEFORE: Final = frozenset({Action.CREATE, Action.READ})
A_TYPE: Final = Note()
"""Note of the shape of a resource type's name."""
_COUNTED: Final = (*(action.value for action in Action), "import", "move", "drift", "deferred")


class Root(NamedTuple):
    """A document that a rule may see."""

    shape: Shape
    type: str = ""
    """The resource type, where the schema knows it."""
    block: SchemaBlock | None = None
    named: bool = False
    """Whether the match names the type in full."""


@dataclass
class Selection:
    """What a rule's match selects."""

    roots: list[Root] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Globs that fit no type of a provider that is known."""
    unchecked: list[str] = field(default_factory=list)
    """Globs over types of providers that are not known."""


def select(rule: Rule, catalog: Catalog) -> Selection:
    """Return the documents that a rule may see."""
    if rule.scope not in _OF_CHANGES:
        return Selection([Root(_other_root(rule.scope, catalog))])
    selection = Selection()
    for data in sorted({mode == "data" for mode in rule.match.modes}):
        _select(rule, catalog, data, selection)
    if selection.unchecked or not selection.roots:
        selection.roots.append(Root(change_shape(rule.match, rule.scope)))
    known_elsewhere = [root.type for root in selection.roots]
    selection.unknown = [glob for glob in selection.unknown if glob not in known_elsewhere]
    return selection


def _select(rule: Rule, catalog: Catalog, data: bool, selection: Selection) -> None:
    match = rule.match
    if not match.types and not match.providers:
        return
    if not match.types:
        found = catalog.matching((), match.providers, data=data)
        selection.roots += [_root(kind, False, rule, catalog, data) for kind in found]
        return
    for glob in match.types:
        found = catalog.matching((glob,), match.providers, data=data)
        named = found == [glob]
        selection.roots += [_root(kind, named, rule, catalog, data) for kind in found]
        if found:
            continue
        known = catalog.index_of(glob) is not None or catalog.nearest(glob, data=data) is not None
        (selection.unknown if known else selection.unchecked).append(glob)


def _root(kind: str, named: bool, rule: Rule, catalog: Catalog, data: bool) -> Root:
    block = catalog.get(kind, data=data)
    return Root(change_shape(rule.match, rule.scope, kind, block), kind, block, named)


def change_shape(
    match: Match | None, scope: Scope, kind: str = "", block: SchemaBlock | None = None
) -> Shape:
    """Return the document of a change, of a known type or any."""
    asked = actions = frozenset(match.actions if match and match.actions else Action)
    spelt = {word for action in actions for word in _WORDS.get(action, (action.value,))}
    if actions & {Action.CREATE, Action.UPDATE}:  # with evaluate = "all"
        actions |= {Action.NO_OP}
        spelt |= {"no-op"}
    values = Shape(OBJECTS) if block is None else _made(block)
    known = {
        "type": words([kind]) if kind else replace(TEXT, note=A_TYPE),
        "mode": words(match.modes if match else ("managed", "data")),
        "action": words(action.value for action in actions),
        "actions": list_of(words(spelt), least=1),
        "config": _config(block),
        "before": _side(values, asked, _NO_BEFORE),
        "after": _side(values, asked, _NO_AFTER),
    }
    return object_of({**declared_fields(scope), **known})


def declared_fields(scope: Scope, catalog: Catalog | None = None) -> dict[str, Shape]:
    """Return the shape of each field of a scope's root, as far as its declared type says it."""
    return {name: _declared(field.type, catalog) for name, field in FIELDS[scope].items()}


def _declared(kind: str, catalog: Catalog | None) -> Shape:
    if kind.endswith("?"):
        return _declared(kind[:-1], catalog).or_null()
    outer, _, inner = kind.removesuffix(")").partition("(")
    if outer == "list":
        return list_of(_declared(inner, catalog))
    if outer == "map":
        return object_of({}, _declared(inner, catalog).or_null(NO_KEY))
    if outer == Scope.RESOURCE and catalog is not None:
        return generic_change(catalog)
    return _PLAIN.get(outer, ANY)


def _config(block: SchemaBlock | None) -> Shape:
    """Return the block in the plan's configuration: an argument is there where it is written."""
    if block is None:
        return ANY
    arguments = dict.fromkeys(block.names, ANY)
    known = {"expressions": object_of(arguments).or_null(), "provisioners": list_of(ANY).or_null()}
    return object_of(known, ANY).or_null()


_SHAPES: dict[int, tuple[Any, Shape]] = {}  # by identity; the block is kept with it


def _made(block: SchemaBlock) -> Shape:
    held = _SHAPES.get(id(block))
    if held is None or held[0] is not block:
        held = _SHAPES[id(block)] = (block, object_of(Fields(block)))
    return held[1]


def _side(values: Shape, actions: frozenset[Action], without: frozenset[Action]) -> Shape:
    if not actions - without:
        return NULL_SHAPE
    return values.or_null() if actions & without else values


def words(known: Iterable[str]) -> Shape:
    """Return the shape of a string that is one of some words."""
    return Shape(STRING, constants=frozenset(known))


def _other_root(scope: Scope, catalog: Catalog) -> Shape:
    known: dict[str, Shape] = {}
    if scope is Scope.PLAN:
        known["counts"] = object_of(dict.fromkeys(_COUNTED, NUMBERS))
    elif scope is Scope.OUTPUT:
        known["action"] = words(action.value for action in Action)
    return object_of({**declared_fields(scope, catalog), **known})


def linked(change: Shape) -> Shape:
    """Return what `references` and `referenced_by` give of a change: `certain` is beside it."""
    narrower = change.variants

    def of(name: str, constant: Any) -> Shape | None:
        shape = None if narrower is None else narrower(name, constant)
        return None if shape is None else linked(shape)

    fields = {**(change.fields or {}), "certain": BOOLEAN}
    fields.pop("module_variables", None)
    return replace(change, fields=fields, variants=None if narrower is None else of)


def generic_change(catalog: Catalog) -> Shape:
    """Return the document of any change; it becomes that of a type once the type is known."""

    def narrower(name: str, constant: Any) -> Shape | None:
        if name != "type" or not isinstance(constant, str):
            return None
        block = catalog.get(constant) or catalog.get(constant, data=True)
        return None if block is None else change_shape(None, Scope.RESOURCE, constant, block)

    return replace(change_shape(None, Scope.RESOURCE), variants=narrower)
