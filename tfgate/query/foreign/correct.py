"""Finds what the parser stopped at in the table of foreign forms, and rewrites the expression."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.query.foreign import forms, signs, steps
from tfgate.query.foreign.functions import rename_calls
from tfgate.query.foreign.loops import loop
from tfgate.query.foreign.tokens import OPENING, Fix, at, partner, single_quoted, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.foreign.tokens import Token

    Rule = Callable[[str, Sequence[Token], int], "Fix | None"]

_MOST: Final = 2_000
"""Characters of an expression that is rewritten; of a longer one the first mistake is named."""
_ROUNDS: Final = 20
"""Mistakes in one expression that are followed."""
_SHOWN: Final = 240
"""Characters of a rewritten expression that are shown."""


class Correction(NamedTuple):
    """What is wrong first, where, and the whole expression as JMESPath where it could be made."""

    sentence: str
    position: int
    form: str | None


def correct(text: str, position: int, stops_at: Callable[[str], int | None]) -> Correction | None:
    """Explain why a text does not parse; ``None`` where no foreign form stands at ``position``.

    ``stops_at`` parses a text and returns where that failed, ``None`` where it did not.
    """
    first: Fix | None = None
    stop: int | None = position
    written = text
    for _ in range(_ROUNDS):
        fix = _fix(written, stop if stop is not None else 0)
        if fix is None:
            break
        first = first or fix
        if len(written) > _MOST:
            break
        written = written[: fix.start] + fix.form + written[fix.end :]
        stop = stops_at(written)
        if stop is None:
            break
    if first is None:
        return None
    if stop is None and len(written) <= _MOST:
        written = rename_calls(single_quoted(_tidy(written)))
        if stops_at(written) is None:
            return Correction(first.sentence, first.start, one_line(written))
    local = first.form.strip()
    return Correction(first.sentence, first.start, one_line(local) if len(local) > 2 else None)


def _tidy(text: str) -> str:
    """Rewrite what parses and means something else: ``1 < a < 5``, and ``[22]`` for a list."""
    for rule in (signs.chained, steps.lone_number):
        found = tokens(text)
        fixes = [fix for index in range(len(found)) if (fix := rule(text, found, index))]
        for fix in reversed(fixes):
            text = text[: fix.start] + fix.form + text[fix.end :]
    return text


def one_line(form: str) -> str | None:
    """Return an expression as it is shown in a sentence; ``None`` where it is too long for one."""
    shown = re.sub(r"\s*\n\s*", " ", form.strip())
    return shown if len(shown) <= _SHOWN else None


def _fix(text: str, position: int) -> Fix | None:
    found = tokens(text)
    here = at(found, position)
    for index in (here, here - 1, here - 2, here + 1):
        if 0 <= index < len(found):
            for rule in _RULES:
                fix = rule(text, found, index)
                if fix is not None:
                    return fix
    return _never_closed(found)


_RULES: Final[tuple[Rule, ...]] = (
    steps.typographic, steps.pattern, forms.comment, steps.interpolation, loop, forms.conditional,
    signs.bounds, signs.split_sign, signs.sign_between, signs.negation, signs.word_between,
    signs.operator, steps.parentheses, steps.constants, steps.number, steps.key, steps.inside,
    steps.joined, steps.leading_dot, steps.missing_dot, signs.chained, forms.trailing_comma,
    forms.two_lines,
)  # fmt: skip
"""In the order in which they are tried: what explains more comes first."""


def _never_closed(found: Sequence[Token]) -> Fix | None:
    """Name the bracket or quote that is open where the text ends."""
    for index, token in enumerate(found):
        is_quote = token.text in {"'", '"', "`"} and token.kind == "sign"
        if is_quote or (token.text in OPENING and partner(found, index) is None):
            what = "quote" if is_quote else "bracket"
            return Fix(token.start, token.start, "", f"the {what} {token.text} is never closed")
    return None
