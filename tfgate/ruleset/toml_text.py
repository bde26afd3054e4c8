"""Values as TOML, on one line."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from tfgate.model.text import is_printable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_string(value: str) -> str:
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
    return f"'''{value}'''" if literal and "'''" not in value else toml_string(value)


def key(name: str) -> str:
    """Write a key."""
    return name if _BARE.fullmatch(name) else toml_string(name)


def inline(value: Any) -> str:
    """Write plain JSON; what TOML cannot say (null) is left out of tables and lists."""
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value) if math.isfinite(value) else toml_string(str(value))
    if isinstance(value, dict):
        pairs = [f"{key(k)} = {inline(v)}" for k, v in value.items() if v is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    return f"[{', '.join(inline(part) for part in value if part is not None)}]"


def toml_line(key: str, value: Any) -> str:
    """Write ``key = value``."""
    return f"{toml_key(key)} = {toml_value(value)}"


def toml_key(key: str) -> str:
    """Write a key, in quotes where TOML asks for them."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def toml_value(value: Any) -> str:
    """Write a value of JSON; null, which TOML has not, as an empty string."""
    if isinstance(value, dict):
        pairs = ", ".join(toml_line(key, item) for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    if value is None:
        return '""'
    if isinstance(value, str):
        return _string(value)
    return json.dumps(value)


def _string(text: str) -> str:
    """A literal string where it saves the escapes of JSON inside JSON."""
    if ('"' in text or "\\" in text) and "'" not in text and is_printable(text):
        return f"'{text}'"
    return toml_string(text)
