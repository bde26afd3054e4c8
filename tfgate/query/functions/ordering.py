"""Standard functions that order: max, min, sort, max_by, min_by, sort_by."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import function
from tfgate.query.state import ABSENT, attempt
from tfgate.query.values import NUMBER, STRINGS, Expref, Maybe, join, kinds, restrict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.state import State


# --- What can be ordered: lists whose members are all numbers or all strings.


_NUMBERS: Final = frozenset({int, float})
_STRINGS: Final = frozenset({str})


def content(element: Any) -> Any:
    """Return the element itself, present or not."""
    return element.value if type(element) is Maybe else element


def all_known(elements: list[Any]) -> bool:
    """Whether all are numbers, or all strings, with nothing unknown and none that may be absent."""
    found = set(map(type, elements))
    return found <= _STRINGS or found <= _NUMBERS


def orderable(elements: list[Any], state: State) -> list[int]:
    """Return the positions of the elements that can be there when all are of one orderable type.

    Raises EvaluationError if no completion has only numbers or only strings, and notes in the
    state when some completion has something else.
    """
    if all_known(elements):
        return list(range(len(elements)))
    masks = [kinds(content(element)) for element in elements]
    firm = [m for m, e in zip(masks, elements, strict=True) if type(e) is not Maybe]
    feasible = [group for group in (NUMBER, STRINGS) if all(mask & group for mask in firm)]
    if not feasible:
        raise EvaluationError("Only a list of all numbers or of all strings can be ordered.")
    if not any(all(not mask & ~group for mask in masks) for group in feasible):
        state.may_raise = True
    allowed = sum(feasible)
    return [i for i, mask in enumerate(masks) if mask & allowed]


def narrowed(element: Any, state: State) -> Any:
    """Return an element's content without the kinds that cannot be ordered."""
    return restrict(content(element), NUMBER | STRINGS)


def _spend_on_ordering(keys: list[Any], rounds: int, state: State) -> None:
    """Take the steps of comparing each key ``rounds`` times; long texts may be equal for long."""
    state.spend(len(keys) * (1 + rounds // 4))
    if keys and type(keys[0]) is str:
        texts = sum(len(key) for key in keys if type(key) is str)
        state.spend((texts >> 10) * rounds)


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(state: State, elements: list[Any]) -> Any:
        _spend_on_ordering(elements, 1, state)
        if all_known(elements):
            return pick(elements) if elements else None
        kept = [elements[i] for i in orderable(elements, state)]
        return _one_of(kept, [narrowed(element, state) for element in kept])

    return extreme


def _extreme_by(pick: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(state: State, elements: list[Any], expression: Expref) -> Any:
        kept, keys = _keyed(state, elements, expression)
        if all_known(keys):
            return kept[pick(range(len(keys)), key=keys.__getitem__)] if kept else None
        return _one_of(kept, [content(element) for element in kept])

    return extreme


def _one_of(elements: list[Any], contents: list[Any]) -> Any:
    """Return the value that stands for any of the contents, null too if all may be absent."""
    if all(type(element) is Maybe for element in elements):
        contents = [*contents, None]
    return reduce(join, contents)


@function(
    "sort(elements: array) -> array",
    "sort(`[3, 1, 2]`)",
    [1, 2, 3],
    errors="The list holds something else than all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _sort(state: State, elements: list[Any]) -> Any:
    """Sort a list of numbers or of strings."""
    _spend_on_ordering(elements, len(elements).bit_length(), state)
    if all_known(elements):
        return sorted(elements)
    kept = [elements[i] for i in orderable(elements, state)]
    return _sorted(kept, kept, [narrowed(element, state) for element in kept], state)


@function(
    "sort_by(elements: array, expression: expref) -> array",
    "sort_by(['ab', 'c'], &length(@))",
    ["c", "ab"],
    errors="The expression's values are not all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _sort_by(state: State, elements: list[Any], expression: Expref) -> Any:
    """Sort a list by the expression's value on each element."""
    kept, keys = _keyed(state, elements, expression)
    return _sorted(kept, keys, [content(element) for element in kept], state)


def _sorted(elements: list[Any], keys: list[Any], contents: list[Any], state: State) -> Any:
    """Sort by known keys, keeping what may be absent so; with unknown ones any order may be."""
    known = [content(key) for key in keys]
    if all_known(known) and all(key == key for key in known):  # no NaN
        return [elements[i] for i in sorted(range(len(known)), key=known.__getitem__)]
    if all_known(keys):
        return [elements[i] for i in sorted(range(len(keys)), key=keys.__getitem__)]
    anyone = reduce(join, contents)
    firm = [anyone for element in elements if type(element) is not Maybe]
    loose = [e for e in elements if type(e) is Maybe]
    return [*firm, *(state.maybe(anyone, element.many) for element in loose)]


def _keyed(state: State, elements: list[Any], expression: Expref) -> tuple[list[Any], list[Any]]:
    """Return the elements that can be there and their keys, all numbers or all strings."""
    state.spend(len(elements) * (2 + expression.weight))
    kept, keys = [], []
    for element in elements:
        if type(element) is not Maybe:
            kept.append(element)
            keys.append(expression(element))
            continue
        key = attempt(expression.node, element.value, state)
        if key is not ABSENT:
            kept.append(element)
            keys.append(state.maybe(key, element.many))
    positions = orderable(keys, state)
    _spend_on_ordering(keys, len(keys).bit_length(), state)
    return [kept[i] for i in positions], [keys[i] for i in positions]


function(
    "max(elements: array) -> number|string|null",
    "max(`[1, 3, 2]`)",
    3,
    doc="Return the greatest of a list of numbers or of strings, null for an empty list.",
    errors="The list holds something else than all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)(_extreme(max))
function(
    "min(elements: array) -> number|string|null",
    "min(['b', 'a'])",
    "a",
    doc="Return the least of a list of numbers or of strings, null for an empty list.",
    errors="The list holds something else than all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)(_extreme(min))
function(
    "max_by(elements: array, expression: expref) -> any",
    "max_by(['a', 'bcd', 'ef'], &length(@))",
    "bcd",
    doc="Return the element on which the expression is greatest, null for an empty list.",
    errors="The expression's values are not all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)(_extreme_by(max))
function(
    "min_by(elements: array, expression: expref) -> any",
    "min_by(['ab', 'c'], &length(@))",
    "c",
    doc="Return the element on which the expression is least, null for an empty list.",
    errors="The expression's values are not all numbers or all strings.",
    state=True,
    handles_unknown=True,
    standard=True,
)(_extreme_by(min))
