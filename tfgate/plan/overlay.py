"""``after`` and ``after_unknown`` as one value with `UNKNOWN` where Terraform does not know yet.

The format leaves unknown attributes out of ``after`` and writes null for unknown list elements;
``after_unknown`` has true in their places. Where the two do not fit together, the part that does
not fit is unknown: it is never guessed.
"""

from __future__ import annotations

from typing import Any

from tfgate.query.values import UNKNOWN


def merge(known: Any, unknown: Any) -> Any:
    """Lay ``after_unknown`` (true, false, null, or a structure of them) over ``after``.

    Neither argument is changed; parts without unknowns are shared with ``known``.
    """
    if type(unknown) is dict:
        return _merge_object(known, unknown)
    if type(unknown) is list:
        return _merge_list(known, unknown) if marks_any(unknown) else known
    return UNKNOWN if unknown is True else known


def _merge_object(known: Any, unknown: dict[str, Any]) -> Any:
    if known is not None and type(known) is not dict:
        return UNKNOWN if marks_any(unknown) else known
    merged = None
    for key, mark in unknown.items():
        if mark is not True and type(mark) is not dict and type(mark) is not list:
            continue
        part = None if known is None else known.get(key)
        laid = UNKNOWN if mark is True else merge(part, mark)
        if laid is part:
            continue
        if merged is None:
            merged = {} if known is None else dict(known)
        merged[key] = laid
    return known if merged is None else merged


def _merge_list(known: Any, unknown: list[Any]) -> Any:
    if known is None:
        known = []
    if type(known) is not list:
        return UNKNOWN
    if len(known) < len(unknown):
        restored = _restore_dropped(known, unknown)
        if restored is None:
            return UNKNOWN
        known = restored
    merged = [merge(value, mark) for value, mark in zip(known, unknown, strict=False)]
    return merged + known[len(unknown) :]


def _restore_dropped(known: list[Any], unknown: list[Any]) -> list[Any] | None:
    """Put a null back for each unknown element that the plan left out.

    Terraform before 1.1 dropped wholly unknown elements of sets and tuples from ``after`` but
    kept them in ``after_unknown``. None if the lengths are explained neither way.
    """
    if len(known) + sum(mark is True for mark in unknown) != len(unknown):
        return None
    rest = iter(known)
    return [None if mark is True else next(rest) for mark in unknown]


def marks_any(marks: Any) -> bool:
    """Whether there is a true anywhere in ``marks``."""
    if type(marks) is not dict and type(marks) is not list:
        return marks is True
    for mark in marks.values() if type(marks) is dict else marks:
        if mark is True or ((type(mark) is dict or type(mark) is list) and marks_any(mark)):
            return True
    return False


def without_write_only(value: Any) -> Any:
    """Make null write-only arguments unknown: a plan has null for them whatever was given.

    Providers name them with the suffix ``_wo`` (developer.hashicorp.com/terraform/plugin/
    framework/resources/write-only-arguments); nothing else in a plan tells them apart.
    """
    if type(value) is dict:
        return {
            key: UNKNOWN if part is None and key.endswith("_wo") else without_write_only(part)
            for key, part in value.items()
        }
    if type(value) is list:
        return [without_write_only(part) for part in value]
    return value
