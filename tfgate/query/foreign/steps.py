"""Constants, and the steps of a path."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from tfgate.model.text import late
from tfgate.query.foreign.tokens import (
    CLOSING,
    OPENING,
    Fix,
    arguments,
    between,
    ends_operand,
    follows_operand,
    is_call,
    operand_before,
    partner,
    raw,
    side_before,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.query.foreign.tokens import Token


_TYPOGRAPHIC: Final = late("[\u2018-\u201f]([^\u2018-\u201f]*)[\u2018-\u201f]")


def number(text: str, found: Sequence[Token], index: int) -> Fix | None:
    token = found[index]
    if token.kind != "number":
        return None
    start, before = token.start, index - 1
    if before >= 0 and found[before].text == "-":
        if before and ends_operand(found[before - 1]):
            return None
        start, before = found[before].start, before - 1
    if before >= 0 and ends_operand(found[before]):
        return None
    if before >= 0 and found[before].text == "[" and before and ends_operand(found[before - 1]):
        return None
    number = text[start : token.end].replace("_", "").replace(" ", "")
    return Fix(start, token.end, f"`{number}`", "a number stands in backticks")


def constants(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``[80, 443]`` and ``["a", 1]``: a list of constants is one literal."""
    opening = index
    while opening >= 0 and found[opening].text != "[":
        if found[opening].text in OPENING or found[opening].text in CLOSING:
            return None
        opening -= 1
    closing = partner(found, opening) if opening >= 0 else None
    if closing is None or (opening and ends_operand(found[opening - 1])):
        return None
    inner = found[opening + 1 : closing]
    if not any(token.kind == "number" for token in inner):
        return None
    words = {"true", "false", "null"}
    if not all(
        t.kind in {"number", "quoted", "string"} or t.word in {*words, ",", "-"} for t in inner
    ):
        return None
    parts = "".join(
        json.dumps(t.text[1:-1]) if t.kind == "string"
        else f"{t.text} " if t.text == "," else t.word.replace("_", "")
        for t in inner
    )  # fmt: skip
    return Fix(
        found[opening].start, found[closing].end, f"`[{parts.strip(', ')}]`",
        "a list of constants stands in backticks, as JSON",
    )  # fmt: skip


