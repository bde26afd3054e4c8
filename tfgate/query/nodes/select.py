"""Fields, chains of fields, indexes, literals and the two multi-selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.nodes.indexing import element_at, sliced
from tfgate.query.state import ABSENT, Closure, State, attempt
from tfgate.query.values import NULL, OBJECT, SENSITIVE, UNKNOWN, Unknown, restrict

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    return None if built is ABSENT else state.join(None, built)
