"""Comparators: ``==`` and ``!=`` on everything, the four orderings on numbers and on strings."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import bounds, equal
from tfgate.query.errors import EvaluationError
from tfgate.query.nodes.node import truth_in, truth_of
from tfgate.query.nodes.select import field
from tfgate.query.state import ABSENT, Closure, State, Test, attempt
from tfgate.query.tree import Field, Literal
from tfgate.query.values import (
    BOOLEANS,
    FALSY,
    NULL,
    NUMBER,
    STRINGS,
    TRUTHY,
    join,
    kinds,
    make,
    restrict,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.nodes.node import Node


# --- ``&&``, ``||`` and ``!`` after Kleene, each as a value and as a condition.
#
# Where the left side's truth is unknown, the right side is evaluated for the completions that reach
# it, and the value is a join of what is left of both.


def both_value(parts: Sequence[Closure]) -> Closure:
    """Compile a chain of ``&&`` to its value: the first falsy one, else the last."""
    return _short_circuit(parts, stop=False, kept=FALSY)


def either_value(parts: Sequence[Closure]) -> Closure:
    """Compile a chain of ``||`` to its value: the first truthy one, else the last."""
    return _short_circuit(parts, stop=True, kept=TRUTHY)


def _short_circuit(parts: Sequence[Closure], *, stop: bool, kept: int) -> Closure:
    """Compile an operator that goes no further than a value whose truth is ``stop``."""
    *early, last = parts

    def value_of(value: Any, state: State) -> Any:
        for position, part in enumerate(early):
            found = part(value, state)
            known = truth_in(found, state)
            if known is stop:
                return found
            if known is None:
                return go_on(restrict(found, kept), position + 1, value, state)
        return last(value, state)

    def go_on(rest: Any, position: int, value: Any, state: State) -> Any:
        """Join what the left side gives where it stops with what comes after it."""
        for part in early[position:]:
            found = attempt(part, value, state)
            if found is ABSENT:
                return rest
            known = truth_in(found, state)
            if known is stop:
                return join(rest, found)
            if known is None:
                rest = join(rest, restrict(found, kept))
        found = attempt(last, value, state)
        return rest if found is ABSENT else join(rest, found)

    return value_of


def all_test(tests: Sequence[Test]) -> Test:
    """Compile a chain of ``&&`` to a condition."""
    if len(tests) == 2:
        return _two(tests[0], tests[1], stop=False)
    if len(tests) == 3:
        return _three(tests[0], tests[1], tests[2])

    def every(value: Any, state: State) -> bool | None:
        for position, test in enumerate(tests):
            known = test(value, state)
            if known is None:
                return _undecided(tests[position + 1 :], value, state, stop=False)
            if not known:
                return False
        return True

    return every


def _three(first: Test, second: Test, third: Test) -> Test:
    def triple(value: Any, state: State) -> bool | None:
        known = first(value, state)
        if known is None:
            return _undecided((second, third), value, state, stop=False)
        if not known:
            return False
        known = second(value, state)
        if known is None:
            return _undecided((third,), value, state, stop=False)
        return third(value, state) if known else False

    return triple


def any_test(tests: Sequence[Test]) -> Test:
    """Compile a chain of ``||`` to a condition."""
    if len(tests) == 2:
        return _two(tests[0], tests[1], stop=True)

    def some(value: Any, state: State) -> bool | None:
        for position, test in enumerate(tests):
            known = test(value, state)
            if known is None:
                return _undecided(tests[position + 1 :], value, state, stop=True)
            if known:
                return True
        return False

    return some


def _two(left: Test, right: Test, *, stop: bool) -> Test:
    def pair(value: Any, state: State) -> bool | None:
        known = left(value, state)
        if known is stop:
            return stop
        if known is None:
            return _undecided((right,), value, state, stop=stop)
        return right(value, state)

    return pair


def _undecided(rest: Sequence[Test], value: Any, state: State, *, stop: bool) -> bool | None:
    """Truth of a chain whose last evaluated condition is unknown: ``stop`` if a later one is.

    The parts of ``rest`` are reached by some completions alone. If one raises, those completions
    that raise nothing have stopped before it.
    """
    for test in rest:
        known = attempt(test, value, state)
        if known is ABSENT or known is stop:
            return stop
    return None


def ternary_value(condition: Test, then: Closure, otherwise: Closure) -> Closure:
    """Compile ``a ? b : c`` to its value: where ``a`` is unknown, what either may give."""

    def value_of(value: Any, state: State) -> Any:
        known = condition(value, state)
        if known is not None:
            return then(value, state) if known else otherwise(value, state)
        found = attempt(then, value, state)
        if found is ABSENT:
            return otherwise(value, state)  # if this fails as well, all completions do
        other = attempt(otherwise, value, state)
        return found if other is ABSENT else join(found, other)

    return value_of


def ternary_test(condition: Test, then: Test, otherwise: Test) -> Test:
    """Compile ``a ? b : c`` to a condition."""

    def test(value: Any, state: State) -> bool | None:
        known = condition(value, state)
        if known is not None:
            return then(value, state) if known else otherwise(value, state)
        found = attempt(then, value, state)
        if found is ABSENT:
            return otherwise(value, state)
        other = attempt(otherwise, value, state)
        return found if other is ABSENT or other is found else None

    return test


def not_test(test: Test) -> Test:
    """Compile ``!x`` to a condition."""

    def negated(value: Any, state: State) -> bool | None:
        known = test(value, state)
        return None if known is None else not known

    return negated


def boolean_value(test: Test) -> Closure:
    """Compile to its value what always gives a boolean."""

    def value_of(value: Any, state: State) -> Any:
        known = test(value, state)
        return make(BOOLEANS) if known is None else known

    return value_of


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
        if not (isinstance(right.tree, Literal) and type(right.tree.value) in _NUMBERS):
            value = _ordering(name, left.value, right.value)
            return value, truth_of(value)
        value = _ordering_to_number(name, left.value, right.tree.value)
        if isinstance(left.tree, Field):
            return value, _field_orders(name, left.tree.name, right.tree.value)
        return value, truth_of(value)
    test = _equality(left, right, name == "eq")
    return boolean_value(test), test


def _equality(left: Node, right: Node, wanted: bool) -> Test:
    """Compile ``==`` (``wanted`` true) or ``!=``."""
    if isinstance(right.tree, Literal) and type(right.tree.value) in _ATOM_GROUPS:
        if isinstance(left.tree, Field):
            return _field_equals_atom(left.tree.name, right.tree.value, wanted)
        return _equals_atom(left.value, right.tree.value, wanted)
    if isinstance(left.tree, Literal) and type(left.tree.value) in _ATOM_GROUPS:
        return _equals_atom(right.value, left.tree.value, wanted)
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
    return make(result) if result != NULL else None


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
