"""Functions on objects: keys, values, merge of the standard; items, from_items; get."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import has_unknown
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import function
from tfgate.query.values import (
    EMPTY_OBJECT,
    LIST,
    LISTS,
    NULL,
    OBJECT,
    OBJECTS,
    SENSITIVE,
    STRINGS,
    UNKNOWN,
    Maybe,
    Unknown,
    join,
    kinds,
    make,
    restrict,
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
    "items(subject: object) -> array",
    'items(`{"a": 1, "b": 2}`)',
    [["a", 1], ["b", 2]],
    state=True,
    handles_unknown=True,
    total=True,
)
def _items(state: State, subject: Any) -> Any:
    """Return the keys of an object, each in a list of two with its value."""
    if type(subject) is dict:
        state.spend(_PAIR * len(subject))
        return [[key, value] for key, value in subject.items()]
    return _each(state, subject, [Unknown(STRINGS), UNKNOWN])


@function(
    "from_items(pairs: array) -> object",
    "from_items([['a', `1`], ['b', `2`]])",
    {"a": 1, "b": 2},
    errors="An element is not a list of a string and a value.",
    state=True,
    handles_unknown=True,
)
def _from_items(state: State, pairs: list[Any]) -> Any:
    """Return the object of such keys and values; of two equal keys the later wins."""
    state.spend(_PAIR * len(pairs))
    made: dict[str, Any] = {}
    known = True
    for element in pairs:
        pair = element.value if type(element) is Maybe else element
        fits = _is_pair(pair)
        if fits is False and element is pair:
            raise EvaluationError("from_items() takes lists of a string and a value.")
        if fits and element is pair:
            made[pair[0]] = pair[1]
            continue
        known = False
        state.may_raise = state.may_raise or not fits
    if known:
        return made
    return make(OBJECT if any(type(element) is not Maybe for element in pairs) else OBJECTS)


def _is_pair(value: Any) -> bool | None:
    """Whether it is a list of a string and a value; None where that is not known."""
    if not kinds(value) & LIST:
        return False
    if type(value) is not list or any(type(part) is Maybe for part in value[:3]):
        return None
    if len(value) != 2 or not kinds(value[0]) & STRINGS:
        return False
    return True if type(value[0]) is str else None


@function(
    "get(subject: object|null, key: string, default?: any) -> any",
    "get(`{\"prod\": 3}`, 'dev', `1`)",
    1,
    state=True,
    handles_unknown=True,
    total=True,
)
def _get(state: State, subject: Any, key: Any, default: Any = None) -> Any:
    """Return the value that an object has under a key, the default where that is null or missing.

    The key need not be written out: ``get($params.limits, after.tags.env, `10`)``.
    """
    if subject is None:
        return default
    if type(subject) is not dict:
        return join(_hidden(subject), default)
    if type(key) is str:
        return _or_default(subject.get(key), default)
    state.spend(len(subject))
    return reduce(join, (_or_default(found, default) for found in subject.values()), default)


def _hidden(value: Any) -> Any:
    return SENSITIVE if value.sensitive else UNKNOWN


def _or_default(found: Any, default: Any) -> Any:
    if found is None:
        return default
    if type(found) is Unknown and found.mask & NULL:
        rest = found.mask & ~NULL
        return join(restrict(found, rest), default)
    return found


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
