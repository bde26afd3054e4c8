"""Shapes of what takes lists and objects apart: index, slice, filter, ``[*]``, ``[]``, ``.*``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tfgate.query.shapes.env import RemarkKind, element_env, variant, within
from tfgate.query.shapes.shape import ANY, NULL_SHAPE, Shape, list_of, union
from tfgate.query.tree import FilterProjection, Identity, Index, MultiSelectList, Tree
from tfgate.query.unparse import unparse
from tfgate.query.values import LISTS, NULL, OBJECTS

if TYPE_CHECKING:
    from tfgate.query.shapes.env import Env
    from tfgate.query.shapes.facts import Facts
    from tfgate.query.shapes.infer import Walk
    from tfgate.query.tree import Flatten, Projection, Slice, ValueProjection

NO_ELEMENT = "the list may have no such element"


def index(walk: Walk, tree: Index, current: Shape, path: str) -> Shape:
    """``[0]``: an element, or null where there is none."""
    if not _is_list(walk, tree, current, path):
        return NULL_SHAPE
    element = current.element or ANY
    number = tree.position
    wanted = number + 1 if number >= 0 else -number
    if current.least >= wanted and not current.mask & ~LISTS:
        return element
    if current.mask & NULL and current.why_null:
        return element.or_null(current.why_null)
    certain = current.note is not None and not current.mask & ~(LISTS | NULL)
    return element.or_null(NO_ELEMENT if certain else None)


def sliced(walk: Walk, tree: Slice, current: Shape, path: str) -> Shape:
    """``[1:3]``: a list of the same elements."""
    if not _is_list(walk, tree, current, path):
        return NULL_SHAPE
    return _list_like(current, current.element or ANY)


def projection(walk: Walk, tree: Projection, env: Env) -> Shape:
    """``[*]`` and what follows a slice or a flatten: a list of what is not null."""
    base = tree.base
    current = walk.node(base, env.plain())
    if not _is_list(walk, base, current, within(env, unparse(base))):
        return NULL_SHAPE
    return _projected(walk, current, current.element or ANY, tree, env)


def filtered(walk: Walk, tree: FilterProjection, env: Env) -> Shape:
    """``[?…]``: the elements for which the condition holds."""
    base, condition = tree.base, tree.condition
    # ``[a && 'x', b && 'y'][?@]``: what the elements are is what counts.
    through = env if isinstance(base, MultiSelectList) else env.plain()
    current = walk.node(base, through)
    if not _is_list(walk, base, current, within(env, unparse(base))):
        return NULL_SHAPE
    element = current.element or ANY
    truth = walk.node(condition, element_env(env, base, element, {}, env.polarity)).truth
    facts = walk.finder.find(condition, True)
    kept = refined(element, facts)
    if truth is False:
        kept = kept.restricted(0)
    made = _projected(walk, replace(current, least=0), kept, tree, env, facts)
    return made if truth is not False else replace(made, mask=made.mask & ~_NOT_EMPTY)


def values(walk: Walk, tree: ValueProjection, env: Env) -> Shape:
    """``.*``: a list of the values of an object that are not null."""
    base, body = tree.base, tree.body
    current = walk.node(base, env.plain())
    if not current.mask & OBJECTS:
        if current.mask & ~NULL:
            walk.remark(RemarkKind.OBJECT_EXPECTED, base, current, within(env, unparse(base)))
        return NULL_SHAPE
    element = ANY
    if current.fields is not None:
        rest = [current.rest] if current.rest is not None else []
        element = union(*current.fields.values(), *rest)
    made = list_of(
        walk.node(body, element_env(env, base, element.restricted(~NULL), {}, None)).restricted(
            ~NULL
        )
    )
    return made.or_null(current.why_null) if current.mask & ~OBJECTS else made


def flatten(walk: Walk, tree: Flatten, env: Env) -> Shape:
    """``[]``: a list whose elements that are lists are taken apart."""
    base = tree.base
    current = walk.node(base, env)
    if not _is_list(walk, base, current, within(env, unparse(base))):
        return NULL_SHAPE
    element = current.element or ANY
    if element is ANY or (element.mask & LISTS and element.element is None):
        inner = ANY
    elif element.mask & LISTS:
        flat = element.restricted(~LISTS)
        inner = union(flat, element.element or ANY) if flat.mask else element.element or ANY
    else:
        inner = element
    return _list_like(replace(current, least=0), inner)


def refined(element: Shape, facts: Facts) -> Shape:
    """Return the shape of elements of which ``facts`` are known."""
    if "@" in facts:
        element = facts["@"].apply(element)
    element = variant(element, facts)
    if element.fields is None:
        return element
    known = {
        name: facts[name].apply(part) for name, part in element.fields.items() if name in facts
    }
    return replace(element, fields={**element.fields, **known}) if known else element


_NOT_EMPTY = LISTS & ~64  # EMPTY_LIST is what stays


def _projected(
    walk: Walk,
    current: Shape,
    element: Shape,
    tree: Projection | FilterProjection,
    env: Env,
    facts: Facts | None = None,
) -> Shape:
    given = element.restricted(~NULL)
    if not isinstance(tree.body, Identity):
        inside = element_env(env, tree.base, given, facts or {}, env.polarity)
        given = walk.node(tree.body, inside).restricted(~NULL)
    return _list_like(replace(current, least=0), given)


def _list_like(current: Shape, element: Shape) -> Shape:
    made = list_of(element, least=current.least)
    if not current.mask & ~LISTS:
        return made
    return made.or_null(current.why_null if not current.mask & ~(LISTS | NULL) else None)


def _is_list(walk: Walk, tree: Tree, current: Shape, path: str) -> bool:
    if current.mask & LISTS:
        return True
    if current.mask & ~NULL:
        walk.remark(RemarkKind.LIST_EXPECTED, tree, current, path)
    return False
