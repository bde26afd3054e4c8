"""Values as the outside sees them: of the unknowns only `UNKNOWN` and `SENSITIVE`."""

from __future__ import annotations

from typing import Any

from tfgate.query.values import SENSITIVE, UNKNOWN, Maybe, Unknown


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
