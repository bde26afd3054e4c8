"""Indexes and slices of lists, some elements of which may be absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.equality import length_range
from tfgate.query.errors import EvaluationError
from tfgate.query.values import LIST, LISTS, SENSITIVE, UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.query.state import State


def element_at(value: Any, position: int, state: State) -> Any:
    """Give ``value[position]``, null where there is none or where ``value`` is not a list."""
    if type(value) is not list:
        if type(value) is Unknown and value.mask & LIST:
            return SENSITIVE if value.sensitive else UNKNOWN
        return None
    if state.dirty and state.has_maybe(value):
        return _uncertain_element(value, position, state)
    try:
        return value[position]
    except IndexError:
        return None


def _uncertain_element(elements: list[Any], position: int, state: State) -> Any:
    """Join all elements that may come to stand at ``position``."""
    state.spend(len(elements))
    if position < 0:
        elements, position = elements[::-1], -position - 1
    firm = next(i for i, element in enumerate(elements) if type(element) is Maybe)
    if position < firm:
        return elements[position]
    many = any(type(element) is Maybe and element.many for element in elements)
    candidates = elements[firm if many else position :]
    if length_range(elements)[0] <= position:
        candidates = [*candidates, None]
    result = _content(candidates[0])
    for candidate in candidates[1:]:
        result = state.join(result, _content(candidate))
    return result


def _content(element: Any) -> Any:
    return element.value if type(element) is Maybe else element


def sliced(value: Any, bounds: slice, state: State) -> Any:
    """Give ``value[bounds]``, null where ``value`` is not a list."""
    if type(value) is list:
        _refuse_no_step(bounds)
        state.spend(len(range(*bounds.indices(len(value)))))
        return _cut(value, bounds, state)
    if type(value) is Unknown and value.mask & LISTS:
        return _slice_of_unknown(value, bounds, state)
    return None


def _refuse_no_step(bounds: slice) -> None:
    if bounds.step == 0:
        raise EvaluationError("A slice's step must not be 0.", kind="invalid-value")


def _slice_of_unknown(value: Unknown, bounds: slice, state: State) -> Any:
    if bounds.step == 0:
        if not value.mask & ~LISTS:
            _refuse_no_step(bounds)
        state.may_raise = True
        return None
    return state.join([Maybe(UNKNOWN, many=True)], None if value.mask & ~LISTS else [])


def _cut(elements: list[Any], bounds: slice, state: State) -> list[Any]:
    if not state.has_maybe(elements):
        return elements[bounds]
    if bounds.start is None and bounds.stop is None and bounds.step in (None, 1, -1):
        return elements[bounds]
    step = bounds.step or 1
    turned = elements if step > 0 else elements[::-1]
    return [state.maybe(_content(e), type(e) is Maybe and e.many) for e in turned]
