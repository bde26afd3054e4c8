"""The view of a block that may be shown: no literal that is, or looks like, a secret."""

from __future__ import annotations

from typing import Any

from tfgate.hcl.secrets import is_secret_name, looks_secret
from tfgate.query.values import SENSITIVE

_MARKED = {"variable": "default", "output": "value"}
"""Blocks that can be marked ``sensitive``, and the argument that is so then."""


def redacted_body(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give ``body`` with ``SENSITIVE`` in the place of secrets.

    Secrets are strings under a name that says so, strings that look so, and what a variable or
    output with ``sensitive`` set (to anything but ``false``) holds.
    """
    shown = {name: _redacted(name, value) for name, value in body.items()}
    marked = _MARKED.get(kind)
    if marked in body and body.get("sensitive", False) is not False:
        shown[marked] = SENSITIVE
    return shown


def _redacted(name: str, value: Any, *, hidden: bool = False) -> Any:
    hidden = hidden or is_secret_name(name)
    if isinstance(value, str):
        return SENSITIVE if value and (hidden or looks_secret(value)) else value
    if isinstance(value, list):
        return [_redacted(name, one, hidden=hidden) for one in value]
    if isinstance(value, dict):
        return {key: _redacted(key, one, hidden=hidden) for key, one in value.items()}
    return value
