"""Find the plans, load both sets of rules, judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.app.impact import Impact, judge_plans
from tfgate.app.impact_judge import Judge, TwoRules
from tfgate.app.impact_plans import recorded_plans
from tfgate.app.rules_at import rules_at
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import for_workspace

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from tfgate.app.rules_at import RulesPlace


def run_impact(
    place: RulesPlace,
    base: str,
    sources: Sequence[str],
    *,
    now: dt.datetime,
    since: str | None = None,
    workspace: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Impact:
    """Judge the plans in ``sources`` under the rules of ``base`` and those of the working tree.

    Raises ``UsageError`` where there is nothing to compare or to judge, and ``ConfigError`` where
    one of the two sets of rules does not load.
    """
    after = place.gate_config()
    plans = recorded_plans(sources, after, place.env, now=now, workspace=workspace, since=since)
    with rules_at(place, base) as (before, commit):
        for config in (before, after):
            # A mistake in the rules is one error, not one for each plan.
            for_workspace(config, plans[0].workspace, functions=rule_functions())
        judge = Judge(TwoRules(before, after))
        found = tuple(judge_plans(judge, plans, workers=workers, progress=progress))
    return Impact(base, commit, found)
