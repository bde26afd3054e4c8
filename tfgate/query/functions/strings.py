"""Standard functions on strings: starts_with, ends_with, join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.errors import BudgetError
from tfgate.query.functions.registry import function
from tfgate.query.state import TEXT
from tfgate.query.values import STRING, STRINGS

if TYPE_CHECKING:
    from tfgate.query.state import State


@function(
    "join(glue: string, parts: array-string) -> string",
    "join(', ', ['a', 'b'])",
    "a, b",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _join(state: State, glue: Any, parts: list[Any]) -> Any:
    """Put strings together, with a separator between them."""
    if type(glue) is str and all(type(part) is str for part in parts):
        length = sum(map(len, parts)) + len(glue) * len(parts)
        if length > TEXT:
            raise BudgetError("join() would make a string that is too long.")
        state.read(length)
        return glue.join(parts)
    filled = any(type(part) is str and part for part in parts)
    return state.make(STRING if filled else STRINGS)


@function(
    "starts_with(subject: string, prefix: string) -> boolean",
    "starts_with('aws_instance', 'aws_')",
    True,
    call=str.startswith,
    total=True,
    standard=True,
)
def _starts_with(state: State, subject: str, prefix: str) -> bool:
    """Whether a string begins with another."""
    state.spend(len(prefix) >> 10)
    return subject.startswith(prefix)


@function(
    "ends_with(subject: string, suffix: string) -> boolean",
    "ends_with('main.tf', '.tf')",
    True,
    call=str.endswith,
    total=True,
    standard=True,
)
def _ends_with(state: State, subject: str, suffix: str) -> bool:
    """Whether a string ends with another."""
    state.spend(len(suffix) >> 10)
    return subject.endswith(suffix)
