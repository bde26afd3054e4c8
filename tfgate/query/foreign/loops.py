"""Loops of other languages: quantifiers, comprehensions and lambdas, as filters, any and map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.query.foreign.tokens import (
    CLOSING,
    Fix,
    Token,
    between,
    operand_after,
    operand_before,
    partner,
    side_after,
    side_before,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADS: Final = {
    "any": "any({0}, &{1})", "some": "any({0}, &{1})", "exists": "any({0}, &{1})",
    "all": "all({0}, &{1})", "every": "all({0}, &{1})", "forall": "all({0}, &{1})",
    "none": "none({0}, &{1})", "filter": "{0}[?{1}]", "map": "map(&{1}, {0})",
    "for": "all({0}, &{1})", "foreach": "all({0}, &{1})", "find": "{0}[?{1}] | [0]",
}  # fmt: skip
"""What a loop comes to, of its list and its body."""
_SENTENCE: Final = (
    "JMESPath names no element: any(), all() and filters ask each one by its own fields, and $ is "
    "the whole subject"
)
_LEFT: Final = frozenset(
    {
        "and", "or", "not", "in", "is", "if", "else", "true", "false", "null", "contains",
        "matches", "like", "undefined", "defined", "empty", "none",
    }
)  # fmt: skip


def loop(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """Rewrite the loop that begins at or before the token at ``index``."""
    last = min(index, len(found) - 1)
    for start in (*range(last, -1, -1), *_behind(found, last)):
        token = found[start]
        fix = None
        if token.text in {"=>", "->"}:
            fix = _lambda(text, found, start)
        elif token.word == "for":
            fix = _comprehension(text, found, start)
        if fix is None and token.word in _HEADS:
            fix = _quantifier(text, found, start)
        if fix is not None:
            return fix
    return None


def _behind(found: Sequence[Token], index: int) -> list[int]:
    """Return where a ``for`` stands in the same bracket: Python's stands behind what it gives."""
    end = side_after(found, index)
    return [position for position in range(index, end) if found[position].word == "for"]


def _quantifier(text: str, found: Sequence[Token], start: int) -> Fix | None:
    """``any LIST as x { … }`` and ``every x in LIST { … }``."""
    named = _variables(found, start + 1, "in")
    if named is not None:
        names, behind = named
        last = operand_after(found, behind)
        if last is None:
            return None
        whole, body = between(text, found, behind, last), last
    else:
        last = operand_after(found, start + 1)
        if last is None or last >= len(found) or found[last].word != "as":
            return None
        whole = between(text, found, start + 1, last)
        inner = _variables(found, last + 1, "{")
        if inner is None:
            return None
        names, behind = inner
        body = behind - 1
    if body >= len(found):
        return None
    closing = partner(found, body) if found[body].text == "{" else None
    if closing is not None:
        written, end = between(text, found, body + 1, closing), closing + 1
    elif found[body].text in {":", ";", "|", ","} or found[body].word in {"where", "with", "if"}:
        end = side_after(found, body + 1)
        written = between(text, found, body + 1, end)
    else:
        return None
    if not written or "=>" in written:
        return None
    whole, names = _of_pairs(whole, written, names)
    form = _HEADS[found[start].word].format(whole, _element(written, names))
    return Fix(found[start].start, found[end - 1].end, form, _SENTENCE)


def _variables(
    found: Sequence[Token], start: int, behind: str
) -> tuple[tuple[str, ...], int] | None:
    """Return names with commas between them, and the index behind the word that follows them."""
    names = []
    for index in range(start, len(found) - 1):
        if found[index].kind != "name":
            return None
        names.append(found[index].text)
        if found[index + 1].word == behind:
            return tuple(names), index + 2
        if len(names) > 1 or found[index + 1].text != ",":
            return None
        if index + 3 < len(found) and found[index + 3].word == behind:
            return (*names, found[index + 2].text), index + 4
        return None
    return None


