"""``before`` and ``after`` of a change, decoded as far as they are read, merged and redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.decoding import decode_value, part_error, too_deep, wrong_shape
from tfgate.plan.dynamic import settle
from tfgate.plan.overlay import marks_any, merge

if TYPE_CHECKING:
    from tfgate.errors import PlanError
    from tfgate.plan.change import Change
    from tfgate.plan.reads import Reads

_TRUE: Final = b"true"


def before(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``before``: an object, or null."""
    value = _decode(change, reads, "before", "before")
    if value is True or value is False:
        raise _no_object(change, "before")
    return value


def after(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``after`` and lay ``after_unknown`` over it.

    Gives an object, None where nothing will be there, or `UNKNOWN` where all of it is unknown
    (`tfgate.plan.overlay.merge`). An element of a list that stands for any number of them is a
    `Maybe` (`tfgate.plan.dynamic`).
    """
    body = change.body
    try:
        known = reads.attributes("after").decode(body.after)
    except (ValueError, RecursionError) as error:
        raise part_error(error, f"{change.where}.after") from None
    if known is True or known is False:
        raise _no_object(change, "after")
    if _TRUE not in bytes(body.after_unknown):
        return known
    try:
        return settle(change, merge(known, unknown(change, reads)))
    except RecursionError:
        raise too_deep(f"{change.where}.after") from None


def unknown(change: Change, reads: Reads) -> Any:
    """Decode what is read of ``after_unknown``: what `after` lays over what is known."""
    return _decode(change, reads, "after", "after_unknown")


def redacted_before(change: Change, reads: Reads) -> Any:
    """Give ``before`` with `SENSITIVE` for what ``before_sensitive`` marks."""
    return _hidden(change, reads, before(change, reads), "before")


def redacted_after(change: Change, reads: Reads) -> Any:
    """Give ``after``, unknowns included, with `SENSITIVE` for what ``after_sensitive`` marks."""
    return _hidden(change, reads, after(change, reads), "after")


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


def _no_object(change: Change, side: str) -> PlanError:
    return wrong_shape("an object or null, got bool", f"{change.where}.{side}")


def _decode(change: Change, reads: Reads, side: str, part: str) -> Any:
    """Decode, of one part of the change, the attributes that are read of ``side``."""
    try:
        return reads.attributes(side).decode(getattr(change.body, part))
    except (ValueError, RecursionError) as error:
        raise part_error(error, f"{change.where}.{part}") from None


def _hidden(change: Change, reads: Reads, value: Any, side: str) -> Any:
    """Hide what is marked. Old formats and absent marks hide by name as well."""
    part = f"{side}_sensitive"
    marks = getattr(change.body, part)
    if not marks or change.context.by_name:
        from tfgate.plan.secrets import redact_named  # late: so is all that only findings need

        value = redact_named(value)
    if _TRUE not in bytes(marks):
        return value
    from tfgate.plan.redact import redact

    return redact(value, _decode(change, reads, side, part))
