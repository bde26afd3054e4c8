"""Functions on lists: contains, length, map, reverse of the standard; zip."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import contains_element, length_range
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import function
from tfgate.query.state import ABSENT, LONG, attempt
from tfgate.query.values import (
    BOOLEANS,
    FALSY,
    LISTS,
    STRINGS,
    UNKNOWN,
    Expref,
    Maybe,
    Unknown,
    count,
    kinds,
    make,
)

if TYPE_CHECKING:
    from tfgate.query.state import State

_ATOMS: Final = frozenset({str, int, float, bool, type(None)})


@function(
    "contains(subject: array|string, sought: any) -> boolean",
    "contains(['a', 'b'], 'b')",
    True,
    errors="Something that is not a string is sought in a string.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _contains(state: State, subject: Any, sought: Any) -> Any:
    """Whether a list holds a value, or a string another string."""
    if type(subject) is list:
        if len(subject) > 64:
            state.spend(len(subject) >> 1)
        if type(sought) in _ATOMS:
            if type(sought) is str and len(sought) > LONG:
                state.spend(len(subject) * (len(sought) >> 10))
            if sought in subject:  # no unknown equals an atom, so this element is a known one
                return True
            for element in subject:
                kind = type(element)
                if kind is Unknown or kind is Maybe:
                    return make(BOOLEANS) if _may_hold(state, subject, sought) else False
            return False
        found = contains_element(subject, sought, state)
        return make(BOOLEANS) if found is None else found
    if type(subject) is str and type(sought) is str:
        if len(subject) > LONG:  # at worst each part of what is sought is looked for everywhere
            state.spend(len(subject) * min(len(sought), 100) >> 9)
        return sought in subject
    return _string_contains(state, subject, sought)


def _may_hold(state: State, subject: list[Any], sought: Any) -> bool:
    state.spend(len(subject))
    return contains_element(subject, sought, state) is not False


def _string_contains(state: State, subject: Any, sought: Any) -> Any:
    """Search what may be a string: only a string can be sought in a string."""
    in_list = kinds(subject) & LISTS
    if not kinds(sought) & STRINGS:
        if not in_list:
            raise EvaluationError("contains() can seek nothing but a string in a string.")
        state.may_raise = True
    elif kinds(sought) & ~STRINGS and kinds(subject) & STRINGS:
        state.may_raise = True
    return make(BOOLEANS)


@function(
    "length(subject: string|array|object) -> number",
    "length(['a', 'b'])",
    2,
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _length(state: State, subject: Any) -> Any:
    """Return the number of characters, elements or keys."""
    if type(subject) is Unknown:
        return count(0 if subject.mask & FALSY else 1, inf)
    if type(subject) is list and state.has_maybe(subject):
        return count(*length_range(subject))
    return len(subject)


@function(
    "map(expression: expref, elements: array) -> array",
    "map(&length(@), ['a', 'bc'])",
    [1, 2],
    errors="The expression fails on an element.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _map(state: State, expression: Expref, elements: list[Any]) -> Any:
    """Return the expression's value on each element, nulls included."""
    state.spend(len(elements) * (1 + expression.weight))
    results: list[Any] = []
    for element in elements:
        if type(element) is not Maybe:
            results.append(expression(element))
            continue
        result = attempt(expression.node, element.value, state)
        if result is not ABSENT:
            results.append(state.maybe(result, element.many))
    return results


@function(
    "reverse(subject: array|string) -> array|string",
    "reverse('abc')",
    "cba",
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _reverse(state: State, subject: Any) -> Any:
    """Return a list or a string back to front."""
    if type(subject) is Unknown:
        return make(subject.mask)
    if type(subject) is str:
        state.read(len(subject))
    else:
        state.spend(len(subject))
    return subject[::-1]


@function(
    "zip(first: array, *others: array) -> array",
    "zip(['a', 'b'], `[1, 2, 3]`)",
    [["a", 1], ["b", 2]],
    state=True,
    handles_unknown=True,
    total=True,
)
def _zip(state: State, *lists: list[Any]) -> Any:
    """Return lists of what stands at the same place in each list, as many as the shortest has."""
    # Whatever stands before the first element that may be absent has its place.
    certain = [_certain(found) for found in lists]
    rows = min(certain)
    state.spend(sum(certain) + rows * (len(lists) + 2))
    zipped: list[Any] = [list(row) for row in zip(*(found[:rows] for found in lists), strict=True)]
    if not any(rows == place == len(found) for place, found in zip(certain, lists, strict=True)):
        zipped.append(state.maybe([UNKNOWN] * len(lists), many=True))
    return zipped


def _certain(elements: list[Any]) -> int:
    return next((i for i, e in enumerate(elements) if type(e) is Maybe), len(elements))
