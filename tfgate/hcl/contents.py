"""What is in one block: values, or the reason why there are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.hcl.expressions import TOO_DEEP, read_block
from tfgate.hcl.jsonvalues import JsonExpressions, JsonUnknowns
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.syntax import JSON
from tfgate.hcl.values import Expressions, Unknowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.hcl.scanner import Block
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


def contents(file: SourceFile, block: Block) -> Contents:
    """Read what is in ``block``, in either syntax."""
    text = file.text or ""
    try:
        if file.syntax is JSON:
            written = _read_json(text[block.opened - 1 : block.closed + 1])
            return Contents(None, JsonUnknowns().whole(written), lambda: _json_value(written))
        body = read_block(text, block)
        return Contents(None, Unknowns(text).body(body), lambda: Expressions(text).body(body))
    except ScanError as error:
        line = block.line + text.count("\n", block.start, error.offset)
        return _failed(file, min(line, block.end_line), error.message)
    except RecursionError:
        return _failed(file, block.line, TOO_DEEP)
    except ValueError:
        return _failed(file, block.line, "a literal in this block is none that HCL has")


def _failed(file: SourceFile, line: int, message: str) -> Contents:
    """Say it once among the problems of the sources, and in the block."""
    file.report(f"{message}: it is located, its values are not known", line)
    return Contents(f"{message} (line {line})")


def _read_json(text: str) -> dict[str, Any]:
    """Read an object. Raises ValueError for what Terraform refuses, such as a name given twice."""

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len([name for name, _ in pairs if name != "//"]):
            raise ValueError("a name is given twice")
        return found

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    read: dict[str, Any] = json.loads(text, object_pairs_hook=whole, parse_constant=no_number)
    return read


def _json_value(written: dict[str, Any]) -> dict[str, Any]:
    return JsonExpressions().whole(written)
