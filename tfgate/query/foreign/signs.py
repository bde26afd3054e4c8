"""Signs and words that stand between two values, or before one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tfgate.query.foreign.tokens import (
    Fix,
    between,
    ends_operand,
    follows_operand,
    is_call,
    operand_after,
    operand_before,
    partner,
    side_after,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.query.foreign.tokens import Token


_SIGNS: Final = {
    "===": "==", "!==": "!=", "<>": "!=", "=": "==", ":=": "==", "=<": "<=",
    "&": "&&", "??": "||", "?:": "||", "?.": ".", ";": " &&",
}  # fmt: skip
_WORDS: Final = {
    "and": "&&", "or": "||", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "isnt": "!=",
    "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "else": "||",
}  # fmt: skip
_WHY: Final = {
    "=": "compares with ==",
    ":=": "compares with ==; a name of your own is a key of the rule's let",
    ";": "is one condition: parts of it are joined with &&",
    "&": "writes `and` as &&", "else": "gives a default with ||",
}  # fmt: skip
_BETWEEN: Final = {
    "in": "contains({1}, {0})",
    "contains": "contains({0}, {1})", "includes": "contains({0}, {1})",
    "has": "contains(keys({0}), {1})",
    "matches": "matches({0}, {1})", "=~": "matches({0}, {1})", "~": "matches({0}, {1})",
    "~=": "matches({0}, {1})",
    "!~": "!matches({0}, {1})", "regex": "matches({0}, {1})",
    "like": "glob({0}, {1})",
    "startswith": "starts_with({0}, {1})", "starts_with": "starts_with({0}, {1})",
    "endswith": "ends_with({0}, {1})", "ends_with": "ends_with({0}, {1})",
}  # fmt: skip
_STATES: Final = {
    "null": "{} == `null`", "none": "{} == `null`", "nil": "{} == `null`",
    "undefined": "{} == `null`", "defined": "{} != `null`", "present": "{} != `null`",
    "empty": "!({})", "true": "{} == `true`", "false": "{} == `false`",
}  # fmt: skip


def sign_between(text: str, found: Sequence[Token], index: int) -> Fix | None:
    token = found[index]
    if token.text not in _SIGNS or not follows_operand(found, index):
        return None
    if token.text == "=" and _in_let(found, index):
        return _binding(text, found, index)
    sign = _SIGNS[token.text]
    why = _WHY.get(token.text, f"writes {token.text} as {sign}")
    end = token.end
    if token.text in {"=", "&"} and found[index - 1].text in {"=", "<", ">", "!", "&"}:
        return None
    return Fix(token.start, end, sign, f"JMESPath {why}")


def _in_let(found: Sequence[Token], index: int) -> bool:
    """Whether a token stands in the bindings of a ``let``."""
    before = [token.word for token in found[:index]]
    return "let" in before and "in" not in before[before.index("let") :]


def _binding(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``let x = a in x``: a variable without its sign."""
    name = found[index - 1]
    if name.kind != "name":
        return None
    bare = rf"(?<![\w.$\"'`]){re.escape(name.text)}\b(?!\s*[:(])"
    form = re.sub(bare, f"${name.text}", text[name.start :])
    return Fix(name.start, len(text), form, "a variable of `let` begins with $ wherever it stands")


