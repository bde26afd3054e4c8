"""Functions on lists beyond the standard: any, all, none, unique, count_by, sum_by, group_by.

any, all and none look at every element, whatever the first ones give: an error in one element does
not depend on the order of the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import same
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.numbers import calculate
from tfgate.query.functions.ordering import content
from tfgate.query.functions.registry import function
from tfgate.query.state import ABSENT, attempt
from tfgate.query.values import (
    BOOLEANS,
    NULL,
    NUMBER,
    OBJECT,
    OBJECTS,
    STRINGS,
    Expref,
    Maybe,
    Unknown,
    kinds,
    make,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.query.state import State


def _truths(
    state: State, elements: list[Any], condition: Expref | None
) -> Iterator[tuple[bool | None, bool]]:
    """Return each element's truth and whether the element may be absent."""
    state.spend(len(elements) * (1 if condition is None else 1 + condition.weight))
    for element in elements:
        if type(element) is not Maybe:
            yield truth(element) if condition is None else condition.test(element, state), False
            continue
        known = (
            truth(element.value)
            if condition is None
            else attempt(condition.test, element.value, state)
        )
        if known is not ABSENT:
            yield known, True


@function(
    "any(elements: array, condition?: expref) -> boolean",
    "any(`[80, 22]`, &@ == `22`)",
    True,
    errors="The condition fails on an element.",
    state=True,
    handles_unknown=True,
)
def _any(state: State, elements: list[Any], condition: Expref | None = None) -> Any:
    """Whether an element, or the condition on one, is truthy; false for an empty list."""
    found = _one_is(True, list(_truths(state, elements, condition)))
    return make(BOOLEANS) if found is None else found


@function(
    "all(elements: array, condition?: expref) -> boolean",
    "all(`[80, 22]`, &@ == `22`)",
    False,
    errors="The condition fails on an element.",
    state=True,
    handles_unknown=True,
)
def _all(state: State, elements: list[Any], condition: Expref | None = None) -> Any:
    """Whether every element, or the condition on it, is truthy; true for an empty list."""
    found = _one_is(False, list(_truths(state, elements, condition)))
    return make(BOOLEANS) if found is None else not found


@function(
    "none(elements: array, condition?: expref) -> boolean",
    "none(`[80, 22]`, &@ == `23`)",
    True,
    errors="The condition fails on an element.",
    state=True,
    handles_unknown=True,
)
def _none(state: State, elements: list[Any], condition: Expref | None = None) -> Any:
    """Whether no element, or the condition on none, is truthy; true for an empty list."""
    found = _one_is(True, list(_truths(state, elements, condition)))
    return make(BOOLEANS) if found is None else not found


def _one_is(wanted: bool, truths: list[tuple[bool | None, bool]]) -> bool | None:
    if (wanted, False) in truths:
        return True
    if all(known is (not wanted) for known, _ in truths):
        return False
    return None


@function(
    "unique(elements: array) -> array",
    "unique(['a', 'b', 'a'])",
    ["a", "b"],
    state=True,
    handles_unknown=True,
    total=True,
)
def _unique(state: State, elements: list[Any]) -> Any:
    """Return the list without the elements that equal an earlier one."""
    kept: list[Any] = []
    compared: list[Any] = []  # of the kept ones, those that are more than a known atom
    seen: set[Any] = set()
    state.spend(len(elements) * _HASHED)
    for element in elements:
        value = content(element)
        plain = type(element) is not Maybe and type(value) in (str, int, float, bool, type(None))
        key = (type(value) is bool, value)
        if plain and key in seen:
            continue
        again = _seen_before(value, compared if plain else kept, state)
        if again is True:
            continue
        if plain:
            seen.add(key)
        kept.append(element if again is False else _loose(element, state))
        if not plain or again is None:
            compared.append(kept[-1])
    return kept


def _loose(element: Any, state: State) -> Maybe:
    many = type(element) is Maybe and element.many
    return state.maybe(content(element), many)


