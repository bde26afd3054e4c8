"""The redacted view: what ``before_sensitive``/``after_sensitive`` mark becomes `SENSITIVE`.

Nothing below a mark is left: no value, no key, no length. Where marks and value do not fit
together, the whole part is hidden.
"""

from __future__ import annotations

from typing import Any

from tfgate.plan.overlay import marks_any
from tfgate.query.values import SENSITIVE, Unknown


def redact(value: Any, marks: Any) -> Any:
    """Hide in ``value`` (which may hold unknowns) what ``marks`` has true for.

    A sensitive value that is unknown as well is `SENSITIVE`. Parts without marks are shared.
    """
    if marks is True:
        return SENSITIVE
    if not marks_any(marks):
        return value
    if isinstance(value, Unknown):
        return value
    if type(marks) is dict:
        return _redact_object(value, marks)
    return _redact_list(value, marks)


def _redact_object(value: Any, marks: dict[str, Any]) -> Any:
    if type(value) is not dict:
        return SENSITIVE
    hidden = dict(value)
    for key, mark in marks.items():
        if key in value:
            hidden[key] = redact(value[key], mark)
        elif marks_any(mark):
            hidden[key] = SENSITIVE
    return hidden


def _redact_list(value: Any, marks: list[Any]) -> Any:
    if type(value) is not list or len(value) != len(marks):
        return SENSITIVE
    return [redact(part, mark) for part, mark in zip(value, marks, strict=True)]
