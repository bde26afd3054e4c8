"""Functions on text that tfgate adds: matches, glob, lower, upper, split."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import re2

from tfgate.query.errors import BudgetError
from tfgate.query.functions.registry import Function, Parameter
from tfgate.query.state import LONG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.state import State

_SHORT: Final = 128
"""Characters up to which another case is made in a step or two: it takes longer than reading."""
_PIECES: Final = 1_000_000
_LONGEST_PATTERN: Final = 4096
_COMPILES: Final = 2_000
"""Steps of compiling a pattern that is not written out in the expression."""
_PIECE: Final = 3
"""Steps of making a part of a text."""
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


def _matches(state: State, subject: str, pattern: str) -> bool:
    search, size = _compiled(pattern)
    state.left -= 1 + (len(subject) * size >> 5)
    if state.left < 0:
        state.spend(0)
    return search(subject.encode()) is not None  # given text, re2 counts characters first


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


@lru_cache(maxsize=256)
def _translated(pattern: str) -> str:
    """Write a glob as a regular expression that matches the whole text."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError("pattern too long")

    parts, position = [r"(?s)\A"], 0
    while position < len(pattern):
        character = pattern[position]
        end = pattern.find("]", position + 2) if character == "[" else -1
        if end > 0:
            parts.append(_character_set(pattern[position + 1 : end]))
            position = end
        else:
            parts.append({"*": ".*", "?": "."}.get(character) or re2.escape(character))
        position += 1
    return "".join(parts) + r"\z"


def _character_set(inside: str) -> str:
    negated = inside.startswith("!")
    body = inside[negated:].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
    return f"[{'^' if negated else ''}{body}]"


def _glob(state: State, subject: str, pattern: str) -> bool:
    return _matches(state, subject, _translated(pattern))


def _glob_any(state: State, subject: str, pattern: str) -> bool:
    """Match a glob that comes from anywhere."""
    state.spend(len(pattern))
    return _matches_any(state, subject, _translated(pattern))


def _lower(state: State, subject: str) -> str:
    if len(subject) > _SHORT:
        state.read(2 * len(subject))
    return subject.lower()


def _upper(state: State, subject: str) -> str:
    if len(subject) > _SHORT:
        state.read(2 * len(subject))
    return subject.upper()


def _check_glob(literals: tuple[Any, ...]) -> str | None:
    if type(literals[1]) is not str:
        return None
    try:
        _compiled(_translated(literals[1]))
    except ValueError:
        return "The pattern is not a glob: look at its [ ] part."
    return None


def _split(state: State, subject: str, separator: str) -> list[str]:
    if len(subject) > LONG:
        state.read(len(subject))
    pieces = subject.count(separator)
    if pieces > _PIECES:
        raise BudgetError("split() would make a list that is too long.")
    state.spend(pieces * _PIECE)
    return subject.split(separator)


def _check_split(literals: tuple[Any, ...]) -> str | None:
    return "The separator must not be empty." if literals[1] == "" else None


_SUBJECT: Final = Parameter("subject", "string")

FUNCTIONS: Final = (
    Function(
        name="matches",
        parameters=(_SUBJECT, Parameter("pattern", "string")),
        returns="boolean",
        doc=(
            "Says whether a regular expression (RE2) is found anywhere in a string; "
            "^ and $ tie it to the ends."
        ),
        example="matches('t3.micro', '^t[23]')",
        result=True,
        call=_matches,
        dynamic=_matches_any,
        state=True,
        errors="The pattern is not a regular expression of RE2's syntax, or a text is not Unicode.",
        check=_check_pattern,
    ),
    Function(
        name="glob",
        parameters=(_SUBJECT, Parameter("pattern", "string")),
        returns="boolean",
        doc=(
            "Says whether a whole string fits a glob: * for any characters, ? for one, "
            "[abc] for one of some, [!abc] for one of all others."
        ),
        example="glob('module.net.aws_vpc.main', 'module.*')",
        result=True,
        call=_glob,
        dynamic=_glob_any,
        state=True,
        errors="The pattern is not a glob, or a text is not Unicode.",
        check=_check_glob,
    ),
    Function(
        name="lower",
        parameters=(_SUBJECT,),
        returns="string",
        doc="Gives a string in lower case.",
        example="lower('ABC')",
        result="abc",
        call=_lower,
        state=True,
        total=True,
    ),
    Function(
        name="upper",
        parameters=(_SUBJECT,),
        returns="string",
        doc="Gives a string in upper case.",
        example="upper('abc')",
        result="ABC",
        call=_upper,
        state=True,
        total=True,
    ),
    Function(
        name="split",
        parameters=(_SUBJECT, Parameter("separator", "string")),
        returns="array-string",
        doc="Gives the parts of a string between the separators.",
        example="split('a,b', ',')",
        result=["a", "b"],
        call=_split,
        state=True,
        errors="The separator is empty.",
        check=_check_split,
    ),
)