def lone_number(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``contains([22], a)``: an index where a list of one number is meant."""
    before = found[index - 1].text if index else ""
    if found[index].text != "[" or before not in {"(", ",", "==", "!="}:
        return None
    return constants(text, found, index) if partner(found, index) == index + 2 else None


def parentheses(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``(1, 2)``: a list has brackets."""
    opening = index if found[index].text == "(" else side_before(found, index) - 1
    if opening < 0 or found[opening].text != "(" or (opening and is_call(found, opening - 1)):
        return None
    parts, closing = arguments(text, found, opening), partner(found, opening)
    if closing is None or parts is None or len(parts) < 2:
        return None
    return Fix(found[opening].start, found[closing].end, f"[{', '.join(parts)}]",
               "a list stands in brackets")  # fmt: skip


def pattern(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``/^x/``: a regular expression is a string."""
    if found[index].text != "/" or follows_operand(found, index):
        return None
    pattern = re.compile(r"/((?:[^/\\\n]|\\.)+)/").match(text, found[index].start)
    if pattern is None:
        return None
    return Fix(pattern.start(), pattern.end(), raw(pattern[1]),
               "a regular expression is a string, in single quotes")  # fmt: skip


def typographic(text: str, found: Sequence[Token], index: int) -> Fix | None:
    quote = _TYPOGRAPHIC.match(text, found[index].start)
    if quote is None:
        return None
    sentence = "a string stands in straight single quotes"
    return Fix(quote.start(), quote.end(), raw(quote[1]), sentence)


def key(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``tags['Owner']``, ``tags[_]``, ``list[each.key]``."""
    opening = index if found[index].text == "[" else index - 1
    if opening < 1 or found[opening].text != "[" or not ends_operand(found[opening - 1]):
        return None
    closing = partner(found, opening)
    if closing is None:
        return None
    inner = found[opening + 1 : closing]
    start, end = found[opening].start, found[closing].end
    if len(inner) == 1 and inner[0].kind in {"string", "quoted"}:
        name = inner[0].text[1:-1]
        step = name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else json.dumps(name)
        return Fix(start, end, f".{step}", "a key follows a dot, in double quotes where it is no "
                   "plain name")  # fmt: skip
    if len(inner) == 1 and inner[0].text == "_":
        return Fix(start, end, "[*]", "every element of a list is [*]")
    if inner and inner[0].text == "?":
        return None
    if inner and all(token.kind in {"name", "variable"} or token.text == "." for token in inner):
        whole, key = between(text, found, 0, 0), between(text, found, opening + 1, closing)
        base = operand_before(found, opening)
        whole = between(text, found, base, opening) if base is not None else whole
        if base is None:
            return None
        return Fix(
            found[base].start, end, f"get({whole}, {key})",
            "an index is a number that is written out; a key that is computed is asked for with "
            "get()",
        )  # fmt: skip
    return None


def inside(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``list[].(a == b)``: an expression in parentheses is no step of a path."""
    if found[index].text != "(" or not index or found[index - 1].text != ".":
        return None
    closing, base = partner(found, index), operand_before(found, index - 1)
    if closing is None or base is None:
        return None
    inner = between(text, found, index + 1, closing)
    whole = between(text, found, base, index - 1)
    start, end = found[base].start, found[closing].end
    signs = {"==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "and", "or", "not", "in", "="}
    is_condition = any(token.word in signs for token in found[index + 1 : closing])
    for ending in ("[]", "[*]"):
        if whole.endswith(ending):
            plain = whole[: -len(ending)]
            if is_condition:
                return Fix(start, end, f"{plain}[?{inner}]",
                           "a condition on each element of a list is a filter")  # fmt: skip
            return Fix(start, end, f"map(&({inner}), {plain})",
                       "what is computed of each element of a list is map()")  # fmt: skip
    return Fix(start, end, f"{whole} | ({inner})",
               "an expression in parentheses is no step of a path: a pipe leads to it")  # fmt: skip


def joined(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``tags.cost-center``, ``tags.aws:name``: a key that is no plain name."""
    if found[index].text not in {"-", ":", "/"} or index < 2 or found[index - 2].text != ".":
        return None
    start = end = index
    while start and found[start - 1].end == found[start].start and found[start - 1].text != ".":
        start -= 1
    while end + 1 < len(found) and found[end].end == found[end + 1].start:
        if found[end + 1].kind not in {"name", "number"} and found[end + 1].text not in "-:/.":
            break
        end += 1
    name = text[found[start].start : found[end].end]
    if end == index or start == index:
        return None
    return Fix(found[start].start, found[end].end, json.dumps(name),
               "a key with such a sign in it stands in double quotes")  # fmt: skip


def leading_dot(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``.after.x`` of jq, ``a..b`` of JSONPath."""
    if found[index].text == ".." and index:
        return Fix(found[index].start, found[index].end, ".",
                   "JMESPath does not look for a name at all depths: write every step")  # fmt: skip
    if found[index].text != "." or index + 1 >= len(found):
        return None
    if index and ends_operand(found[index - 1]):
        return None
    return Fix(
        found[index].start, found[index].end, "", "a path begins with a name, not with a dot"
    )


def missing_dot(text: str, found: Sequence[Token], index: int) -> Fix | None:
    if not index or found[index - 1].text != "]" or found[index].kind not in {"name", "quoted"}:
        return None
    if found[index - 1].end != found[index].start:
        return None
    start = found[index].start
    return Fix(start, start, ".", "a dot stands before the next step of a path")


def interpolation(text: str, found: Sequence[Token], index: int) -> Fix | None:
    token = found[index]
    if token.text == "{" and index and found[index - 1].text == "$":
        index -= 1
    if found[index].text == "$" and index + 1 < len(found) and found[index + 1].text == "{":
        closing = partner(found, index + 1)
        if closing is not None:
            inner = between(text, found, index + 2, closing)
            return Fix(found[index].start, found[closing].end, inner,
                       "an expression has no ${…}: a value stands as it is")  # fmt: skip
    return None
