"""How far an apply reaches, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tfgate.model.action import Action
from tfgate.model.review import Radius, TypeCount

if TYPE_CHECKING:
    from tfgate.plan import Change, Plan

ORDER: Final = (
    Action.DELETE,
    Action.REPLACE,
    Action.FORGET,
    Action.UPDATE,
    Action.CREATE,
    Action.READ,
    Action.NO_OP,
)
"""What destroys first: the order in which a person should look."""
_EXISTING: Final = (Action.DELETE, Action.REPLACE, Action.FORGET, Action.UPDATE, Action.NO_OP)
_QUIET: Final = (Action.READ, Action.NO_OP)


def radius_of(plan: Plan) -> Radius:
    """Measure the whole plan, whatever is filtered from view."""
    managed = [change for change in plan.changes if change.mode != "data"]
    counts = Counter(change.action for change in plan.changes)
    number = Counter(change.action for change in managed)
    existing = sum(number[action] for action in _EXISTING)
    kept = sum("forget" in change.actions for change in managed if _replaces(change))
    return Radius(
        counts=tuple((action, counts[action]) for action in ORDER if counts[action]),
        types=_types(managed),
        existing=existing,
        touched=existing - number[Action.NO_OP],
        lost=number[Action.DELETE] + number[Action.REPLACE] - kept,
        modules=len({change.module_address for change in managed if change.action not in _QUIET}),
        imported=sum(change.is_import for change in plan.changes),
        moved=sum(change.previous_address is not None for change in plan.changes),
        drifted=len(plan.drift),
        deferred=len(plan.deferred),
    )


def _replaces(change: Change) -> bool:
    return change.action is Action.REPLACE


def _types(managed: list[Change]) -> tuple[TypeCount, ...]:
    table: dict[str, Counter[Action]] = {}
    for change in managed:
        if change.action not in _QUIET:
            table.setdefault(change.type, Counter())[change.action] += 1
    rows = [
        TypeCount(kind, tuple((action, number[action]) for action in ORDER if number[action]))
        for kind, number in table.items()
    ]
    return tuple(sorted(rows, key=_weight))


def _weight(row: TypeCount) -> tuple[int, int, str]:
    """What loses most first, then what changes most."""
    counts = dict(row.counts)
    lost = counts.get(Action.DELETE, 0) + counts.get(Action.REPLACE, 0)
    return -lost, -sum(counts.values()), row.type
