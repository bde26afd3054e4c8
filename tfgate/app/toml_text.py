"""Values as TOML on one line, for pages that show an example as its author may have written it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tfgate.app.scaffold.toml_text import text as quoted
from tfgate.model.printable import is_printable

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


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
    return quoted(text)
