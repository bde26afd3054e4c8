"""The run that an example is evaluated in: nothing in it depends on when and where it runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from tfgate.engine.context import Context
from tfgate.errors import UsageError
from tfgate.model.identity import Operator, Run, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.model.rule import RuleTest

NOON: Final = dt.datetime(2026, 1, 5, 12, 0, tzinfo=dt.timezone.utc)
"""When examples run that say nothing about it: a Monday."""
_BUILT_IN: Final = (
    "workspace",
    "operator",
    "operator_source",
    "backend",
    "time",
    "date",
    "hour",
    "minute",
    "weekday",
    "repository",
    "commit",
)


def example_context(ruleset: str, test: RuleTest) -> Context:
    """Give the context that an example's ``params``, ``context`` and ``workspace`` describe.

    Names that every run has set the run itself: ``hour = 3`` is a run at three o'clock.
    """
    facts = test.context
    workspace = _workspace_name(test)
    return Context(
        workspace=Workspace(workspace, "flag", backend=facts.get("backend")),
        operator=Operator(facts.get("operator", "unknown"), facts.get("operator_source", "none")),
        now=_now(facts),
        run=Run(repository=facts.get("repository"), commit=facts.get("commit")),
        facts={name: value for name, value in facts.items() if name not in _BUILT_IN},
        params={ruleset: test.params},
    )


def _workspace_name(test: RuleTest) -> str:
    named = test.subject.get("workspace") or test.context.get("workspace")
    plan = test.subject.get("plan") or {}
    return str(plan.get("workspace") or named or "default")


def _now(facts: Mapping[str, Any]) -> dt.datetime:
    try:
        # Python 3.10 does not take the Z.
        time = str(facts.get("time", "")).replace("Z", "+00:00")
        now = dt.datetime.fromisoformat(time) if time else NOON
        if "date" in facts:
            now = dt.datetime.combine(dt.date.fromisoformat(facts["date"]), now.timetz())
        now = now.replace(hour=facts.get("hour", now.hour), minute=facts.get("minute", now.minute))
        weekday = facts.get("weekday", now.isoweekday())
        return now + dt.timedelta(days=weekday - now.isoweekday())
    except (TypeError, ValueError, OverflowError):
        raise UsageError(
            "The example's context has no such time.",
            hint='Write time = "2026-01-05T12:00:00Z", date = "2026-01-05", hour = 3, weekday = 7.',
        ) from None
