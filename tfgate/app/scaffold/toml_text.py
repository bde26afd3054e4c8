"""Values as TOML, on one line."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from tfgate.model.printable import is_printable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def text(value: str) -> str:
    """Write a string, with an escape for everything that does not show."""
    quoted = json.dumps(value, ensure_ascii=False)
    if is_printable(quoted):
        return quoted
    return "".join(char if is_printable(char) else _escape(ord(char)) for char in quoted)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def expression(value: str) -> str:
    """Write an expression: between single quotes where it holds double ones."""
    literal = ('"' in value or "\\" in value) and is_printable(value)
    return f"'''{value}'''" if literal and "'''" not in value else text(value)


def key(name: str) -> str:
    """Write a key."""
    return name if _BARE.fullmatch(name) else text(name)


def inline(value: Any) -> str:
    """Write plain JSON; what TOML cannot say (null) is left out of tables and lists."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value) if math.isfinite(value) else text(str(value))
    if isinstance(value, dict):
        pairs = [f"{key(k)} = {inline(v)}" for k, v in value.items() if v is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    return f"[{', '.join(inline(part) for part in value if part is not None)}]"
