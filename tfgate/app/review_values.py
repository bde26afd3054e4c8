"""Values of a redacted plan as a review shows them, and when two of them are the same."""

from __future__ import annotations

import json
from typing import Any

from tfgate.model.review import Form, Shown
from tfgate.query.values import SENSITIVE, Unknown


def shown(value: Any) -> Shown:
    """Give one side of a difference. Parts inside that are unknown or sensitive say so."""
    if isinstance(value, Unknown):
        return Shown(Form.SENSITIVE if value is SENSITIVE else Form.UNKNOWN)
    return Shown(Form.LITERAL, literal(value))


def literal(value: Any) -> str:
    """Write a value as compact JSON; marks inside stand without quotes."""
    if isinstance(value, Unknown):
        return "(sensitive)" if value is SENSITIVE else "(known after apply)"
    if type(value) is dict:
        inner = ", ".join(f"{quoted(key)}: {literal(part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if type(value) is list:
        return f"[{', '.join(map(literal, value))}]"
    return quoted(value)


def quoted(value: Any) -> str:
    """Write a string, number, boolean or null as JSON."""
    return json.dumps(value, ensure_ascii=False)


def has_mark(value: Any) -> bool:
    """Whether anything in ``value`` is unknown or sensitive."""
    if type(value) is dict:
        return any(map(has_mark, value.values()))
    if type(value) is list:
        return any(map(has_mark, value))
    return isinstance(value, Unknown)


def has_secret(value: Any) -> bool:
    """Whether anything in ``value`` is sensitive."""
    if type(value) is dict:
        return any(map(has_secret, value.values()))
    if type(value) is list:
        return any(map(has_secret, value))
    return value is SENSITIVE


def same(before: Any, after: Any) -> bool:
    """Whether two values are certainly the same; what is unknown is not.

    Unlike Python's ``==``, ``1`` is not ``true``.
    """
    if type(before) is not type(after):
        return _same_number(before, after)
    if type(before) is dict:
        return before.keys() == after.keys() and all(
            same(value, after[key]) for key, value in before.items()
        )
    if type(before) is list:
        return len(before) == len(after) and all(map(same, before, after))
    return not isinstance(before, Unknown) and bool(before == after)


def _same_number(before: Any, after: Any) -> bool:
    numbers = (int, float)
    return type(before) in numbers and type(after) in numbers and bool(before == after)


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: null, ``[]``, ``{}``. (``""``, ``0``, ``false`` do.)"""
    return value is None or (type(value) in (list, dict) and not value)
