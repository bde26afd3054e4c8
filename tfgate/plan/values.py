"""``before`` and ``after`` of a change, decoded as far as they are read, merged and redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.decoding import decode_value, too_deep, wrong_shape
from tfgate.plan.overlay import marks_any, merge
from tfgate.plan.redact import redact
from tfgate.plan.secrets import redact_named
from tfgate.query.values import UNKNOWN

if TYPE_CHECKING:
    from msgspec import Raw

    from tfgate.plan.change import Change
    from tfgate.plan.reads import Attributes
    from tfgate.plan.wire import Body

_TRUE: Final = b"true"
_WRITE_ONLY: Final = "_wo"
_WRITE_ONLY_KEY: Final = b'_wo"'


def before(body: Body, wanted: Attributes, where: str) -> Any:
    """Decode what ``wanted`` says of ``before``: an object, or null."""
    return _values(body.before, wanted, f"{where}.before")


def after(body: Body, wanted: Attributes, where: str) -> Any:
    """Decode ``after`` and lay ``after_unknown`` over it (`tfgate.plan.overlay.merge`).

    Gives an object, None where nothing will be there, or `UNKNOWN` where all of it is unknown.
    """
    known = _values(body.after, wanted, f"{where}.after")
    if not has_true(body.after_unknown):
        return known
    return _merged(known, wanted.decode(body.after_unknown, f"{where}.after_unknown"), where)


def redacted_before(body: Body, wanted: Attributes, where: str, *, by_name: bool) -> Any:
    """Give ``before`` with `SENSITIVE` for what ``before_sensitive`` marks."""
    value = before(body, wanted, where)
    return _hidden(value, body.before_sensitive, wanted, f"{where}.before_sensitive", by_name)


def redacted_after(body: Body, wanted: Attributes, where: str, *, by_name: bool) -> Any:
    """Give ``after``, unknowns included, with `SENSITIVE` for what ``after_sensitive`` marks."""
    value = after(body, wanted, where)
    return _hidden(value, body.after_sensitive, wanted, f"{where}.after_sensitive", by_name)


def marked_attributes(change: Change) -> frozenset[str] | None:
    """Name the top-level attributes with anything sensitive in them; None for all of them."""
    names: set[str] = set()
    for side in ("before_sensitive", "after_sensitive"):
        marks = decode_value(getattr(change.body, side), f"{change.where}.{side}")
        if marks is True:
            return None
        if type(marks) is dict:
            names.update(name for name, mark in marks.items() if marks_any(mark))
    return frozenset(names)


def has_true(raw: Raw) -> bool:
    """Whether marks may mark anything. False is certain; true may be a key or a string."""
    return _TRUE in bytes(raw)


def _values(raw: Raw, wanted: Attributes, where: str) -> Any:
    value = wanted.decode(raw, where)
    if isinstance(value, bool):
        raise wrong_shape("an object or null, got bool", where)
    return value if _WRITE_ONLY_KEY not in bytes(raw) else _without_write_only(value)


def _merged(known: Any, unknown: Any, where: str) -> Any:
    try:
        return merge(known, unknown)
    except RecursionError:
        raise too_deep(where) from None


def _hidden(value: Any, marks: Raw, wanted: Attributes, where: str, by_name: bool) -> Any:
    """Hide what is marked. ``by_name`` hides by name as well; so do absent marks."""
    if not marks or by_name:
        value = redact_named(value)
    if not has_true(marks):
        return value
    return redact(value, wanted.decode(marks, where))


def _without_write_only(value: Any) -> Any:
    """Make null write-only arguments unknown: a plan has null for them whatever was given.

    Providers name them with the suffix ``_wo`` (developer.hashicorp.com/terraform/plugin/
    framework/resources/write-only-arguments); nothing else in a plan tells them apart.
    """
    if type(value) is dict:
        return {
            key: UNKNOWN
            if part is None and key.endswith(_WRITE_ONLY)
            else _without_write_only(part)
            for key, part in value.items()
        }
    if type(value) is list:
        return [_without_write_only(part) for part in value]
    return value
