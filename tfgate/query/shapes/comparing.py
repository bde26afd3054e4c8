"""Shapes of comparisons and of arithmetic."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tfgate.query.shapes.env import RemarkKind, within
from tfgate.query.shapes.facts import path_of
from tfgate.query.shapes.shape import BOOLEAN, NULL_SHAPE, NUMBERS, Shape
from tfgate.query.tree import SIGNS, children
from tfgate.query.unparse import unparse
from tfgate.query.values import FALSE, LISTS, NULL, NUMBER, OBJECTS, STRINGS, TRUE

if TYPE_CHECKING:
    from tfgate.query.shapes.env import Env
    from tfgate.query.shapes.infer import Walk
    from tfgate.query.tree import Arithmetic, Comparison, Sign

_ORDERED: Final = NUMBER | STRINGS
_NUMBER: Final = re.compile(r"v?\d+(\.\d+)*")
_NO: Final = replace(BOOLEAN, mask=FALSE)
_YES: Final = replace(BOOLEAN, mask=TRUE)


def comparison(walk: Walk, tree: Comparison, env: Env) -> Shape:
    """Return what a comparison comes to, as far as that is certain."""
    sides = (tree.left, tree.right)
    left, right = (walk.node(side, env.plain()) for side in sides)
    sign = SIGNS[tree.sign]
    for side, shapes in ((sides[0], (left, right)), (sides[1], (right, left))):
        path = path_of(side)
        if path is not None:
            walk.compare(sign, tree, within(env, path), shapes, env)
    if sign not in {"==", "!="}:
        return _ordering(walk, tree, env, left, right)
    equal = are_equal(left, right)
    if equal is False:
        _remark_never(walk, tree, left, right)
    if equal is None:
        return BOOLEAN
    return _YES if equal is (sign == "==") else _NO


def _ordering(walk: Walk, tree: Comparison, env: Env, left: Shape, right: Shape) -> Shape:
    """Numbers are ordered among themselves, and strings; a number and a string fail."""
    for side, shape in ((tree.left, left), (tree.right, right)):
        if not shape.mask & _ORDERED:
            if shape.mask & ~NULL:
                walk.remark(RemarkKind.NOT_ORDERED, side, shape, within(env, unparse(side)))
            return NULL_SHAPE
    if not any(left.mask & kind and right.mask & kind for kind in (NUMBER, STRINGS)):
        walk.remark(RemarkKind.MIXED_ORDER, tree, left, unparse(tree), other=right)
    elif any(_is_numeric_text(shape) for shape in (left, right)):
        walk.remark(RemarkKind.TEXT_ORDER, tree, left, unparse(tree), other=right)
    return BOOLEAN.or_null() if (left.mask | right.mask) & ~_ORDERED else BOOLEAN


def arithmetic(walk: Walk, tree: Arithmetic | Sign, env: Env) -> Shape:
    """Return that it is a number: everything else fails."""
    for side in children(tree):
        shape = walk.node(side, env.plain())
        about = {"detail": tree.sign, "parameter": "number"}
        text = within(env, unparse(side))
        if not shape.mask & (NUMBER | NULL):
            walk.remark(RemarkKind.TYPE_RAISES, side, shape, text, **about)
        elif shape.mask & NULL and shape.why_null:
            walk.remark(RemarkKind.NULL_RAISES, side, shape, text, **about)
    return NUMBERS


def _is_numeric_text(shape: Shape) -> bool:
    """Whether a string is written out that is a number or a version."""
    if shape.mask & ~STRINGS or not shape.constants:
        return False
    return all(_NUMBER.fullmatch(str(constant)) for constant in shape.constants)


def are_equal(left: Shape, right: Shape) -> bool | None:
    """Whether two values are equal always, never, or sometimes (``None``)."""
    if not left.mask & right.mask:
        return False
    if left.mask == right.mask == NULL:
        return True
    if (left.mask | right.mask) & (NULL | LISTS | OBJECTS):
        shared = left.mask & right.mask
        if shared & (NULL | LISTS | OBJECTS):
            return None
    if left.constants is None or right.constants is None:
        return None
    if not _typed(left) & _typed(right):
        return False
    alone = len(left.constants) == len(right.constants) == 1
    return True if alone and left.mask == right.mask else None


def _typed(shape: Shape) -> set[tuple[bool, object]]:
    """Constants apart by type: 1 is not true."""
    return {(isinstance(value, bool), value) for value in shape.constants or ()}


def _remark_never(walk: Walk, tree: Comparison, left: Shape, right: Shape) -> None:
    # What is compared with null, and what was remarked on before, is no news.
    if not left.mask & ~NULL or not right.mask & ~NULL:
        return
    kind = RemarkKind.NEVER_EQUAL
    if left.mask & ~NULL & right.mask:
        kind = RemarkKind.NO_SUCH_WORD
    walk.remark(kind, tree, left, unparse(tree), other=right)
