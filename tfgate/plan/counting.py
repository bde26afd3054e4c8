"""How much a plan does, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tfgate.model.action import Action

if TYPE_CHECKING:
    from tfgate.plan.plan import Plan


def counts(plan: Plan) -> dict[str, int]:
    """Count managed and data changes per action (every action has a number, 0 included).

    Beside them ``import``, ``move`` (a previous address), ``drift`` and ``deferred``.
    """
    number = Counter(change.action for change in plan.changes)
    return {
        **{action.value: number[action] for action in Action},
        "import": sum(change.is_import for change in plan.changes),
        "move": sum(change.previous_address is not None for change in plan.changes),
        "drift": len(plan.drift),
        "deferred": len(plan.deferred),
    }
