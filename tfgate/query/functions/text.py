"""Functions that look at text or put it together: starts_with, ends_with, join, matches, glob."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.text import glob_matches
from tfgate.query.errors import BudgetError
from tfgate.query.functions.registry import function
from tfgate.query.state import LONG, TEXT
from tfgate.query.values import STRING, STRINGS, make

if TYPE_CHECKING:
    from collections.abc import Callable

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
    return make(STRING if filled else STRINGS)


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


_LONGEST_PATTERN: Final = 4096
_COMPILES: Final = 2_000
"""Steps of compiling a pattern that is not written out in the expression."""
_FAILS: Final = 100_000
"""Steps of finding that a pattern is too large: RE2 takes up to 10 ms."""


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> tuple[Callable[[bytes], Any], int]:
    """Compile a pattern: its search in UTF-8, and the number of its instructions.

    RE2 matches in time linear in the text. Where its automaton gets too many states, it follows all
    instructions at once instead, so that the time is that number times the characters.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError("pattern too long")
    import re2  # 2.5 ms: docs/performance.md

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 2 << 20
    try:
        made = re2.compile(pattern, options)
        return made.search, made.programsize
    except re2.error as error:
        raise ValueError(_reason(error)) from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _matches_any(state: State, subject: str, pattern: str) -> bool:
    """Match a pattern that comes from anywhere."""
    state.spend(_COMPILES)
    try:
        return _matches(state, subject, pattern)
    except ValueError:
        state.spend(_FAILS)
        raise


def _check_pattern(literals: tuple[Any, ...]) -> str | None:
    pattern = literals[1]
    if type(pattern) is not str:
        return None
    try:
        _compiled(pattern)
    except ValueError as error:
        return f"The pattern is not a regular expression of RE2's syntax: {error}."
    return None


@function(
    "matches(subject: string, pattern: string) -> boolean",
    "matches('t3.micro', '^t[23]')",
    True,
    dynamic=_matches_any,
    errors="The pattern is not a regular expression of RE2's syntax, or a text is not Unicode.",
    state=True,
    check=_check_pattern,
)
def _matches(state: State, subject: str, pattern: str) -> bool:
    """Whether a regular expression (RE2) is found anywhere in a string; ^ and $ tie it to the
    ends.
    """
    search, size = _compiled(pattern)
    state.left -= 1 + (len(subject) * size >> 5)
    if state.left < 0:
        state.spend(0)
    return search(subject.encode()) is not None  # given text, re2 counts characters first


@function(
    "glob(subject: string, pattern: string) -> boolean",
    "glob('module.net[\"a\"].aws_vpc.main', 'module.net[*')",
    True,
    errors="The pattern has more than 4,096 characters.",
    state=True,
)
def _glob(state: State, subject: str, pattern: str) -> bool:
    """Whether a whole string fits a glob: * stands for any characters, ? for one, and all others
    for themselves, brackets too.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError("pattern too long")
    state.spend(len(pattern))
    if "?" in pattern:
        state.spend(len(subject) * (8 + len(pattern)) >> 1)
    elif len(subject) > LONG:  # at worst each part of the pattern is looked for everywhere
        state.spend(len(subject) * min(len(pattern), 100) >> 9)
    return glob_matches(pattern, subject)
