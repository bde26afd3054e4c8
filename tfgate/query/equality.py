"""Equality over values with unknowns in them: True, False, or None where completions differ.

Two relations, as in the jmespath package. The operator ``==`` keeps numbers and booleans apart.
``contains`` and everything inside a list or object compares as Python does, where 0 equals false
and 1 equals true.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from tfgate.query.values import BOOLEANS, NUMBER, Maybe, Unknown, kinds

if TYPE_CHECKING:
    from tfgate.query.state import State

_ATOMS = frozenset({str, int, float, bool, type(None)})
_LONG = 1024
"""Characters up to which comparing texts takes no time to speak of."""
_STEPS_FOR_A_PAIR = 10
"""What comparing two lists or objects costs beside their elements."""


def equal(left: Any, right: Any, state: State) -> bool | None:
    """Compare as the operator ``==`` does."""
    if not kinds(left) & kinds(right):
        return False
    if type(left) in _ATOMS and type(right) in _ATOMS:
        if type(left) is str and len(left) > _LONG:
            state.spend(len(left) >> 10)
        return bool(left == right)  # not by identity: a NaN differs from itself
    return same(left, right, state)


def same(left: Any, right: Any, state: State) -> bool | None:
    """Compare as Python's ``==`` does on JSON values."""
    kind, other = type(left), type(right)
    if kind is Unknown or other is Unknown:
        return _perhaps_same(left, right)
    if kind in _ATOMS or other in _ATOMS:
        if kind is str and len(left) > _LONG:
            state.spend(len(left) >> 10)
        return bool(left is right or left == right)
    if kind is not other or kind not in (list, dict):
        return left is right
    if not has_unknown(left, state) and not has_unknown(right, state):
        return bool(left == right)
    if kind is list:
        return _same_lists(left, right, state)
    return _same_objects(left, right, state)


def _perhaps_same(left: Any, right: Any) -> bool | None:
    """Compare two values one of which is unknown."""
    if not _loose(kinds(left)) & _loose(kinds(right)):
        return False
    (low, high), (bottom, top) = bounds(left), bounds(right)
    return None if low <= top and bottom <= high else False


def bounds(value: Any) -> tuple[float, float]:
    """Least and greatest number that the value may be, infinite for what may be no number."""
    if type(value) is Unknown:
        return value.low, value.high
    return (value, value) if type(value) in (int, float) else (-inf, inf)


def _loose(mask: int) -> int:
    """Widen a mask to what Python's ``==`` may find equal: numbers and booleans."""
    if mask & NUMBER:
        return mask | BOOLEANS
    return mask | NUMBER if mask & BOOLEANS else mask


def _same_objects(left: dict[str, Any], right: dict[str, Any], state: State) -> bool | None:
    if left.keys() != right.keys():
        return False
    state.spend(len(left) + _STEPS_FOR_A_PAIR)
    return conjunction(same(value, right[key], state) for key, value in left.items())


def _same_lists(left: list[Any], right: list[Any], state: State) -> bool | None:
    state.spend(len(left) + _STEPS_FOR_A_PAIR)
    if any(type(element) is Maybe for element in left + right):
        return None if _lengths_meet(left, right) else False
    if len(left) != len(right):
        return False
    return conjunction(same(one, two, state) for one, two in zip(left, right, strict=True))


def _lengths_meet(left: list[Any], right: list[Any]) -> bool:
    (low, high), (bottom, top) = length_range(left), length_range(right)
    return low <= top and bottom <= high


def length_range(elements: list[Any]) -> tuple[int, float]:
    """Fewest and most elements that the list may have."""
    fewest, most = 0, 0.0
    for element in elements:
        if type(element) is not Maybe:
            fewest += 1
            most += 1
        else:
            most += float("inf") if element.many else 1
    return fewest, most


def conjunction(parts: Any) -> bool | None:
    """Kleene's and: False if one part is false, else None if one is unknown."""
    result: bool | None = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            result = None
    return result


def contains_element(elements: list[Any], sought: Any, state: State) -> bool | None:
    """Whether the list holds ``sought``, as Python's ``in`` finds it."""
    result: bool | None = False
    for element in elements:
        if type(element) is Maybe:
            found = None if same(element.value, sought, state) is not False else False
        else:
            found = same(element, sought, state)
        if found:
            return True
        if found is None:
            result = None
    return result


def has_unknown(value: Any, state: State) -> bool:
    """Whether something in ``value``, at any depth, is unknown or may be absent."""
    pending = [value]
    steps = 0
    while pending:
        found = pending.pop()
        kind = type(found)
        if kind is Unknown or kind is Maybe:
            return True
        if kind is str:
            steps += len(found) >> 10
        elif kind is list or kind is dict:
            steps += len(found) + 3
            if steps > state.left:
                state.spend(steps)
            pending.extend(found if kind is list else found.values())
    state.spend(steps)
    return False
