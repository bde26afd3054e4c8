"""Make values safe to write: no hostile character, no number that JSON readers disagree on.

What comes out can be serialised to RFC 8785 whatever went in, so that a strange value in a
message can never keep a decision from being recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.model.pattern import late

if TYPE_CHECKING:
    import re

SAFE_INTEGER = 2**53 - 1
"""RFC 8785 (through I-JSON, RFC 7493 section 2.2) has no larger integers."""

MAX_DEPTH = 64
"""Objects and arrays nested deeper than this are replaced by a sentence."""

_HOSTILE = late(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters (ANSI escapes) except tab and newline
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # invisible, bidi, line breaks
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # surrogates, marks, tags
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # fillers
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors: a whole text can be made of them
    "]"
)
_HOSTILE_ESCAPE = late(rb"\\(?:u00|[bfr])")
"""How JSON writes control characters but tab and newline; only DEL stands in it as it is."""
_ASCII = bytes(range(0x80))
# Code point order (msgspec's) and UTF-16 order (RFC 8785's) of keys differ only where a key has
# a character from here on, so that keys are kept below it.
_HOSTILE_IN_KEY = late("[\n\t\ue000-\U0010ffff]")


def is_harmless(data: bytes) -> bool:
    """Say whether JSON text has no character that ``neutralise_text`` would write differently.

    May say no for harmless text (a JSON escape may spell an escape); never yes for the other.
    """
    # DEL apart: of a pattern that begins with one and the same character, megabytes take 1 ms.
    if b"\x7f" in data or _HOSTILE_ESCAPE.search(data) is not None:
        return False
    return data.isascii() or _HOSTILE.search(data.translate(None, _ASCII).decode()) is None


def neutralise_text(text: str) -> str:
    """Write control, bidirectional and invisible characters as ``<U+202E>``, and lone surrogates.

    Tab and newline stay: JSON escapes them, and a record stays one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HOSTILE.sub(_name, text)


def neutralise(value: object) -> Any:
    """Give ``value`` as plain JSON data that RFC 8785 can write.

    Integers beyond 2**53 - 1 and all floats become strings (``"9007199254740993"``, ``"0.5"``,
    ``"nan"``): records hold integers only, so that every reader agrees on them. ``bytes``, dates
    and other types become their text.
    """
    return _walk(value, 0)


def _walk(value: object, depth: int) -> Any:
    # The commonest types first: a record with a thousand findings has tens of thousands of values.
    if isinstance(value, str):
        return neutralise_text(value.value if isinstance(value, Enum) else value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -SAFE_INTEGER <= value <= SAFE_INTEGER else _digits(value)
    if depth >= MAX_DEPTH:
        return "(nested too deeply to record)"
    if isinstance(value, (dict, Mapping)):
        return {_key(key): _walk(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(item, depth + 1) for item in value]
    return _other(value, depth)


def _other(value: object, depth: int) -> Any:
    if isinstance(value, msgspec.Struct):
        return _walk(msgspec.to_builtins(value, enc_hook=str), depth)
    if isinstance(value, (set, frozenset)):
        return sorted((_walk(item, depth + 1) for item in value), key=str)
    return neutralise_text(str(value.value if isinstance(value, Enum) else value))


def _key(key: object) -> str:
    return _key_text(key) if type(key) is str else _key_text(str(getattr(key, "value", key)))


@lru_cache(maxsize=1024)
def _key_text(text: str) -> str:
    text = neutralise_text(text)
    return text if text.isascii() and text.isprintable() else _HOSTILE_IN_KEY.sub(_name, text)


def _digits(value: int) -> str:
    # str() of a huge integer raises above sys.get_int_max_str_digits(); hex() never does.
    return str(value) if value.bit_length() < 10_000 else hex(value)


def _name(match: re.Match[str]) -> str:
    return f"<U+{ord(match.group()):04X}>"
