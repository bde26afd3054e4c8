"""Projections: ``[*]``, ``[]``, ``*`` and ``[?predicate]``, each dropping nulls.

A list whose elements may be absent is a list with `Maybe` elements. What is not a list gives null.
An unknown value is projected as the list of any number of unknowns, for the completions where it is
a list, and joined with null for the others.
"""

from __future__ import annotations

from typing import Any

from tfgate.query.nodes.select import current
from tfgate.query.state import ABSENT, Closure, State, Test, attempt
from tfgate.query.values import (
    LIST,
    LISTS,
    NULL,
    OBJECT,
    OBJECTS,
    SENSITIVE,
    UNKNOWN,
    Maybe,
    Unknown,
    join,
    restrict,
    some,
)


def projection(base: Closure, body: Closure | None, cost: int = 1) -> Closure:
    """Compile ``base[*].body``; no body means the elements themselves.

    ``cost`` is what each element takes, in steps.
    """

    def project(value: Any, state: State) -> Any:
        elements = value if base is current else base(value, state)
        if type(elements) is not list:
            return _over_unknown(elements, LISTS, over_elements, state)
        state.left -= len(elements) * cost
        if state.left < 0:
            state.spend(0)
        collected: list[Any] = []
        for element in elements:
            kind = type(element)
            if kind is Maybe:
                _collect_maybe(element, body, state, collected)
                continue
            found = element if body is None else body(element, state)
            if type(found) is Unknown:
                _collect_unknown(found, state, collected)
            elif found is not None:
                collected.append(found)
        return collected

    over_elements = project if base is current else projection(current, body, cost)
    return project


def _collect_unknown(current: Unknown, state: State, collected: list[Any]) -> None:
    """Collect an element that projections drop if it turns out to be null."""
    if current.mask & NULL:
        collected.append(state.maybe(restrict(current, ~NULL)))
    else:
        collected.append(current)


def _collect_maybe(
    element: Maybe, body: Closure | None, state: State, collected: list[Any]
) -> None:
    """Collect what an element gives where it is present."""
    current = element.value if body is None else attempt(body, element.value, state)
    if current is None or current is ABSENT:
        return
    collected.append(state.maybe(restrict(current, ~NULL), element.many))


def filter_projection(base: Closure, predicate: Test, body: Closure | None, cost: int) -> Closure:
    """Compile ``base[?predicate].body``; ``cost`` as in `projection`."""

    def choose(value: Any, state: State) -> Any:
        elements = value if base is current else base(value, state)
        if type(elements) is not list:
            return _over_unknown(elements, LISTS, over_elements, state)
        state.left -= len(elements) * cost
        if state.left < 0:
            state.spend(0)
        collected: list[Any] = []
        for element in elements:
            if type(element) is Maybe:
                _filter_maybe(element, predicate, body, state, collected)
                continue
            chosen = predicate(element, state)
            if chosen is None:
                _collect_maybe(Maybe(element), body, state, collected)
            elif chosen:
                found = element if body is None else body(element, state)
                if type(found) is Unknown:
                    _collect_unknown(found, state, collected)
                elif found is not None:
                    collected.append(found)
        return collected

    over_elements = choose if base is current else filter_projection(current, predicate, body, cost)
    return choose


def _filter_maybe(
    element: Maybe, predicate: Test, body: Closure | None, state: State, collected: list[Any]
) -> None:
    chosen = attempt(predicate, element.value, state)
    if chosen is not ABSENT and chosen is not False:
        _collect_maybe(element, body, state, collected)


def value_projection(base: Closure, body: Closure | None, cost: int) -> Closure:
    """Compile ``base.*.body`` over the values of an object; ``cost`` as in `projection`."""
    over_elements = projection(current, body, cost)

    def project(value: Any, state: State) -> Any:
        found = base(value, state)
        if type(found) is dict:
            state.spend(len(found))
            return over_elements(list(found.values()), state)
        return _over_unknown(found, OBJECTS, over_elements, state)

    return project


def flatten(base: Closure) -> Closure:
    """Compile ``base[]``: the elements of the lists in ``base``, and what is not a list in it."""

    def flat(value: Any, state: State) -> Any:
        elements = base(value, state)
        if type(elements) is list:
            return _flatten(elements, state)
        return _over_unknown(elements, LISTS, _flatten, state)

    return flat


def _flatten(elements: list[Any], state: State) -> list[Any]:
    merged: list[Any] = []
    for element in elements:
        kind = type(element)
        if kind is list:
            state.spend(len(element))  # first: the whole may be larger than any memory
            merged.extend(element)
        elif kind is Maybe:
            _flatten_maybe(element, state, merged)
        elif kind is Unknown and element.mask & LISTS:
            merged.extend(_spread(element, state))
        else:
            merged.append(element)
    state.spend(len(elements))
    return merged


def _spread(element: Unknown, state: State) -> list[Any]:
    """Return what an unknown element comes to: its elements if it is a list, or itself."""
    content = SENSITIVE if element.sensitive else UNKNOWN
    if element.mask & ~LISTS:
        return [state.maybe(content, many=True)]
    return some(element.mask, content)


def _flatten_maybe(element: Maybe, state: State, merged: list[Any]) -> None:
    inner = element.value
    if type(inner) is Unknown and inner.mask & LISTS:
        merged.extend(_as_maybe(part, True, state) for part in _spread(inner, state))
    elif type(inner) is list:
        merged.extend(_as_maybe(part, element.many, state) for part in inner)
    else:
        merged.append(element)


def _as_maybe(part: Any, many: bool, state: State) -> Maybe:
    if type(part) is Maybe:
        return state.maybe(part.value, many or part.many)
    return state.maybe(part, many)


def _over_unknown(found: Any, wanted: int, project: Closure, state: State) -> Any:
    """Project what may be a list (or an object): null on everything else."""
    if type(found) is not Unknown or not found.mask & wanted:
        return None
    content = SENSITIVE if found.sensitive else UNKNOWN
    filled = found.mask & wanted in (LIST, OBJECT)
    elements = some(LIST if filled else LISTS, content)
    if not found.mask & ~wanted:
        return project(elements, state)
    projected = attempt(project, elements, state)
    return None if projected is ABSENT else join(None, projected)
