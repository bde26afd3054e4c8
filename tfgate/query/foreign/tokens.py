"""Text to tokens, without a grammar: of what is no JMESPath as well."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.model.text import late

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN: Final = late(
    r"""
      (?P<space>\s+)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<literal>`(?:[^`\\]|\\.)*`)
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<sign>[=!]==|<=>|\?[?.:]|&&|\|\||[=!<>]=|=[<>~]|->|<>|~=|!~|:=|//|/\*|\*\*|\.\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING: Final = {"(": ")", "[": "]", "{": "}"}
CLOSING: Final = {closing: opening for opening, closing in OPENING.items()}
ATOMS: Final = frozenset({"string", "literal", "quoted", "variable", "name", "number"})
"""Kinds of tokens that are values."""


class Token(NamedTuple):
    """A piece of an expression: ``kind`` is a name of a group of `_TOKEN`."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return a name in small letters, what is no name as it stands."""
        return self.text.lower() if self.kind == "name" else self.text


class Fix(NamedTuple):
    """One foreign form: the characters it takes, what stands for them, and a sentence on it."""

    start: int
    end: int
    form: str
    sentence: str


def tokens(text: str) -> list[Token]:
    """Split a text; white space is left out."""
    return [
        Token(found.lastgroup or "", found.group(), found.start(), found.end())
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "space"
    ]


def at(found: Sequence[Token], position: int) -> int:
    """Return the index of the token at a place, or behind it; the number of tokens at the end."""
    for index, token in enumerate(found):
        if token.end > position:
            return index
    return len(found)


def ends_operand(token: Token) -> bool:
    """Whether an operand may end with this token."""
    return token.kind in ATOMS or token.text in CLOSING or token.text in {"@", "*", "$"}


_NO_OPERAND: Final = frozenset({"not", "and", "or", "in", "is", "if", "then", "else"})


def follows_operand(found: Sequence[Token], index: int) -> bool:
    """Whether an operand ends before the token at ``index``; a word such as ``and`` is none."""
    if not index or not ends_operand(found[index - 1]):
        return False
    is_step = index > 1 and found[index - 2].text == "."
    return is_step or found[index - 1].word not in _NO_OPERAND


def begins_operand(token: Token) -> bool:
    """Whether an operand may begin with this token."""
    return token.kind in ATOMS or token.text in {"(", "[", "{", "@", "!", "$"}


def partner(found: Sequence[Token], index: int) -> int | None:
    """Return the index of the bracket that belongs to the one at ``index``."""
    bracket = found[index].text
    step, pairs = (1, OPENING) if bracket in OPENING else (-1, CLOSING)
    expected: list[str] = []
    while 0 <= index < len(found):
        text = found[index].text
        if text in pairs:
            expected.append(pairs[text])
        elif text in OPENING or text in CLOSING:
            if not expected or expected.pop() != text:
                return None
            if not expected:
                return index
        index += step
    return None


def operand_before(found: Sequence[Token], end: int) -> int | None:
    """Return where the path, call or constant begins that ends before the token ``end``."""
    index = end - 1
    while index >= 0:
        token = found[index]
        if token.text in CLOSING:
            opening = partner(found, index)
            if opening is None:
                return None
            index = opening
            if index and token.text != "}" and _touch(found, index) and _goes_on(found[index - 1]):
                index -= 1
                continue
        elif not ends_operand(token):
            return None
        if index >= 2 and found[index - 1].text in {".", "?."}:
            index -= 2
            continue
        return index
    return None


def _touch(found: Sequence[Token], index: int) -> bool:
    return found[index - 1].end == found[index].start


def _goes_on(token: Token) -> bool:
    return token.kind in {"name", "quoted", "variable"} or token.text in {"]", ")", "@", "$", "*"}


def operand_after(found: Sequence[Token], start: int) -> int | None:
    """Return the index behind the path, call or constant that begins at the token ``start``."""
    index = start
    while index < len(found) and (found[index].text == "!" or found[index].word == "not"):
        index += 1
    if index >= len(found) or not begins_operand(found[index]):
        return None
    while index < len(found):
        token = found[index]
        if token.text in OPENING:
            closing = partner(found, index)
            if closing is None:
                return None
            index = closing
        elif not ends_operand(token):
            return None
        index += 1
        if index < len(found) and found[index].text in {"[", "("} and _touch(found, index):
            continue
        if index + 1 < len(found) and found[index].text in {".", "?."}:
            index += 1
            continue
        return index
    return None


def side_before(found: Sequence[Token], end: int, stops: frozenset[str] = frozenset()) -> int:
    """Return where the expression begins that ends before ``end``: at a bracket or a comma."""
    index = end - 1
    while index >= 0:
        text = found[index].word
        if text in OPENING or text == "," or text in stops:
            return index + 1
        if text in CLOSING:
            index = partner(found, index) or 0
        index -= 1
    return 0


def side_after(found: Sequence[Token], start: int, stops: frozenset[str] = frozenset()) -> int:
    """Return the index behind the expression that begins at ``start``."""
    index = start
    while index < len(found):
        text = found[index].word
        if text in CLOSING or text == "," or text in stops:
            return index
        if text in OPENING:
            index = partner(found, index) or len(found)
        index += 1
    return min(index, len(found))


def between(text: str, found: Sequence[Token], start: int, end: int) -> str:
    """Return the text of the tokens from ``start`` to before ``end``."""
    return text[found[start].start : found[end - 1].end] if start < end else ""


def arguments(text: str, found: Sequence[Token], opening: int) -> list[str] | None:
    """Return the texts between the commas of a bracket."""
    closing = partner(found, opening)
    if closing is None:
        return None
    parts, start = [], opening + 1
    while start < closing:
        end = side_after(found, start)
        parts.append(between(text, found, start, end))
        start = end + 1
    return [part for part in parts if part]


def raw(value: str) -> str:
    """Write a string as JMESPath does: in single quotes."""
    escaped = value.replace("'", "\\'")
    return f"'{escaped}'"


def is_call(found: Sequence[Token], index: int) -> bool:
    """Whether the name at ``index`` has arguments right behind it."""
    behind = index + 1
    is_name = found[index].kind in {"name", "quoted"}
    return is_name and behind < len(found) and found[behind].text == "(" and _touch(found, behind)


def single_quoted(text: str) -> str:
    """Write as strings what stands in double quotes where a string is meant."""
    found = tokens(text)
    written, end = "", 0
    for index, token in enumerate(found):
        before = found[index - 1].text if index else ""
        behind = found[index + 1].text if index + 1 < len(found) else ""
        if token.kind == "quoted" and before != "." and behind not in {".", ":", "[", "[?"}:
            written += text[end : token.start] + raw(_unquoted(token.text))
            end = token.end
    return written + text[end:]


def _unquoted(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]
