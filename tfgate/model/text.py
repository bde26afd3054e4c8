"""Globs over addresses, types and names: ``*`` and ``?`` are wild, all else stands for itself.

Brackets are no character sets here: addresses are full of them (``aws_subnet.a["b"]``). Matching is
linear in the text for each ``*``, whatever the text: addresses come from the plan and are hostile.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, AnyStr, Final, cast


def glob_matches(glob: str, text: str) -> bool:
    """Whether the whole of ``text`` matches ``glob``."""
    return compile_glob(glob)(text)


def any_glob(globs: Sequence[str]) -> Callable[[str], bool]:
    """Return a test whether a text matches one of ``globs``; no globs at all match everything."""
    tests = [compile_glob(glob) for glob in globs]
    if not tests:
        return lambda text: True
    if len(tests) == 1:
        return tests[0]
    return lambda text: any(test(text) for test in tests)


@lru_cache(maxsize=4096)
def compile_glob(glob: str) -> Callable[[str], bool]:
    """Compile ``glob`` into a test of a whole text."""
    pieces = glob.split("*")
    if len(pieces) == 1:
        return glob.__eq__ if "?" not in glob else lambda text: _fits(glob, text, exact=True)
    first, *middle, last = pieces
    return lambda text: _matches_pieces(first, [piece for piece in middle if piece], last, text)


def _matches_pieces(first: str, middle: list[str], last: str, text: str) -> bool:
    """Match ``first*middle…*last`` greedily from the left, which is exact for globs."""
    if len(text) < len(first) + len(last) or not _fits(first, text):
        return False
    stop = len(text) - len(last)
    if not _fits(last, text[stop:]):
        return False
    position = len(first)
    for piece in middle:
        position = _find(piece, text, position, stop)
        if position < 0:
            return False
    return True


def _fits(piece: str, text: str, *, exact: bool = False) -> bool:
    """Whether ``text`` begins with ``piece`` (or is as long, where ``exact``)."""
    if exact and len(piece) != len(text):
        return False
    if "?" not in piece:
        return text.startswith(piece)
    return len(text) >= len(piece) and all(
        wanted in ("?", got) for wanted, got in zip(piece, text, strict=False)
    )


def _find(piece: str, text: str, start: int, stop: int) -> int:
    """Return the end of the first place in ``text[start:stop]`` that fits ``piece``, or -1."""
    if "?" not in piece:
        found = text.find(piece, start, stop)
        return found + len(piece) if found >= 0 else -1
    for position in range(start, stop - len(piece) + 1):
        if _fits(piece, text[position : position + len(piece)]):
            return position + len(piece)
    return -1


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what ``re.compile`` gives, for a pattern that most runs have no use for.

    Compiling takes 0.1 to 0.5 ms a pattern, which a command that ends after 0.1 s feels.
    """
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))


class _Late:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        """Compile at the first use; a method looked up once is an attribute from then on."""
        value = getattr(re.compile(*self._source), name)
        setattr(self, name, value)
        return value


# Python's ``isprintable`` goes by category: it refuses controls, bidirectional and other format
# characters, lone surrogates, and every space but the plain one. Left are letters and marks that
# show nothing at all: variation selectors, of which a whole text can be made that nobody sees, and
# fillers (Unicode's Default_Ignorable_Code_Point, and the blank of Braille).
_INVISIBLE: Final = late(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\U000e0100-\U000e01ef]"
)


def is_printable(text: str) -> bool:
    """Whether every character of a text shows."""
    return text.isprintable() and (text.isascii() or not _INVISIBLE.search(text))


LONGEST = 256
"""Characters that are kept of one value: longer than any login, key or URL met in practice."""

_REPLACED = "�"


def clean(value: object, longest: int = LONGEST) -> str:
    """Return ``value`` as one line without control, format or surrogate characters.

    Those, and separators of lines and paragraphs (Unicode categories C*, Zl, Zp), become U+FFFD,
    surrounding white space goes, and what is longer than ``longest`` characters is cut and ends in
    ``…``. Anything but a string, an integer or a boolean gives ``""``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 256 else ""
    if not isinstance(value, str):
        return ""
    text = value[: longest * 4].strip()
    if not (text.isascii() and text.isprintable()):
        text = "".join(_REPLACED if _breaks(unicodedata.category(c)) else c for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _breaks(category: str) -> bool:
    """Whether characters of a category show nothing, or end a line or a paragraph."""
    return category[0] == "C" or category in ("Zl", "Zp")
