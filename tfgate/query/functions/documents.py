"""parse_json: documents inside strings, such as IAM policies."""

from __future__ import annotations

import json
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.model.text import late
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import NOT_LITERAL, function

if TYPE_CHECKING:
    from tfgate.query.state import State

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode

LONGEST: Final = 4 * 1024 * 1024
"""Characters of the longest text that is read."""

DEEPEST: Final = 100
"""Levels of nesting of the deepest document that is read."""


KEPT: Final = 16 * 1024
"""Characters up to which a text that was read is kept, since several rules ask for the same."""


def _check(literals: tuple[Any, ...]) -> str | None:
    if literals[0] is NOT_LITERAL or type(literals[0]) is not str:
        return None
    try:
        parse_json(literals[0])
    except (ValueError, EvaluationError):
        return "The text is not a JSON document."
    return None


@function(
    "parse_json(text: string) -> any",
    "parse_json('{\"a\": [1]}').a",
    [1],
    errors="The text is not JSON, holds a key twice or a NaN, or is too long or nested too deeply.",
    state=True,
    check=_check,
)
def _parse(state: State, text: str) -> Any:
    """Read a string that holds a JSON document."""
    if len(text) > KEPT:
        state.spend(_steps(text))
        return read(text)
    value, steps = _kept(text)
    state.left -= steps
    if state.left < 0:
        state.spend(0)
    return value


def _steps(text: str) -> int:
    """Return the steps of reading a text: what is made of it is as large as its values are many."""
    return (len(text) >> 6) + text.count(",") + 4 * (text.count("{") + text.count("["))


def parse_json(text: str) -> Any:
    """Read a JSON text written by someone who may wish us ill."""
    return _kept(text)[0] if len(text) <= KEPT else read(text)


@lru_cache(maxsize=256)
def _kept(text: str) -> tuple[Any, int]:
    # Whatever evaluates an expression changes no value, so that one object serves all.
    return read(text), _steps(text)


def read(text: str) -> Any:
    """Read a text, however often it was read before; any exception says that it is none."""
    if len(text) > LONGEST:
        raise EvaluationError(f"parse_json() reads at most {LONGEST:,} characters.")
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(text):
        raise EvaluationError(f"parse_json() reads at most {DEEPEST} levels of nesting.")
    try:
        return _canonical(text)
    except (msgspec.MsgspecError, ValueError):
        return _DECODER.decode(text)


def _canonical(text: str) -> Any:
    """Read the form that most tools write, several times as fast; ValueError for every other.

    What msgspec reads and writes again to the same bytes has no key twice (one would be lost), no
    NaN, and no number that it reads in a way of its own.
    """
    found = _decode(text)
    if _encode(found) != text.encode():
        raise ValueError("not the form that msgspec writes")
    return found


_NO_BRACKETS: Final = late(r"[^\[\]{}]+")


def _is_deep(text: str) -> bool:
    """Whether brackets outside of strings are nested more than `DEEPEST` levels."""
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = _NO_BRACKETS.sub("", outside).replace("{", "[").replace("}", "]")
    for _ in range(DEEPEST):
        brackets = brackets.replace("[]", "")
    return "[" in brackets


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise ValueError("a key stands twice")
    return built


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("number out of range")
    return number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
)
