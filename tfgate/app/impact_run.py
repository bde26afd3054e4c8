"""Find the plans, load both sets of rules, judge."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from tfgate.app.impact import Impact, PlanImpact
from tfgate.app.impact_judge import Judge, TwoRules, begin, judge_one
from tfgate.app.impact_plans import recorded_plans
from tfgate.app.rules_at import rules_at
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import for_workspace

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfgate.app.impact_plans import RecordedPlan
    from tfgate.app.rules_at import RulesPlace

MIN_PARALLEL = 16
"""Plans below which starting processes costs more than it saves."""


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


def judge_plans(
    judge: Judge,
    plans: Sequence[RecordedPlan],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[PlanImpact]:
    """Judge each plan under the old and the new rules, in order, on all processors.

    ``workers`` processes share the work (default: one per processor, none for a few plans).
    """
    count = workers if workers is not None else (os.cpu_count() or 1)
    if count <= 1 or len(plans) < MIN_PARALLEL:
        found: Iterable[PlanImpact] = map(judge, plans)
        yield from _counted(found, len(plans), progress)
        return

    size = max(1, min(32, len(plans) // (count * 4)))
    with ProcessPoolExecutor(count, initializer=begin, initargs=(judge.rules,)) as pool:
        found = pool.map(judge_one, plans, chunksize=size)
        yield from _counted(found, len(plans), progress)


def _counted(
    found: Iterable[PlanImpact], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[PlanImpact]:
    for number, one in enumerate(found, 1):
        yield one
        if progress is not None:
            progress(number, total)