def _comprehension(text: str, found: Sequence[Token], start: int) -> Fix | None:
    """``[for x in LIST : x.a if c]`` of HCL, ``x.a for x in LIST if c`` of Python."""
    named = _variables(found, start + 1, "in")
    if named is None:
        return None
    names, behind = named
    last = operand_after(found, behind)
    if last is None:
        return None
    whole = between(text, found, behind, last)
    begin = side_before(found, start)
    end = side_after(found, last)
    opens = found[begin - 1] if begin else None
    if begin == start:
        if last >= len(found) or found[last].text != ":":
            return None
        value_from, value_end = last + 1, side_after(found, last + 1, frozenset({"if"}))
        value = between(text, found, value_from, value_end)
    else:
        value, value_end = between(text, found, begin, start), last
    if "=>" in value:
        return None
    condition = ""
    if value_end < end and found[value_end].word == "if":
        condition = between(text, found, value_end + 1, end)
    whole, names = _of_pairs(whole, f"{value} {condition}", names)
    if condition:
        whole = f"{whole}[?{_element(condition, names)}]"
    written = _element(value, names)
    first, last_token = begin, end - 1
    if opens is not None and opens.text in {"[", "{"} and end < len(found):
        first, last_token = begin - 1, end
    elif opens is not None and begin > 1 and found[begin - 2].word in {"any", "all", "none"}:
        form = whole if written == "@" else f"{whole}, &{written}"
        return Fix(found[begin].start, found[end - 1].end, form, _SENTENCE)
    form = whole if written == "@" else f"map(&{written}, {whole})"
    return Fix(found[first].start, found[last_token].end, form, _SENTENCE)


_METHODS: Final = {"some": "any", "every": "all", "filter": "filter", "map": "map", "find": "find",
                   "any": "any", "all": "all", "none": "none", "foreach": "all"}  # fmt: skip


def _lambda(text: str, found: Sequence[Token], arrow: int) -> Fix | None:
    """``list.some(x => x.a == 'b')``."""
    opening = arrow - 2
    if opening >= 1 and found[arrow - 1].text == ")" and found[arrow - 3].text == "(":
        opening, names = arrow - 4, (found[arrow - 2].text,)
    elif opening >= 1:
        names = (found[arrow - 1].text,)
    else:
        return None
    if opening < 3 or found[opening].text != "(" or found[opening - 1].word not in _METHODS:
        return None
    closing, base = partner(found, opening), operand_before(found, opening - 2)
    if closing is None or base is None or found[opening - 2].text not in {".", "?."}:
        return None
    whole = between(text, found, base, opening - 2)
    body = _element(between(text, found, arrow + 1, closing), names)
    form = _HEADS[_METHODS[found[opening - 1].word]].format(whole, body)
    return Fix(found[base].start, found[closing].end, form, _SENTENCE)


def _of_pairs(whole: str, body: str, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return what is gone through: pairs of key and value where the body asks for the key."""
    if len(names) > 1 and any(token.text == names[0] for token in tokens(body)):
        return f"items({whole})", names
    return whole, names[-1:]


def _element(body: str, names: tuple[str, ...]) -> str:
    """Write a loop's body as it is on one element; what is outside of it begins at the root.

    Of two names, the element is a pair of both.
    """
    found = tokens(body)
    written, end = "", 0
    for index, token in enumerate(found):
        before = found[index - 1].text if index else ""
        behind = found[index + 1].text if index + 1 < len(found) else ""
        if token.kind != "name" or before in {".", "?."}:
            continue
        if token.text in names:
            is_field = behind in {".", "?."} and len(names) == 1
            element = f"@[{names.index(token.text)}]" if len(names) > 1 else "@"
            written += body[end : token.start] + ("" if is_field else element)
            end = found[index + 1].end if is_field else token.end
        elif (
            token.word not in _LEFT and behind not in {"(", ":"} and not _is_operator(found, index)
        ):
            written += f"{body[end : token.start]}$.{token.text}"
            end = token.end
    return (written + body[end:]).strip()


def _is_operator(found: Sequence[Token], index: int) -> bool:
    """Whether a word stands between two operands."""
    if not 0 < index < len(found) - 1:
        return False
    before, behind = found[index - 1], found[index + 1]
    ends = (
        before.kind in {"name", "string", "quoted", "number", "literal"} or before.text in CLOSING
    )
    return ends and behind.kind in {"name", "string", "quoted", "number", "literal"}
