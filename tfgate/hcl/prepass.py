"""Rewrites HCL into plainer HCL of the same length and structure, for the parser of expressions.

What a string, heredoc or comment *holds* does not change which expressions stand where, and it is
where grammars go wrong (escapes, nested templates, markers, letters beyond ASCII). So each string
and heredoc becomes one name that is as long, each comment white space, each foreign letter an
``x``. Offsets into the result are offsets into the text, from which the values are then read.

Two things that HCL allows and python-hcl2's grammar does not are put as it has them: an operator
on an operator (``!!a``), and a line that ends before or behind a dot, inside parentheses.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tfgate.hcl.lexical import COMMENT, HEREDOC, STRING, skip_special

_KEPT = re.compile(r'(?:[^"#/<\x80-\U0010ffff]+|/(?![/*])|<(?!<))+')
_SIMPLE = re.compile(STRING)
_FOREIGN = re.compile(r"[\x80-\U0010ffff]+")
_WORD = re.compile(r"\w+")
_ODD = re.compile(
    # A line end beside a dot: sought where white space begins, so that it is gone through once.
    r"(?<!\s)[^\S\n]*\n\s*(?=\.[^\W\d])|(?<=\.)[^\S\n]*\n\s*(?=[^\W\d])"
    r"|\n[ \t\r\n]*(?=\n)"  # blank lines
    r"|(?<=[!-])[!-](?=[\w(])"  # an operator on an operator
)


class Plain(NamedTuple):
    """The rewritten text, and the strings and heredocs it stands for."""

    text: str
    literals: dict[int, tuple[int, int]]
    """Offset of the name in ``text`` → span of what it stands for, marks included."""


def plain(text: str) -> Plain:
    """Rewrite ``text``. Raises `ScanError` where it is not HCL."""
    pieces: list[str] = []
    literals: dict[int, tuple[int, int]] = {}
    position = 0
    while position < len(text):
        kept = _KEPT.match(text, position)
        if kept is not None:
            pieces.append(kept.group())
            position = kept.end()
            continue
        end, piece = _rewritten(text, position)
        if piece.startswith(" x"):
            literals[position + 1] = (position, end)
        pieces.append(piece)
        position = end
    return Plain(_ODD.sub(_put_plainly, "".join(pieces)), literals)


def _rewritten(text: str, position: int) -> tuple[int, str]:
    foreign = _FOREIGN.match(text, position)
    if foreign is not None:
        word = foreign.group()
        return foreign.end(), "x" * len(word) if _WORD.fullmatch(word) else word
    simple = _SIMPLE.match(text, position)
    end = skip_special(text, position) if simple is None else simple.end()
    if COMMENT.match(text, position):
        return end, " " * (end - position)
    if simple is None and text[position] == "<" and not HEREDOC.match(text, position):
        return end, text[position:end]
    return end, " x" if end - position == 2 else " " + "x" * (end - position - 2) + " "


def _put_plainly(found: re.Match[str]) -> str:
    """Make a line end white space, and the second of two operators part of a name behind it."""
    return "x" if found.group() in "!-" else " " * (found.end() - found.start())
