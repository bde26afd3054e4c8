"""Values as the outside sees them: of the unknowns only `UNKNOWN` and `SENSITIVE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.values import SENSITIVE, UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.query.state import State


def measure(value: Any, state: State) -> None:
    """Take the steps of going through a value; one part may stand in it many times."""
    pending, seen = [value], 0
    while pending:
        found = pending.pop()
        kind = type(found)
        if kind is list or kind is Maybe or kind is dict:
            inner: Any = (
                found if kind is list else [found.value] if kind is Maybe else found.values()
            )
            seen += len(inner) + 2
            if seen > state.left:
                break
            pending.extend(inner)
    state.spend(seen)


def published(value: Any, *, lists: bool = True) -> Any:
    """Widen every inner unknown to the public one it is an instance of.

    With ``lists`` a list keeps its `Maybe` elements; without, a list that has one is unknown as a
    whole, for readers who look for `UNKNOWN` alone.
    """
    kind = type(value)
    if kind is Unknown:
        return SENSITIVE if value.sensitive else UNKNOWN
    if kind is list:
        if not lists and any(type(element) is Maybe for element in value):
            return UNKNOWN
        return [published(element, lists=lists) for element in value]
    if kind is dict:
        return {key: published(part, lists=lists) for key, part in value.items()}
    if kind is Maybe:
        return Maybe(published(value.value), value.many)
    return value
