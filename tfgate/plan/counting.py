"""How much a plan does, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tfgate.model.action import Action
from tfgate.plan.change import action_named

if TYPE_CHECKING:
    from tfgate.plan.plan import Plan


def counts(plan: Plan) -> dict[str, int]:
    """Count managed and data changes per action (every action has a number, 0 included).

    Beside them ``import``, ``move`` (a previous address), ``drift`` and ``deferred``.
    """
    number: Counter[Action] = Counter()
    for actions, times in Counter([change.body.actions for change in plan.changes]).items():
        number[action_named(actions)] += times
    return {
        **{action.value: number[action] for action in Action},
        "import": sum(change.is_import for change in plan.changes),
        "move": sum(change.previous_address is not None for change in plan.changes),
        "drift": len(plan.drift),
        "deferred": len(plan.deferred),
    }


def counts_by_type(plan: Plan) -> dict[str, dict[str, int]]:
    """Count managed and data changes per type and action; what there is none of is absent."""
    spelt = Counter([(change.type, change.body.actions) for change in plan.changes])
    table: dict[str, dict[str, int]] = {}
    for (kind, actions), times in spelt.items():
        row = table.setdefault(kind, {})
        action = action_named(actions).value
        row[action] = row.get(action, 0) + times
    return table
