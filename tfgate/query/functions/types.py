"""Standard functions on types: not_null, to_array, to_number, to_string, type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import has_unknown
from tfgate.query.errors import BudgetError, EvaluationError
from tfgate.query.functions.registry import TYPE_MASKS, function
from tfgate.query.state import ABSENT, TEXT
from tfgate.query.values import (
    EMPTY_STRING,
    LISTS,
    NULL,
    NUMBER,
    STRING,
    STRINGS,
    UNKNOWN,
    Expref,
    Unknown,
    join,
    kinds,
    make,
    restrict,
)

if TYPE_CHECKING:
    from tfgate.query.state import State

_NOT_JSON: Final = TYPE_MASKS["expref"]
_TYPE_NAMES: Final = ("null", "boolean", "number", "string", "array", "object")


@function(
    "not_null(first: any, *others: any) -> any",
    "not_null(`null`, 'a')",
    "a",
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _not_null(state: State, *candidates: Any) -> Any:
    """Return the first argument that is not null, null where there is none."""
    result: Any = ABSENT
    for candidate in candidates:
        if candidate is None:
            continue
        nullable = type(candidate) is Unknown and candidate.mask & NULL
        found = restrict(candidate, ~NULL) if nullable else candidate
        result = found if result is ABSENT else join(result, found)
        if not nullable:
            return result
    return None if result is ABSENT else join(result, None)


@function(
    "to_array(value: any) -> array",
    "to_array('a')",
    ["a"],
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _to_array(state: State, subject: Any) -> Any:
    """Return a list as it is and everything else as a list of one element."""
    if type(subject) is list:
        return subject
    if type(subject) is not Unknown or not subject.mask & LISTS:
        return [subject]
    if not subject.mask & ~LISTS:
        return subject
    return [state.maybe(UNKNOWN, many=True)]


@function(
    "to_number(value: any) -> number|null",
    "to_number('22')",
    22,
    errors="The argument is an expression reference.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _to_number(state: State, subject: Any) -> Any:
    """Read a string as a number, return a number as it is, and null for everything else."""
    if type(subject) is str:
        state.read(len(subject))
        return _parsed_number(subject)
    if type(subject) is int or type(subject) is float:
        return subject
    if type(subject) is Unknown:
        state.may_raise = state.may_raise or bool(subject.mask & _NOT_JSON)
        mask = NUMBER if subject.mask & (STRINGS | NUMBER) else 0
        return make(mask | (NULL if subject.mask & ~NUMBER else 0))
    if type(subject) is Expref:
        raise EvaluationError("to_number() does not take an expression reference.")
    return None


def _parsed_number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


@function(
    "to_string(value: any) -> string",
    "to_string(`[1]`)",
    "[1]",
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _to_string(state: State, subject: Any) -> Any:
    """Return a string as it is and everything else as JSON text."""
    if type(subject) is str:
        return subject
    if has_unknown(subject, state):
        may_be_empty = kinds(subject) & EMPTY_STRING
        return make(STRINGS if may_be_empty else STRING)
    _refuse_long(subject, state)
    text = json.dumps(subject, separators=(",", ":"), default=_reference)
    if len(text) > TEXT:
        raise _too_long()
    state.read(len(text))
    return text


def _refuse_long(subject: Any, state: State) -> None:
    """Refuse a value whose texts are too long together: one text may stand in it many times."""
    pending, length = [subject], 0
    while pending:
        found = pending.pop()
        kind = type(found)
        if kind is str:
            length += len(found)
        elif kind is list:
            length += len(found)
            state.spend(len(found))
            pending.extend(found)
        elif kind is dict:
            length += sum(map(len, found))
            state.spend(2 * len(found))
            pending.extend(found.values())
        if length > TEXT:
            raise _too_long()


def _too_long() -> BudgetError:
    return BudgetError("to_string() would make a string that is too long.")


def _reference(found: object) -> str:
    """Write an expression reference; the jmespath package writes its address in memory."""
    return "<expression>"


@function(
    "type(value: any) -> string",
    "type('a')",
    "string",
    state=True,
    handles_unknown=True,
    total=True,
    standard=True,
)
def _type(state: State, subject: Any) -> Any:
    """Return the name of a value's type: null, boolean, number, string, array or object."""
    mask = kinds(subject)
    for name in _TYPE_NAMES:
        if not mask & ~TYPE_MASKS[name]:
            return name
    if mask == _NOT_JSON:
        return None
    return make(STRING | (NULL if mask & _NOT_JSON else 0))
