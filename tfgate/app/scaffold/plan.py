"""A resource of a plan as the subject of an example: real values, without the secret ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tfgate.errors import UsageError
from tfgate.plan.reads import Reads
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.plan import Plan

PLACEHOLDER = "(sensitive)"
_MOST = 40
"""Attributes of an example; a resource may have hundreds."""


@dataclass
class PlanSubject:
    """What an example can say of a resource."""

    type: str
    name: str
    mode: str
    names: tuple[str, ...] = ()
    """All attributes that the plan shows, with or without a value."""
    after: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Attributes that are known only after the apply."""
    sensitive: list[str] = field(default_factory=list)
    """Attributes whose value is not shown; a placeholder stands in `after`."""


def subject_of_plan(plan: Plan, address: str) -> PlanSubject:
    """Give the resource at ``address``. Raises ``UsageError`` where the plan has none."""
    found = [change for change in plan.changes if change.address == address]
    if not found:
        near = get_close_matches(address, [change.address for change in plan.changes], n=1)
        hint = f"Did you mean {near[0]}?" if near else "See them with: tfgate review PLAN"
        raise UsageError(f"The plan changes nothing at {address}.", hint=hint)
    change = found[0]
    document = change.redacted(Reads.of([("after",), ("before",)]))
    values = document.get("after")
    if not isinstance(values, dict):
        values = document.get("before")
    values = values if isinstance(values, dict) else {}
    subject = PlanSubject(change.type, change.name, change.mode, tuple(values))
    for name, value in values.items():
        _take(subject, name, value)
    return subject


def _take(subject: PlanSubject, name: str, value: Any) -> None:
    if isinstance(value, Unknown):
        if value.sensitive:
            subject.sensitive.append(name)
            subject.after[name] = PLACEHOLDER
        else:
            subject.unknown.append(name)
        return
    marks: list[bool] = []
    plain = _plain(value, marks)
    if True in marks:
        # A part of it is secret: the whole is left out.
        return
    if False in marks:
        subject.unknown.append(name)
    elif plain not in (None, [], {}) and len(subject.after) < _MOST:
        subject.after[name] = plain


def _plain(value: Any, marks: list[bool]) -> Any:
    """Give a value without unknowns; ``marks`` says of each whether it is sensitive."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Unknown):
        marks.append(value.sensitive)
        return None
    if isinstance(value, dict):
        return {name: _plain(part, marks) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, marks) for part in value]
    return value
