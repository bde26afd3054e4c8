"""For tests of rulesets in Python: make a plan, evaluate it, look at the decision.

::

    from tfgate.testing import evaluate, load_ruleset, outcomes, plan

    def test_large_instances_are_refused():
        found = evaluate(
            plan(changes=[{"type": "aws_instance", "after": {"instance_type": "m5.24xlarge"}}]),
            load_ruleset("./policy"),
        )
        assert outcomes(found)["ACME-EC2-003", "aws_instance.example"] == "fail"

Nothing here depends on when and where it runs: without a context it is noon (UTC) of Monday,
5 January 2026, and the operator is unknown. In pytest, the fixture ``tfgate_evaluate`` is
``evaluate``; the plugin collects rulesets as tests where ``--tfgate`` or ``tfgate = true`` asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tfgate.authoring.rule_tests import TestReport, load_sources, plan_document, run_tests
from tfgate.engine.evaluate import evaluate as _evaluate
from tfgate.errors import RulesetError, UsageError
from tfgate.examples.run import ExampleResult, example_context, run_examples
from tfgate.gate.inputs import read_file
from tfgate.model.decision import Decision
from tfgate.model.rule import RuleTest
from tfgate.plan import Plan, read_plan
from tfgate.ruleset import Ruleset
from tfgate.ruleset.facts import check_example_context
from tfgate.ruleset.problems import Problems

PlanLike = str | os.PathLike[str] | bytes | dict[str, Any] | Plan
"""A path of plan JSON, its bytes, its document, or a plan that is read."""


def load_ruleset(source: str | os.PathLike[str], *, base: Path | None = None) -> Ruleset:
    """Load one ruleset: a folder, a TOML file, ``tfgate:NAME`` or ``git::…``.

    Relative paths are relative to ``base`` (the working directory). Raises ``RulesetError``.
    """
    folder = Path.cwd() if base is None else base
    return load_sources([os.fspath(source)], folder, os.environ)[0]


def plan(
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    outputs: Sequence[Mapping[str, Any]] = (),
    configuration: Mapping[str, Any] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """Return the plan JSON that these tables stand for; they are as in the examples of a rule.

    ``facts`` are other parts of the plan: ``variables``, ``checks``, ``drift``, ``complete``, …
    Raises ``RulesetError`` for what an example could not say either.
    """
    tables = {"changes": list(changes), "outputs": list(outputs), "facts": facts}
    if configuration is not None:
        tables["configuration"] = dict(configuration)
    return plan_document(tables)


def evaluate(
    plan: PlanLike,
    rulesets: Ruleset | str | os.PathLike[str] | Sequence[Ruleset | str | os.PathLike[str]],
    *,
    params: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    workspace: str = "default",
) -> Decision:
    """Evaluate a plan by one ruleset or several. Raises ``TfgateError``.

    ``params`` are values by name for the rulesets that have a parameter of the name, and ``data``
    stands in for their data files; ``context`` are the facts of the run, with ``time``, ``hour``,
    ``weekday`` and ``operator`` among them.
    """
    loaded = [_loaded(each) for each in _listed(rulesets)]
    given = dict(params or {})
    _refuse_unknown("parameter", given, [ruleset.params for ruleset in loaded])
    _refuse_unknown("data file", data or {}, [ruleset.data for ruleset in loaded])
    _refuse_undeclared(context or {}, loaded)
    test = RuleTest(name="", expect="pass", context={**(context or {}), "workspace": workspace})
    base = example_context("", test)
    by_ruleset = {
        ruleset.id: {name: value for name, value in given.items() if name in ruleset.params}
        for ruleset in loaded
    }
    files = {
        ruleset.id: {name: value for name, value in (data or {}).items() if name in ruleset.data}
        for ruleset in loaded
    }
    return _evaluate(_read(plan), loaded, replace(base, params=by_ruleset, data=files))


def outcomes(decision: Decision) -> dict[tuple[str, str], str]:
    """Return the outcome by rule and address; of several findings of one, the worst."""
    found = {
        (rule, address): "pass"
        for rule, addresses in decision.passed.items()
        for address in addresses
    }
    worst = ("waived", "unknown", "fail", "error")
    for outcome in sorted(decision.outcomes, key=lambda each: worst.index(each.outcome.value)):
        found[outcome.rule, outcome.address] = outcome.outcome.value
    return found


def describe(decision: Decision) -> str:
    """Write a decision as lines that stay the same: verdict, findings, passes. For snapshots."""
    lines = [decision.verdict.value]
    lines += [
        f"{each.outcome.value:8} {each.rule} {each.address}: {each.message}"
        for each in decision.outcomes
    ]
    lines += [
        f"pass     {rule} {address}"
        for rule, addresses in decision.passed.items()
        for address in addresses
    ]
    return "\n".join(lines) + "\n"


def _listed(
    rulesets: Ruleset | str | os.PathLike[str] | Sequence[Ruleset | str | os.PathLike[str]],
) -> list[Ruleset | str | os.PathLike[str]]:
    if isinstance(rulesets, (list, tuple)):
        return list(rulesets)
    return [rulesets]  # type: ignore[list-item] # a sequence of another kind is no source


def _loaded(ruleset: Ruleset | str | os.PathLike[str]) -> Ruleset:
    if isinstance(ruleset, (str, os.PathLike)):
        return load_ruleset(ruleset)
    return ruleset


def _refuse_unknown(what: str, given: Mapping[str, Any], names: Sequence[Iterable[str]]) -> None:
    known = {name for of_one in names for name in of_one}
    unknown = sorted(given.keys() - known)
    if unknown:
        hint = f"There are: {', '.join(sorted(known)) or 'none'}."
        raise UsageError(f"No ruleset here has a {what} {unknown[0]}.", hint=hint)


def _refuse_undeclared(context: Mapping[str, Any], rulesets: Sequence[Ruleset]) -> None:
    problems = Problems("the test")
    declared = {name: spec for ruleset in rulesets for name, spec in ruleset.context.items()}
    check_example_context(declared, context, ("context",), problems)
    if problems:
        raise RulesetError(problems.done())


def _read(plan: PlanLike) -> Plan:
    if isinstance(plan, Plan):
        return plan
    if isinstance(plan, dict):
        return read_plan(msgspec.json.encode(plan), name="the test's plan")
    if isinstance(plan, bytes):
        return read_plan(plan, name="the test's plan")
    return read_plan(read_file(os.fspath(plan), what="plan"), name=os.fspath(plan))


__all__ = [
    "ExampleResult",
    "TestReport",
    "describe",
    "evaluate",
    "load_ruleset",
    "outcomes",
    "plan",
    "run_examples",
    "run_tests",
]
