"""Fields, chains of fields, indexes, literals and the two multi-selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.equality import length_range
from tfgate.query.errors import EvaluationError
from tfgate.query.state import ABSENT, Closure, State, attempt
from tfgate.query.values import (
    LIST,
    LISTS,
    NULL,
    OBJECT,
    SENSITIVE,
    UNKNOWN,
    Maybe,
    Unknown,
    join,
    restrict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


# --- Indexes and slices of lists, some elements of which may be absent.


def element_at(value: Any, position: int, state: State) -> Any:
    """Return ``value[position]``, null where there is none or where ``value`` is not a list."""
    if type(value) is not list:
        if type(value) is Unknown and value.mask & LIST:
            return SENSITIVE if value.sensitive else UNKNOWN
        return None
    if not value:
        return None
    if position == 0 or position == -1:  # the elements behind this one do not matter
        if type(value[position]) is not Maybe:
            return value[position]
    elif not state.has_maybe(value):
        return value[position] if -len(value) <= position < len(value) else None
    return _uncertain_element(value, position, state)


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
        result = join(result, _content(candidate))
    return result


def _content(element: Any) -> Any:
    return element.value if type(element) is Maybe else element


def sliced(value: Any, bounds: slice, state: State) -> Any:
    """Return ``value[bounds]``, null where ``value`` is not a list."""
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
    return join([Maybe(UNKNOWN, many=True)], None if value.mask & ~LISTS else [])


def _cut(elements: list[Any], bounds: slice, state: State) -> list[Any]:
    if not state.has_maybe(elements):
        return elements[bounds]
    if bounds.start is None and bounds.stop is None and bounds.step in (None, 1, -1):
        return elements[bounds]
    step = bounds.step or 1
    turned = elements if step > 0 else elements[::-1]
    return [state.maybe(_content(e), type(e) is Maybe and e.many) for e in turned]


def _field_of(value: Any) -> Any:
    if type(value) is Unknown and value.mask & OBJECT:
        return SENSITIVE if value.sensitive else UNKNOWN
    return None


def field(name: str) -> Closure:
    """Compile ``name``: null on everything that is not an object."""

    def one(value: Any, state: State) -> Any:
        if type(value) is dict:
            return value.get(name)
        return _field_of(value)

    return one


def chain(names: Sequence[str]) -> Closure:
    """Compile ``a.b.c``, the commonest shape of all, as one closure."""
    if len(names) == 2:
        return _chain_of_two(*names)
    if len(names) == 3:
        return _chain_of_three(*names)

    def several(value: Any, state: State) -> Any:
        for name in names:
            if type(value) is not dict:
                return _field_of(value)
            value = value.get(name)
        return value

    return several


def _chain_of_two(first: str, second: str) -> Closure:
    def two(value: Any, state: State) -> Any:
        if type(value) is dict:
            value = value.get(first)
            if type(value) is dict:
                return value.get(second)
        return _field_of(value)

    return two


def _chain_of_three(first: str, second: str, third: str) -> Closure:
    def three(value: Any, state: State) -> Any:
        if type(value) is dict:
            value = value.get(first)
            if type(value) is dict:
                value = value.get(second)
                if type(value) is dict:
                    return value.get(third)
        return _field_of(value)

    return three


def current(value: Any, state: State) -> Any:
    """``@``, and the empty left side of a bracket."""
    return value


def literal(constant: Any) -> Closure:
    """Compile a literal; lists and objects in it are shared, since nothing is ever changed."""

    def constantly(value: Any, state: State) -> Any:
        return constant

    return constantly


def sequence(parts: Sequence[Closure]) -> Closure:
    """Compile ``a | b`` and ``a.b``: each part on what the one before it gave."""
    if len(parts) == 2:
        first, second = parts

        def two(value: Any, state: State) -> Any:
            return second(first(value, state), state)

        return two

    def several(value: Any, state: State) -> Any:
        for part in parts:
            value = part(value, state)
        return value

    return several


def index(position: int) -> Closure:
    """Compile ``[n]``: null on what is not a list, and beyond its ends."""

    def at(value: Any, state: State) -> Any:
        return element_at(value, position, state)

    return at


def slicing(start: int | None, stop: int | None, step: int | None) -> Closure:
    """Compile ``[start:stop:step]``: null on what is not a list."""
    bounds = slice(start, stop, step)

    def cut(value: Any, state: State) -> Any:
        return sliced(value, bounds, state)

    return cut


def multi_select_list(parts: Sequence[Closure]) -> Closure:
    """Compile ``[a, b]``: null on null, else a list of all, nulls included."""
    if len(parts) == 2:
        return _pair(*parts)

    def build(value: Any, state: State) -> Any:
        if value is None or (type(value) is Unknown and value.mask & NULL):
            return _unless_null(value, build, state)
        return [part(value, state) for part in parts]

    return build


def _pair(first: Closure, second: Closure) -> Closure:
    def build(value: Any, state: State) -> Any:
        if value is None or (type(value) is Unknown and value.mask & NULL):
            return _unless_null(value, build, state)
        return [first(value, state), second(value, state)]

    return build


def multi_select_hash(pairs: Sequence[tuple[str, Closure]]) -> Closure:
    """Compile ``{x: a, y: b}``: null on null, else an object."""

    def build(value: Any, state: State) -> Any:
        if value is None or (type(value) is Unknown and value.mask & NULL):
            return _unless_null(value, build, state)
        return {key: part(value, state) for key, part in pairs}

    return build


def _unless_null(value: Any, build: Closure, state: State) -> Any:
    """Select from what may be null, which gives null."""
    if value is None:
        return None
    built = attempt(build, restrict(value, ~NULL), state)
    return None if built is ABSENT else join(None, built)
