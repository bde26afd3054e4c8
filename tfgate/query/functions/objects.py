"""Standard functions on objects: keys, values, merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import has_unknown
from tfgate.query.functions.registry import function
from tfgate.query.values import (
    EMPTY_OBJECT,
    LIST,
    LISTS,
    OBJECT,
    OBJECTS,
    STRINGS,
    UNKNOWN,
    Unknown,
    kinds,
    make,
    some,
)

if TYPE_CHECKING:
    from tfgate.query.state import State


_PAIR: Final = 4
"""Steps of keeping a key and its value."""


@function(
    "keys(subject: object) -> array-string",
    'keys(`{"a": 1}`)',
    ["a"],
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _keys(state: State, subject: Any) -> Any:
    """Return the keys of an object."""
    if type(subject) is dict:
        state.spend(len(subject))
        return list(subject)
    return _each(state, subject, Unknown(STRINGS))


@function(
    "values(subject: object) -> array",
    'values(`{"a": 1}`)',
    [1],
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _values(state: State, subject: Any) -> Any:
    """Return the values of an object."""
    if type(subject) is dict:
        state.spend(len(subject))
        return list(subject.values())
    return _each(state, subject, UNKNOWN)


def _each(state: State, subject: Unknown, value: Any) -> Any:
    """Return a list of ``value``, one for each key of an unknown object."""
    return some(LISTS if subject.mask & EMPTY_OBJECT else LIST, value)


@function(
    "merge(first: object, *others: any) -> object",
    'merge(`{"a": 1}`, `{"b": 2}`)',
    {"a": 1, "b": 2},
    errors="One of the arguments is not an object.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _merge(state: State, *parts: Any) -> Any:
    """Put objects together; of two equal keys the later wins.

    Merge as the jmespath package does, which checks the type of the first argument alone.

    The others go to ``dict.update``, so that an empty string or a list of pairs passes.
    """
    if all(type(part) is dict or not has_unknown(part, state) for part in parts):
        state.spend(_PAIR * sum(len(part) for part in parts if type(part) is dict))
        merged: dict[str, Any] = {}
        for part in parts:
            merged.update(part)
        return merged
    for part in parts:
        if type(part) is not Unknown and type(part) is not list:
            {}.update(part)  # fails here if it fails in every completion
    state.may_raise = state.may_raise or any(kinds(part) & ~OBJECTS for part in parts)
    filled = any(kinds(part) == OBJECT for part in parts)
    return make(OBJECT if filled else OBJECTS)
