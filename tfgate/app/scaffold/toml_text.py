"""Values as TOML, on one line."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def text(value: str) -> str:
    """Write a string."""
    return _CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value, ensure_ascii=False))


def expression(value: str) -> str:
    """Write an expression: between single quotes where it holds double ones."""
    literal = '"' in value or "\\" in value
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
