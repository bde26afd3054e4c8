"""Standard functions on strings: starts_with, ends_with, join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import BudgetError
from tfgate.query.functions.registry import Function, Parameter
from tfgate.query.state import TEXT
from tfgate.query.values import STRING, STRINGS

if TYPE_CHECKING:
    from tfgate.query.state import State


def _join(state: State, glue: Any, parts: list[Any]) -> Any:
    if type(glue) is str and all(type(part) is str for part in parts):
        length = sum(map(len, parts)) + len(glue) * len(parts)
        if length > TEXT:
            raise BudgetError("join() would make a string that is too long.")
        state.read(length)
        return glue.join(parts)
    filled = any(type(part) is str and part for part in parts)
    return state.make(STRING if filled else STRINGS)


def _starts_with(state: State, subject: str, prefix: str) -> bool:
    state.spend(len(prefix) >> 10)
    return subject.startswith(prefix)


def _ends_with(state: State, subject: str, suffix: str) -> bool:
    state.spend(len(suffix) >> 10)
    return subject.endswith(suffix)


FUNCTIONS: Final = (
    Function(
        name="starts_with",
        parameters=(Parameter("subject", "string"), Parameter("prefix", "string")),
        returns="boolean",
        doc="Says whether a string begins with another.",
        example="starts_with('aws_instance', 'aws_')",
        result=True,
        call=str.startswith,
        dynamic=_starts_with,
        total=True,
        standard=True,
    ),
    Function(
        name="ends_with",
        parameters=(Parameter("subject", "string"), Parameter("suffix", "string")),
        returns="boolean",
        doc="Says whether a string ends with another.",
        example="ends_with('main.tf', '.tf')",
        result=True,
        call=str.endswith,
        dynamic=_ends_with,
        total=True,
        standard=True,
    ),
    Function(
        name="join",
        parameters=(Parameter("glue", "string"), Parameter("parts", "array-string")),
        returns="string",
        doc="Puts strings together, with a separator between them.",
        example="join(', ', ['a', 'b'])",
        result="a, b",
        call=_join,
        state=True,
        handles_unknown=True,
        standard=True,
    ),
)
