"""Values of expressions as text: JSON, with what JSON has no word for written without quotes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.query.values import SENSITIVE, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator


def show(value: Any, *, indent: int | None = None, limit: int | None = None) -> str:
    """Write a value; ``limit`` cuts the text at so many characters."""
    text = "".join(_pieces(value, indent, 0))
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


def _pieces(value: Any, indent: int | None, depth: int) -> Iterator[str]:
    if isinstance(value, Unknown):
        yield "(sensitive)" if value is SENSITIVE else "(known after apply)"
    elif isinstance(value, Maybe):
        yield "(perhaps) "
        yield from _pieces(value.value, indent, depth)
    elif isinstance(value, dict):
        pairs = ((f"{json.dumps(key, ensure_ascii=False)}: ", part) for key, part in value.items())
        yield from _group("{", "}", list(pairs), indent, depth)
    elif isinstance(value, list):
        yield from _group("[", "]", [("", part) for part in value], indent, depth)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _group(
    opening: str, closing: str, members: list[tuple[str, Any]], indent: int | None, depth: int
) -> Iterator[str]:
    if not members:
        yield opening + closing
        return
    outer = "" if indent is None else "\n" + " " * (indent * depth)
    inner = "" if indent is None else "\n" + " " * (indent * (depth + 1))
    yield opening
    for number, (label, part) in enumerate(members):
        yield ("," + (" " if indent is None else "") if number else "") + inner + label
        yield from _pieces(part, indent, depth + 1)
    yield outer + closing
