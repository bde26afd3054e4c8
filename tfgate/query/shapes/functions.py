"""Shapes of what functions give, and remarks on what they are given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.shapes.env import RemarkKind, element_env, within
from tfgate.query.shapes.facts import path_of
from tfgate.query.shapes.shape import (
    ANY,
    BOOLEAN,
    NUMBERS,
    TEXT,
    Shape,
    list_of,
    union,
)
from tfgate.query.tree import Literal, Reference
from tfgate.query.unparse import unparse
from tfgate.query.values import FALSE, LISTS, NULL, NUMBER, OBJECTS, STRINGS, TRUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.functions.registry import Function
    from tfgate.query.shapes.env import Env
    from tfgate.query.shapes.infer import Walk
    from tfgate.query.tree import Call, Tree

_SAME_TRUTH: Final = {"any": True, "all": True, "none": False}
"""Functions over elements whose being true goes with (or against) that of their expression."""
_SCALARS: Final = NUMBER | STRINGS | FALSE | TRUE


def call(walk: Walk, tree: Call, env: Env) -> Shape:
    """Return what a call comes to."""
    name = tree.name
    function = walk.table.find(name)
    shapes = _arguments(walk, tree, env)
    if function is None:
        return ANY
    for number, (argument, shape) in enumerate(zip(tree.arguments, shapes, strict=True)):
        if not isinstance(argument, Reference) and function.parameters:
            _check(walk, env, function, number, argument, shape)
    _check_pattern(walk, tree, function, shapes)
    if function.scope:
        literals = tuple(part.value for part in tree.arguments if isinstance(part, Literal))
        if len(literals) == len(tree.arguments):
            return walk.names.call(name, literals) or _declared(function)
        return _declared(function)
    if name == "contains" and len(shapes) == 2:
        _take_note(walk, tree, env, shapes)
    result = _RESULTS.get(name)
    return result(walk, tree, shapes) if result else _declared(function)


def _take_note(walk: Walk, tree: Call, env: Env, shapes: list[Shape]) -> None:
    """``contains(['a', 'b'], x)`` compares x."""
    path = path_of(tree.arguments[1])
    element = shapes[0].element
    if path is not None and element is not None:
        walk.compare("in", tree, within(env, path), (shapes[1], element), env)


def _arguments(walk: Walk, tree: Call, env: Env) -> list[Shape]:
    plain = env.plain()
    shapes = [
        ANY if isinstance(part, Reference) else walk.node(part, plain) for part in tree.arguments
    ]
    given = [
        (part, shape)
        for part, shape in zip(tree.arguments, shapes, strict=True)
        if not isinstance(part, Reference)
    ]
    looked_at, among = given[0] if given else (tree, ANY)
    turned = _SAME_TRUTH.get(tree.name)
    polarity = None if turned is None or env.polarity is None else env.polarity is turned
    for number, part in enumerate(tree.arguments):
        if isinstance(part, Reference):
            inside = element_env(env, looked_at, among.element or ANY, {}, polarity)
            shapes[number] = walk.node(part.body, inside)
    return shapes


def _check(
    walk: Walk, env: Env, function: Function, number: int, argument: Tree, shape: Shape
) -> None:
    parameter = function.parameter(number)
    about = {"detail": function.name, "parameter": parameter.types}
    text = within(env, unparse(argument))
    if not shape.mask & parameter.mask:
        kind = RemarkKind.TYPE_RAISES if shape.mask & ~NULL else RemarkKind.NULL_RAISES
        if kind is RemarkKind.TYPE_RAISES or shape.why_null:
            walk.remark(kind, argument, shape, text, **about)
        return
    if shape.mask & NULL & ~parameter.mask and shape.why_null:
        walk.remark(RemarkKind.NULL_RAISES, argument, shape, text, **about)
    wanted, element = parameter.element_mask, shape.element
    if not wanted or element is None or not shape.mask & LISTS or not element.mask & ~NULL:
        return
    if not element.mask & wanted and shape.mask & parameter.mask == shape.mask & LISTS:
        walk.remark(RemarkKind.TYPE_RAISES, argument, shape, text, **about)


def _check_pattern(walk: Walk, tree: Call, function: Function, shapes: list[Shape]) -> None:
    """Try a function's own check of literals on constants that come from elsewhere."""
    if function.check is None:
        return
    for number, shape in enumerate(shapes):
        if isinstance(tree.arguments[number], Literal):
            continue
        for constant in sorted(map(str, shape.constants or shape.samples or ())):
            tried: list[Any] = [NOT_LITERAL] * max(len(shapes), len(function.parameters))
            tried[number] = constant
            complaint = function.check(tuple(tried)) if shape.mask & STRINGS else None
            if complaint:
                walk.remark(RemarkKind.BAD_PATTERN, tree, shape, unparse(tree), detail=complaint)
                break


