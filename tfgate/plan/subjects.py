"""What the rules of each scope are evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.model.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.plan.plan import Plan
    from tfgate.plan.subject import Subject


def iter_subjects(plan: Plan, scope: Scope, *, workspace: str | None = None) -> Iterable[Subject]:
    """Give the subjects of ``scope`` in the plan's order.

    ``workspace`` is what plan rules see under that name. Scope ``source`` has no subjects in a
    plan. Deferred changes are facts of the plan, not resources that this apply makes.
    """
    if scope is Scope.RESOURCE:
        return plan.changes
    if scope is Scope.OUTPUT:
        return plan.outputs.values()
    if scope is Scope.PLAN:
        from tfgate.plan.summary import PlanSubject  # late, as all that few rules look at

        return (PlanSubject(plan, workspace),)
    if scope is Scope.MODULE:
        from tfgate.plan.modulecall import module_calls

        return module_calls(plan.configuration)
    if scope is Scope.PROVIDER:
        from tfgate.plan.provider import provider_configs

        return provider_configs(plan.configuration)
    if scope is Scope.DRIFT:
        return plan.drift
    if scope is Scope.ACTION:
        return (*plan.actions, *plan.deferred_actions)
    return ()