def _seen_before(value: Any, kept: list[Any], state: State) -> bool | None:
    """Whether an equal element stands before."""
    result: bool | None = False
    state.spend(len(kept) * _COMPARED)
    for other in kept:
        equal = _alike(value, content(other), state)
        if equal and type(other) is not Maybe:
            return True
        if equal is not False:
            result = None
    return result


def _alike(left: Any, right: Any, state: State) -> bool | None:
    if not kinds(left) & kinds(right):
        return False
    return same(left, right, state)


@function(
    "count_by(elements: array, expression: expref) -> object",
    "count_by(['a', 'b', 'a'], &@)",
    {"a": 2, "b": 1},
    errors="The expression gives something that is not a string.",
    state=True,
    handles_unknown=True,
)
def _count_by(state: State, elements: list[Any], expression: Expref) -> Any:
    """Count elements by the string that the expression gives on each."""
    state.spend(len(elements) * (1 + expression.weight))
    counts: dict[str, int] = {}
    uncertain = False
    for element in elements:
        if type(element) is Maybe:
            key = attempt(expression.node, element.value, state)
            uncertain = True
            state.may_raise = state.may_raise or key is ABSENT or bool(kinds(key) & ~STRINGS)
            continue
        key = expression(element)
        if type(key) is str:
            counts[key] = counts.get(key, 0) + 1
        else:
            _unknown_key(key, state)
            uncertain = True
    if not uncertain:
        return counts
    return make(OBJECT if any(type(e) is not Maybe for e in elements) else OBJECTS)


def _unknown_key(key: Any, state: State) -> None:
    if type(key) is not Unknown or not key.mask & STRINGS:
        raise EvaluationError("count_by() counts by strings only.")
    state.may_raise = state.may_raise or bool(key.mask & ~STRINGS)


@function(
    "group_by(elements: array-object, expression: expref) -> object",
    'group_by(`[{"a": "x"}, {"a": "y"}, {"b": 1}]`, &a)',
    {"x": [{"a": "x"}], "y": [{"a": "y"}]},
    errors="The expression gives something that is neither a string nor null.",
    state=True,
    handles_unknown=True,
)
def _group_by(state: State, elements: list[Any], expression: Expref) -> Any:
    """Return an object with a list of the objects for each string that the expression gives on
    them; those on which it gives null are left out.
    """
    state.spend(len(elements) * (1 + expression.weight))
    groups: dict[str, list[Any]] = {}
    known, filled = True, False
    for element in elements:
        certain = type(element) is not Maybe
        key = expression(element) if certain else attempt(expression.node, element.value, state)
        mask = 0 if key is ABSENT else kinds(key)
        if certain and not mask & (STRINGS | NULL):
            raise EvaluationError("group_by() groups by strings only.")
        state.may_raise = state.may_raise or bool(mask & ~(STRINGS | NULL))
        if type(key) is str and certain:
            groups.setdefault(key, []).append(element)
        known = known and (key is None or (certain and type(key) is str))
        filled = filled or (certain and not mask & NULL)
    return groups if known else make(OBJECT if filled else OBJECTS)


@function(
    "sum_by(elements: array, expression: expref) -> number",
    'sum_by(`[{"size": 10}, {"size": 32}]`, &size)',
    42,
    errors="The expression gives something that is no number, or the sum is too large for one.",
    state=True,
    handles_unknown=True,
)
def _sum_by(state: State, elements: list[Any], expression: Expref) -> Any:
    """Return the sum of the numbers that the expression gives on the elements."""
    state.spend(len(elements) * (1 + expression.weight))
    total, known = 0, True
    for element in elements:
        certain = type(element) is not Maybe
        number = expression(element) if certain else attempt(expression.node, element.value, state)
        mask = 0 if number is ABSENT else kinds(number)
        if certain and not mask & NUMBER:
            raise EvaluationError("sum_by() sums numbers only.")
        known = known and certain and type(number) in (int, float)
        if known:
            total = calculate("+", total, number, "sum_by()")
        else:
            state.may_raise = True  # it may be no number, or too large
    return total if known else make(NUMBER)


_HASHED: Final = 4
"""Steps of keeping an element in a set."""

_COMPARED: Final = 10
"""Steps of comparing two elements, without what is in them."""