def _declared(function: Function) -> Shape:
    types = function.returns.split("|")
    elements = [TYPES[name.partition("-")[2]] for name in types if "-" in name]
    if function.return_mask & LISTS and len(elements) == 1:
        return replace(list_of(elements[0]), mask=function.return_mask)
    return Shape(function.return_mask)


TYPES: Final = {"string": TEXT, "number": NUMBERS, "boolean": BOOLEAN, "any": ANY, "object": ANY}


def _contains(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    subject, needle = shapes
    if subject.mask & STRINGS and not subject.mask & (LISTS | ~(STRINGS | LISTS | NULL)):
        if not needle.mask & STRINGS and needle.mask & ~NULL:
            walk.remark(RemarkKind.NEVER_EQUAL, tree, subject, unparse(tree), other=needle)
            return replace(BOOLEAN, mask=FALSE)
        return BOOLEAN
    if subject.mask & STRINGS or subject.element is None:
        return BOOLEAN
    return _member(walk, tree, subject.element, needle)


def _member(walk: Walk, tree: Call, element: Shape, needle: Shape) -> Shape:
    if not element.mask & ~NULL or not needle.mask & ~NULL:
        return BOOLEAN
    if not element.mask & needle.mask:
        walk.remark(RemarkKind.NEVER_EQUAL, tree, element, unparse(tree), other=needle)
        return replace(BOOLEAN, mask=FALSE)
    if element.constants is None or needle.constants is None:
        return BOOLEAN
    if (element.mask | needle.mask) & ~_SCALARS & ~NULL:
        return BOOLEAN
    if not element.constants & needle.constants and not element.mask & needle.mask & NULL:
        walk.remark(RemarkKind.NO_SUCH_WORD, tree, element, unparse(tree), other=needle)
        return replace(BOOLEAN, mask=FALSE)
    return BOOLEAN


def _not_null(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    found = [shape.restricted(~NULL) for shape in shapes]
    certain = any(not shape.mask & NULL for shape in shapes)
    return union(*found) if certain else union(*found).or_null()


def _same(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    kept = shapes[0].restricted(LISTS | STRINGS)
    return replace(kept, least=0, constants=None) if kept.mask else Shape(LISTS | STRINGS)


def _element(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    return (shapes[0].element or ANY).or_null()


def _zip(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    return list_of(list_of(union(*(shape.element or ANY for shape in shapes)), least=len(shapes)))


def _map(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    return list_of(shapes[0])


def _values(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    subject = shapes[0]
    if subject.fields is None:
        return Shape(LISTS)
    rest = [subject.rest] if subject.rest is not None else []
    return list_of(union(*subject.fields.values(), *rest))


def _keys(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    subject = shapes[0]
    if subject.fields is None or subject.rest is not None or subject.mask & ~OBJECTS:
        return list_of(TEXT)
    return list_of(Shape(STRINGS, constants=frozenset(subject.fields)))


def _items(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    return list_of(list_of(ANY, least=2))


def _to_array(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    subject = shapes[0]
    if not subject.mask & ~LISTS:
        return subject
    return subject if not subject.mask else Shape(LISTS)


def _split(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    written = tree.arguments[1]
    empty = not isinstance(written, Literal) or not written.value
    return list_of(TEXT, least=0 if empty else 1)  # ''.split('') has no parts


def _parse_json(walk: Walk, tree: Call, shapes: list[Shape]) -> Shape:
    return ANY


_RESULTS: Final[dict[str, Callable[[Walk, Call, list[Shape]], Shape]]] = {
    "contains": _contains,
    "not_null": _not_null,
    "reverse": _same,
    "sort": _same,
    "sort_by": _same,
    "unique": _same,
    "max_by": _element,
    "min_by": _element,
    "map": _map,
    "zip": _zip,
    "keys": _keys,
    "items": _items,
    "values": _values,
    "to_array": _to_array,
    "parse_json": _parse_json,
    "split": _split,
}
