"""What stands around a whole expression: comments, an if with an else, several lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.query.foreign.tokens import (
    CLOSING,
    Fix,
    begins_operand,
    between,
    ends_operand,
    partner,
    side_after,
    side_before,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.query.foreign.tokens import Token


def comment(text: str, found: Sequence[Token], index: int) -> Fix | None:
    for mark in range(index, -1, -1):
        token = found[mark]
        if "\n" in text[token.end : found[index].start]:
            break
        if token.text == "/*":
            end = text.find("*/", token.end)
            end = len(text) if end < 0 else end + 2
        elif token.text == "#" or (
            token.text == "//" and (mark != index or _is_prose(found, mark))
        ):
            end = text.find("\n", token.start)
            end = len(text) if end < 0 else end
        else:
            continue
        sentence = "an expression has no comments: write them in the TOML, above the key"
        return Fix(token.start, end, "", sentence)
    return None


def _is_prose(found: Sequence[Token], mark: int) -> bool:
    return mark + 2 < len(found) and found[mark + 1].kind == found[mark + 2].kind == "name"


def conditional(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """``if a then b else c``, ``if a { b } else { c }`` and Python's ``b if a else c``."""
    start = next(
        (i for i in range(min(index, len(found) - 1), -1, -1) if found[i].word == "if"), None
    )
    if start is None:
        return None
    otherwise = next((i for i in range(start, len(found)) if found[i].word == "else"), None)
    if otherwise is None:
        return None
    last = side_after(found, otherwise + 1)
    if found[otherwise + 1 :][:1] and found[otherwise + 1].text == "{":
        last = (partner(found, otherwise + 1) or last - 1) + 1
    second = _bare(between(text, found, otherwise + 1, last))
    then = next((i for i in range(start, otherwise) if found[i].word == "then"), None)
    brace = next((i for i in range(start, otherwise) if found[i].text == "{"), None)
    if then is not None or brace is not None:
        middle = then if then is not None else brace or 0
        condition = between(text, found, start + 1, middle)
        first = _bare(between(text, found, middle + (then is not None), otherwise))
        begin = start
    else:
        begin = side_before(found, start)
        condition = between(text, found, start + 1, otherwise)
        first = between(text, found, begin, start)
    if not (condition and first and second):
        return None
    return Fix(found[begin].start, found[last - 1].end, f"{condition} ? {first} : {second}",
               "an if with an else is the ternary: condition ? value : other")  # fmt: skip


def _bare(block: str) -> str:
    return block[1:-1].strip() if block.startswith("{") and block.endswith("}") else block


def two_lines(text: str, found: Sequence[Token], index: int) -> Fix | None:
    """Two conditions on two lines, as Rego joins them."""
    if not index or not ends_operand(found[index - 1]) or not begins_operand(found[index]):
        return None
    if "\n" not in text[found[index - 1].end : found[index].start]:
        return None
    return Fix(found[index - 1].end, found[index - 1].end, " &&",
               "an expression is one condition: join its lines with && or ||")  # fmt: skip


def trailing_comma(text: str, found: Sequence[Token], index: int) -> Fix | None:
    if found[index].text != "," or index + 1 >= len(found) or found[index + 1].text not in CLOSING:
        return None
    return Fix(
        found[index].start, found[index + 1].start, "", "no comma stands before a closing bracket"
    )
