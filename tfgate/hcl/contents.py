"""What is in one block: values, or the reason why there are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.hcl.jsonvalues import JsonExpressions, JsonUnknowns
from tfgate.hcl.syntax import JSON
from tfgate.hcl.values import Expressions, Unknowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.hcl.scanner import Block
    from tfgate.hcl.shapes import FileShapes
    from tfgate.hcl.sources import SourceFile


def _nothing() -> dict[str, Any]:
    return {}


class Contents:
    """Both views of a block; empty with an ``error``."""

    def __init__(
        self,
        error: str | None,
        known: dict[str, Any] | None = None,
        value: Callable[[], dict[str, Any]] = _nothing,
    ) -> None:
        self.error = error
        self.known = known if known is not None else {}
        self.value = value


def contents(file: SourceFile, block: Block, shapes: FileShapes | None) -> Contents:
    """Give what is in ``block``: from its shape, or from JSON."""
    text = file.text or ""
    try:
        if file.syntax is JSON:
            written = json.loads(text[block.opened - 1 : block.closed + 1])
            return Contents(None, JsonUnknowns().whole(written), lambda: _json_value(written))
        body = None if shapes is None else shapes.bodies.get(block.start)
        if body is not None:
            known = Unknowns(text).body(body)
            return Contents(None, known, lambda: Expressions(text).body(body))
    except (ValueError, RecursionError):
        return Contents("a literal in this block is none that HCL has")
    failure = None if shapes is None else shapes.failures.get(block.start)
    return Contents("this block was not parsed" if failure is None else failure.message)


def _json_value(written: dict[str, Any]) -> dict[str, Any]:
    return JsonExpressions().whole(written)
