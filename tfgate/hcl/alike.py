"""Finds which of several nested blocks made an element of a planned value.

Blocks that a set holds come in another order in a plan than in the source, and only the provider's
schema knows which lists are sets: a number says nothing. What the blocks say themselves does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.hcl.scanner import Block
    from tfgate.hcl.syntax import Syntax

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = {"true": True, "false": False}


def alike(syntax: Syntax, text: str, block: Block, name: str, element: Any) -> int | None:
    """Give the number of the one block ``name`` in ``block`` that can have made ``element``.

    ``None`` where that is none or not one alone, or where a dynamic block makes some of them. What
    is unknown in the element (or hidden) fits anything.
    """
    body = syntax.body(text, block)
    if not isinstance(element, dict) or any(
        one.kind == "dynamic" and one.labels == (name,) for one in body.blocks
    ):
        return None
    candidates = [one for one in body.blocks if one.kind == name]
    fitting = [
        number
        for number, candidate in enumerate(candidates)
        if all(_fits(element.get(key), value) for key, value in _literals(syntax, text, candidate))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _literals(syntax: Syntax, text: str, block: Block) -> Iterator[tuple[str, Any]]:
    for name, attribute in syntax.body(text, block).attributes.items():
        written = text[attribute.start : attribute.end].strip()
        if written in _WORDS:
            yield name, _WORDS[written]
        elif _NUMBER.fullmatch(written):
            yield name, float(written)
        else:
            value = syntax.literal(text, attribute.start, attribute.end)
            if value is not None:
                yield name, value


def _fits(planned: Any, written: Any) -> bool:
    """Compare as Terraform converts: ``"80"`` is 80 where a number is wanted."""
    if planned is None or not isinstance(planned, (str, int, float, bool)):
        return planned is not None
    if isinstance(written, bool) or isinstance(planned, bool):
        return str(planned).lower() == str(written).lower()
    try:
        return float(planned) == float(written)
    except ValueError:
        return str(planned) == str(written)
