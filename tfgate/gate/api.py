"""The library's front door: load a plan, load rulesets, evaluate."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfgate.engine.context import Context
from tfgate.engine.evaluate import evaluate as evaluate_in
from tfgate.engine.functions import rule_functions
from tfgate.gate.inputs import read_file
from tfgate.model.decision import Decision, Operator, Workspace
from tfgate.plan import Plan, read_plan
from tfgate.ruleset import Ruleset, load_ruleset


def load_plan(source: str | os.PathLike[str] | bytes) -> Plan:
    """Read plan JSON from a path, or from the bytes of it. Raises ``PlanError``."""
    if isinstance(source, bytes):
        return read_plan(source)
    return read_plan(read_file(os.fspath(source), what="plan"), name=os.fspath(source))


def load_rulesets(sources: Iterable[str | os.PathLike[str]]) -> tuple[Ruleset, ...]:
    """Load rulesets: ``tfgate:core``, folders, TOML files. Raises ``RulesetError``."""
    functions = rule_functions()
    return tuple(
        load_ruleset(os.fspath(source), base=Path.cwd(), functions=functions) for source in sources
    )


def evaluate(plan: Plan, rulesets: Sequence[Ruleset], context: Context | None = None) -> Decision:
    """Evaluate ``plan``. Without a context: workspace ``default``, operator ``unknown``, now."""
    return evaluate_in(plan, rulesets, context or default_context())


def default_context() -> Context:
    """Return a context that claims to know nothing but the time."""
    return Context(
        workspace=Workspace(name="default", source="default"),
        operator=Operator(name="unknown", source="none"),
        now=dt.datetime.now(dt.timezone.utc),
    )
