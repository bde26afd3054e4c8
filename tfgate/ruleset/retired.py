"""Functions that expressions called before they had variables, and what is written instead.

``param('x')`` is ``$params.x``, ``data('x')`` is ``$data.x``, ``context('x')`` is ``$context.x``
and ``var('x')`` is ``$x``. An expression that calls one of them does not load, and the message
shows the new form; ``tfgate rules upgrade`` rewrites it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.model.text import late

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTEAD: Final = {"param": "$params", "data": "$data", "context": "$context", "var": "$"}
_CALL = late(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`"""
    r"""|(?P<before>[.!]?)\s*(?<![\w$])(?P<name>param|data|context|var)\s*\("""
    r"""(?P<rest>\s*(?:'(?P<raw>[^'\\]*)'|`\s*"(?P<json>[^"\\`]*)"\s*`)\s*\))?""",
    re.DOTALL,
)
"""Skips what is quoted."""
_PLAIN: Final = late(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME: Final = late(r"[A-Za-z_][A-Za-z0-9_-]*")


class RetiredCall(NamedTuple):
    """A call of a retired function in an expression."""

    function: str
    name: str | None
    """Its argument, where that is a name written out."""
    start: int
    end: int
    written: str | None
    """What stands for it now; ``None`` where no rewriting says the same."""

    @property
    def message(self) -> str:
        """Say what to write, in a sentence."""
        if self.written is not None:
            return f"{self.function}() is no function any more: write {self.written}"
        return f"{self.function}() is no function any more: write {_hint(self.function)}"


def _hint(function: str) -> str:
    return "$NAME" if function == "var" else f"{_INSTEAD[function]}.NAME"


def retired_calls(text: str) -> Iterator[RetiredCall]:
    """Find the calls in an expression, in its order. They do not overlap."""
    for found in _CALL.finditer(text):
        function = found["name"]
        if function is None:
            continue
        name = found["raw"] if found["raw"] is not None else found["json"]
        start, end = found.start("name"), found.end()
        written = None if found["before"] == "." or name is None else _written(function, name)
        if written is not None and found["before"] == "!" and function != "var":
            written = f"({written})"  # `!` binds closer than a dot
        yield RetiredCall(function, name, start, end, written)


def _written(function: str, name: str) -> str | None:
    if function == "var":
        return f"${name}" if _PLAIN.fullmatch(name) and name not in _OBJECTS else None
    if _PLAIN.fullmatch(name):
        return f"{_INSTEAD[function]}.{name}"
    return f'{_INSTEAD[function]}."{name}"' if _NAME.fullmatch(name) else None


_OBJECTS: Final = ("params", "data", "context")
