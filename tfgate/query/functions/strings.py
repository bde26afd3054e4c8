"""Functions that make text of text, and find places in it: those of JMESPath Community (JEP 14).

find_first, find_last, lower, upper, pad_left, pad_right, replace, split, trim, trim_left,
trim_right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import BudgetError
from tfgate.query.functions.registry import function
from tfgate.query.state import LONG, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.state import State

_SHORT: Final = 128
"""Characters up to which another case is made in a step or two: it takes longer than reading."""
_PIECES: Final = 1_000_000
_PIECE: Final = 3
"""Steps of making a part of a text."""


def _whole(number: Any) -> int:
    """Return a number that is an integer as one; ValueError otherwise."""
    if type(number) is float and number.is_integer():
        return int(number)
    if type(number) is not int:
        raise ValueError("not an integer")
    return number


def _natural(number: Any) -> int:
    whole = _whole(number)
    if whole < 0:
        raise ValueError("negative")
    return whole


def _checked(read: Callable[[Any], int], first: int, complaint: str) -> Callable[..., str | None]:
    """Return a check of the numbers that are written out, from the argument ``first`` on."""

    def check(literals: tuple[Any, ...]) -> str | None:
        try:
            for found in literals[first:]:
                if type(found) in (int, float):
                    read(found)
        except ValueError:
            return complaint
        return None

    return check


def _search(state: State, subject: str, sub: str) -> None:
    """Take the steps of a search: at worst each character is compared with each."""
    if len(subject) > LONG:
        state.spend(len(subject) * min(len(sub), 100) >> 9)


_INTEGERS: Final = _checked(_whole, 2, "start and end must be integers.")
_NOT_INTEGERS: Final = "start or end is no integer."


@function(
    "find_first(subject: string, sub: string, start?: number, end?: number) -> number|null",
    "find_first('subject string', 'string')",
    8,
    errors=_NOT_INTEGERS,
    state=True,
    check=_INTEGERS,
)
def _find_first(
    state: State, subject: str, sub: str, start: Any = 0, end: Any = None
) -> int | None:
    """Return where a text first stands in a string, counted from 0, between start and end (which
    count from the end where they are negative); null where it does not, and for empty texts.
    """
    bounds = _whole(start), len(subject) if end is None else _whole(end)
    _search(state, subject, sub)
    found = subject.find(sub, *bounds) if sub else -1
    return None if found < 0 else found


@function(
    "find_last(subject: string, sub: string, start?: number, end?: number) -> number|null",
    "find_last('subject string', 's')",
    8,
    errors=_NOT_INTEGERS,
    state=True,
    check=_INTEGERS,
)
def _find_last(state: State, subject: str, sub: str, start: Any = 0, end: Any = None) -> int | None:
    """Return where a text last stands in a string: as find_first does, from the other side."""
    bounds = _whole(start), len(subject) if end is None else _whole(end)
    state.spend(len(subject) * len(sub) >> 7)  # Python searches backwards without a table
    found = subject.rfind(sub, *bounds) if sub else -1
    return None if found < 0 else found


@function("lower(subject: string) -> string", "lower('ABC')", "abc", state=True, total=True)
def _lower(state: State, subject: str) -> str:
    """Return a string in lower case."""
    if len(subject) > _SHORT:
        state.read(2 * len(subject))
    return subject.lower()


@function("upper(subject: string) -> string", "upper('abc')", "ABC", state=True, total=True)
def _upper(state: State, subject: str) -> str:
    """Return a string in upper case."""
    if len(subject) > _SHORT:
        state.read(2 * len(subject))
    return subject.upper()


def _padding(state: State, subject: str, width: Any, pad: str) -> str:
    """Return the characters that a string lacks."""
    lacking = _whole(width) - len(subject)
    if len(pad) != 1:
        raise ValueError("not one character")
    if lacking > TEXT:
        raise BudgetError("The padded string would be too long.")
    state.read(max(lacking, 0) + len(subject))
    return pad * lacking


def _check_padding(literals: tuple[Any, ...]) -> str | None:
    if type(literals[2]) is str and len(literals[2]) != 1:
        return "pad must be one character."
    return _WIDTH(literals)


_WIDTH: Final = _checked(_whole, 1, "width must be an integer.")
_NOT_PADDED: Final = "width is no integer, or pad is not one character."


@function(
    "pad_left(subject: string, width: number, pad?: string) -> string",
    "pad_left('7', `3`, '0')",
    "007",
    errors=_NOT_PADDED,
    state=True,
    check=_check_padding,
)
def _pad_left(state: State, subject: str, width: Any, pad: str = " ") -> str:
    """Return a string that is at least so wide, filled with spaces or pad at its beginning."""
    return _padding(state, subject, width, pad) + subject


@function(
    "pad_right(subject: string, width: number, pad?: string) -> string",
    "pad_right('7', `3`, '.')",
    "7..",
    errors=_NOT_PADDED,
    state=True,
    check=_check_padding,
)
def _pad_right(state: State, subject: str, width: Any, pad: str = " ") -> str:
    """Return a string that is at least so wide, filled with spaces or pad at its end."""
    return subject + _padding(state, subject, width, pad)


_NOT_COUNT: Final = "count is no integer, or negative."
_COUNT_WORDS: Final = "count must be an integer that is not negative."


@function(
    "replace(subject: string, old: string, new: string, count?: number) -> string",
    "replace('a-b-c', '-', '.')",
    "a.b.c",
    errors=_NOT_COUNT,
    state=True,
    check=_checked(_natural, 3, _COUNT_WORDS),
)
def _replace(state: State, subject: str, old: str, new: str, count: Any = None) -> str:
    """Return a string in which a text, wherever it stands or so many times from the left, is
    replaced by another.
    """
    most = len(subject) + 1 if count is None else _natural(count)
    _search(state, subject, old)
    replaced = min(most, subject.count(old))
    length = len(subject) + replaced * (len(new) - len(old))
    if length > TEXT:
        raise BudgetError("replace() would make a string that is too long.")
    state.read(len(subject) + length)
    state.spend(replaced)
    return subject.replace(old, new, replaced)


@function(
    "split(subject: string, search: string, count?: number) -> array-string",
    "split('a,b', ',')",
    ["a", "b"],
    errors=_NOT_COUNT,
    state=True,
    check=_checked(_natural, 2, _COUNT_WORDS),
)
def _split(state: State, subject: str, search: str, count: Any = None) -> list[str]:
    """Return the parts of a string between the places where a text stands, at most so many from the
    left and the rest; the characters where the text is empty.
    """
    if len(subject) > LONG:
        state.read(len(subject))
        _search(state, subject, search)
    pieces = subject.count(search) if search else len(subject)
    pieces = pieces if count is None else min(pieces, _natural(count))
    if pieces > _PIECES:
        raise BudgetError("split() would make a list that is too long.")
    state.spend(pieces * _PIECE)
    if search:
        return subject.split(search, pieces)
    rest = subject[pieces:]
    if not pieces:
        return [subject] if rest or count is not None else []
    return [*subject[:pieces], rest] if rest else list(subject)


def _trimmed(state: State, subject: str, chars: str) -> str | None:
    """Take the steps of trimming, and return what Python wants: None for white space."""
    state.spend((len(subject) * (len(chars) + 8) >> 7) + (len(chars) >> 4))
    return chars or None


@function(
    "trim(subject: string, chars?: string) -> string", "trim(' a ')", "a", state=True, total=True
)
def _trim(state: State, subject: str, chars: str = "") -> str:
    """Return a string without the white space, or the characters in chars, at both its ends."""
    return subject.strip(_trimmed(state, subject, chars))


@function(
    "trim_left(subject: string, chars?: string) -> string",
    "trim_left('007', '0')",
    "7",
    state=True,
    total=True,
)
def _trim_left(state: State, subject: str, chars: str = "") -> str:
    """Return a string without the white space, or the characters in chars, at its beginning."""
    return subject.lstrip(_trimmed(state, subject, chars))


@function(
    "trim_right(subject: string, chars?: string) -> string",
    "trim_right('a//', '/')",
    "a",
    state=True,
    total=True,
)
def _trim_right(state: State, subject: str, chars: str = "") -> str:
    """Return a string without the white space, or the characters in chars, at its end."""
    return subject.rstrip(_trimmed(state, subject, chars))
