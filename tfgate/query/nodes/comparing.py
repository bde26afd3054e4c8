"""Comparators: ``==`` and ``!=`` on everything, the four orderings on numbers and on strings."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import bounds, equal
from tfgate.query.errors import EvaluationError
from tfgate.query.nodes.boolean import boolean_value
from tfgate.query.nodes.node import truth_of
from tfgate.query.nodes.select import field
from tfgate.query.values import BOOLEANS, NULL, NUMBER, STRINGS, kinds, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.nodes.node import Node
    from tfgate.query.state import Closure, State, Test

_ORDERINGS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}

_NUMBERS: Final = frozenset({int, float})
_ATOM_GROUPS: Final[dict[type, frozenset[type]]] = {
    str: frozenset({str}),
    bool: frozenset({bool}),
    int: _NUMBERS,
    float: _NUMBERS,
    type(None): frozenset({type(None)}),
}


def comparator(name: str, left: Node, right: Node) -> tuple[Closure, Test]:
    """Compile a comparator, ``name`` as jmespath calls it, to value and condition."""
    if name in _ORDERINGS:
        if not (right.is_literal and type(right.ast["value"]) in _NUMBERS):
            value = _ordering(name, left.value, right.value)
            return value, truth_of(value)
        value = _ordering_to_number(name, left.value, right.ast["value"])
        if left.type == "field":
            return value, _field_orders(name, left.ast["value"], right.ast["value"])
        return value, truth_of(value)
    test = _equality(left, right, name == "eq")
    return boolean_value(test), test


def _equality(left: Node, right: Node, wanted: bool) -> Test:
    """Compile ``==`` (``wanted`` true) or ``!=``."""
    if right.is_literal and type(right.ast["value"]) in _ATOM_GROUPS:
        if left.type == "field":
            return _field_equals_atom(left.ast["value"], right.ast["value"], wanted)
        return _equals_atom(left.value, right.ast["value"], wanted)
    if left.is_literal and type(left.ast["value"]) in _ATOM_GROUPS:
        return _equals_atom(right.value, left.ast["value"], wanted)
    return _equals_any(left.value, right.value, wanted)


def _equals_atom(node: Closure, constant: Any, wanted: bool) -> Test:
    """Compare with a literal null, boolean, number or string: one look at the type decides."""
    group = _ATOM_GROUPS[type(constant)]

    def test(value: Any, state: State) -> bool | None:
        found = node(value, state)
        if type(found) in group:
            return (found == constant) is wanted
        known = equal(found, constant, state)
        return None if known is None else known is wanted

    return test


def _field_equals_atom(name: str, constant: Any, wanted: bool) -> Test:
    """Compare a field with a literal: the commonest predicate, in one closure."""
    group = _ATOM_GROUPS[type(constant)]
    node = field(name)

    def test(value: Any, state: State) -> bool | None:
        found = value.get(name) if type(value) is dict else node(value, state)
        if type(found) in group:
            return (found == constant) is wanted
        known = equal(found, constant, state)
        return None if known is None else known is wanted

    return test


def _equals_any(left: Closure, right: Closure, wanted: bool) -> Test:
    def test(value: Any, state: State) -> bool | None:
        known = equal(left(value, state), right(value, state), state)
        return None if known is None else known is wanted

    return test


def _field_orders(name: str, key: str, constant: float) -> Test:
    """Order a field and a number, in one closure."""
    compare = _ORDERINGS[name]
    node = field(key)

    def test(value: Any, state: State) -> bool | None:
        found = value.get(key) if type(value) is dict else node(value, state)
        kind = type(found)
        if kind is int or kind is float:
            return bool(compare(found, constant))
        return truth(_ordered(compare, found, constant, state))

    return test


def _ordering_to_number(name: str, node: Closure, constant: float) -> Closure:
    compare = _ORDERINGS[name]

    def value_of(value: Any, state: State) -> Any:
        found = node(value, state)
        kind = type(found)
        if kind is int or kind is float:
            return compare(found, constant)
        return _ordered(compare, found, constant, state)

    return value_of


def _ordering(name: str, left: Closure, right: Closure) -> Closure:
    compare = _ORDERINGS[name]

    def value_of(value: Any, state: State) -> Any:
        return _ordered(compare, left(value, state), right(value, state), state)

    return value_of


def _ordered(compare: Callable[[Any, Any], Any], left: Any, right: Any, state: State) -> Any:
    """Compare two values that may be of any type, or unknown.

    As jmespath does: null unless both are numbers or strings; an error for one of each.
    """
    mine, theirs = kinds(left), kinds(right)
    both = mine & theirs & NUMBER or (mine & STRINGS and theirs & STRINGS)
    mixed = (mine & NUMBER and theirs & STRINGS) or (mine & STRINGS and theirs & NUMBER)
    comparable = NUMBER | STRINGS
    result = NULL if (mine | theirs) & ~comparable else 0
    if both:
        if _known(left) and _known(right):
            if type(left) is str:
                state.spend(min(len(left), len(right)) >> 10)
            return compare(left, right)
        certain = _by_bounds(compare, left, right)
        if certain is not None and not result and not mixed:
            return certain
        result |= BOOLEANS
    if mixed:
        _mixed_types(state, certain=not result)
    return state.make(result) if result != NULL else None


def _by_bounds(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool | None:
    """Compare numbers by what is known of their size: all orderings are monotonic."""
    if kinds(left) != NUMBER or kinds(right) != NUMBER:
        return None
    (low, high), (bottom, top) = bounds(left), bounds(right)
    least, greatest = compare(low, top), compare(high, bottom)
    return bool(least) if least is greatest else None


def _known(value: Any) -> bool:
    return type(value) in (int, float, str)


def _mixed_types(state: State, *, certain: bool) -> None:
    """Take note that a number may meet a string, which jmespath cannot order."""
    if certain:
        raise EvaluationError("A number and a string cannot be ordered.")
    state.may_raise = True