def split_sign(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``> =`` and ``! =``: a sign in two pieces."""
    if index + 1 < len(found) and found[index].text in {"<", ">", "!"}:
        after = found[index + 1]
        if after.text == "=":
            sign = f"{found[index].text}="
            return Fix(found[index].start, after.end, sign, f"{sign} is one sign, without a space")
    return None


def word_between(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``a and b``, ``a is not b``: a word between two operands that is a sign here."""
    token = found[index]
    if token.kind != "name" or not follows_operand(found, index):
        return None
    if token.word == "in" and _in_let(found, index):
        return None
    word, end = token.word, index + 1
    if word in {"is", "not"} and end < len(found):
        negated = found[end].word == "not" if word == "is" else False
        end += negated
        state = found[end].word if end < len(found) else ""
        if word == "is" and state in _STATES:
            return _state(text, found, index, end, negated=negated)
        if word == "is" and state == "in":
            return _infix(text, found, index, end, negated=negated)
        if word == "not":
            return _infix(text, found, index, end, negated=True)
        if negated:
            return Fix(token.start, found[end - 1].end, "!=", "JMESPath writes `is not` as !=")
    if word not in _WORDS or end >= len(found):
        return None
    sign = _WORDS[word]
    why = _WHY.get(word, f"has no `{token.text}`: it writes {sign}")
    return Fix(token.start, token.end, sign, f"JMESPath {why}")


def _state(text: str, found: Sequence[Token], index: int, end: int, *, negated: bool) -> Fix | None:
    start = operand_before(found, index)
    if start is None:
        return None
    word = found[end].word
    operand = between(text, found, start, index)
    form = _STATES[word].format(operand)
    if negated:
        opposite = {"==": "!=", "!=": "=="}
        form = re.sub("[=!]=", lambda sign: opposite[sign[0]], form)
        form = operand if word == "empty" else form
    return Fix(
        found[start].start, found[end].end, form,
        f"JMESPath has no `is {'not ' if negated else ''}{word}`: a constant such as `null` stands "
        "in backticks, and what is empty is falsy",
    )  # fmt: skip


def operator(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``a in b``, ``a matches b``: what is a function here."""
    if not follows_operand(found, index):
        return None
    return _infix(text, found, index, index, negated=False)


def _infix(
    text: str, found: Sequence[Token], start: int, index: int, *, negated: bool
) -> Fix | None:
    """Rewrite the word at ``index``; ``start`` is where its negation begins."""
    if index >= len(found) or found[index].word not in _BETWEEN:
        return None
    word = found[index].word
    if is_call(found, index) and word != "in":
        return None
    quantity = found[index + 1].word if index + 1 < len(found) else ""
    if quantity in {"any", "all"} and not is_call(found, index + 1):
        return _several(text, found, start, index)
    first, last = operand_before(found, start), operand_after(found, index + 1)
    if first is None or last is None:
        return None
    left, right = between(text, found, first, start), between(text, found, index + 1, last)
    while first and (found[first - 1].text == "!" or found[first - 1].word == "not"):
        first -= 1
        negated = not negated
    form = _BETWEEN[word].format(left, right)
    name = form.lstrip("!").partition("(")[0]
    if negated:
        form = form[1:] if form.startswith("!") else f"!{form}"
    return Fix(
        found[first].start, found[last - 1].end, form,
        f"JMESPath has no `{found[index].text}` between two values: it calls {name}()",
    )  # fmt: skip


def _several(text: str, found: Sequence[Token], start: int, index: int) -> Fix | None:
    """``list contains any [a, b]``."""
    first, last = operand_before(found, start), operand_after(found, index + 2)
    if first is None or last is None or start != index:
        return None
    left, right = between(text, found, first, start), between(text, found, index + 2, last)
    name = found[index + 1].word
    return Fix(
        found[first].start, found[last - 1].end, f"{name}({right}, &contains($.{left}, @))",
        f"JMESPath has no `{found[index].text} {name}`: {name}() asks for each element of a list",
    )  # fmt: skip


def bounds(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``a between 1 and 5``."""
    if found[index].word != "between" or not follows_operand(found, index):
        return None
    first, middle = operand_before(found, index), operand_after(found, index + 1)
    if first is None or middle is None or middle >= len(found) or found[middle].word != "and":
        return None
    last = operand_after(found, middle + 1)
    if last is None:
        return None
    value, least = between(text, found, first, index), between(text, found, index + 1, middle)
    most = between(text, found, middle + 1, last)
    return Fix(
        found[first].start, found[last - 1].end, f"{value} >= {least} && {value} <= {most}",
        "JMESPath has no `between`: two comparisons are joined with &&",
    )  # fmt: skip


def negation(text: str, found: Sequence[Token], index: int) -> Fix | None:
    token = found[index]
    if token.word != "not" or (index and ends_operand(found[index - 1])):
        return None
    end = side_after(found, index + 1, frozenset({"&&", "||", "and", "or", "|", "?"}))
    inner = between(text, found, index + 1, end)
    last = operand_after(found, index + 1)
    if not inner:
        return None
    opening = index + 1 if inner.startswith("(") else index + 2
    brackets = inner.startswith("(") or is_call(found, index + 1)
    is_whole = brackets and partner(found, opening) == end - 1
    form = f"!{inner}" if is_whole or (last == end and "." not in inner) else f"!({inner})"
    return Fix(token.start, found[end - 1].end, form, "JMESPath writes `not` as !")


def chained(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``1 < a < 5``."""
    signs = {"<", "<=", ">", ">=", "==", "!="}
    if found[index].text not in signs:
        return None
    start = operand_before(found, index)
    if not start or found[start - 1].text not in signs:
        return None
    middle = between(text, found, start, index)
    return Fix(
        found[index].start, found[index].start, f"&& {middle} ",
        "JMESPath compares two values at a time: join two comparisons with &&",
    )  # fmt: skip
