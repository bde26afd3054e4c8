"""``json``: every outcome, passes included, for programs; version 1 (``json_v1``), sorted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tfgate.model.decision import NO_PLAN
from tfgate.report import json_v1 as v1
from tfgate.report.interface import ReportContext, exit_code
from tfgate.report.jsontext import dumps

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

_Shape = TypeVar("_Shape")

_DEPOSED = re.compile(r"(?P<address>.+) \(deposed (?P<key>[^()\s]+)\)", re.DOTALL)
"""How ``Decision.passed`` writes a deposed object (no live address ends in a bracket)."""


def render(decision: Decision, context: ReportContext) -> str:
    """Give the report as JSON text, indented by two. Values are data, and stand as they are."""
    return dumps(report_of(decision, context))


def report_of(decision: Decision, context: ReportContext) -> v1.Report:
    """Give the report as typed values."""
    return v1.Report(
        version=1,
        tfgate_version=context.tfgate_version,
        decision=decision.verdict.value,
        exit_code=exit_code(decision, context),
        undecided=decision.undecided,
        reasons=decision.reasons,
        decision_id=context.decision_id,
        plan=None if decision.plan == NO_PLAN else _like(decision.plan, v1.Plan),
        sources=None if decision.sources is None else _like(decision.sources, v1.Sources),
        workspace=_like(decision.workspace, v1.Workspace),
        operator=_like(decision.operator, v1.Operator),
        run=None if decision.run is None else _like(decision.run, v1.Run),
        rulesets=tuple(_like(ruleset, v1.Ruleset) for ruleset in decision.rulesets),
        summary=_summary(decision),
        warnings=decision.warnings,
        obligations=[_like(outcome, v1.Obligation) for outcome in decision.obligations],
        outcomes=_outcomes(decision),
    )


def _summary(decision: Decision) -> v1.Summary:
    counts = decision.counts()
    counts["passed"] = counts.pop("pass")
    return v1.Summary(blocking=sum(outcome.blocks for outcome in decision.outcomes), **counts)


def _outcomes(decision: Decision) -> list[v1.Outcome]:
    """Give passes and findings in one list, sorted by rule, address, deposed key and item."""
    outcomes = [_like(outcome, v1.Outcome) for outcome in decision.outcomes]
    for rule, addresses in decision.passed.items():
        outcomes.extend(_passed(rule, address) for address in addresses)
    outcomes.sort(key=_order)
    return outcomes


def _order(outcome: v1.Outcome) -> tuple[str, str, str, int, str]:
    item = -1 if outcome.item is None else outcome.item
    return outcome.rule, outcome.address, outcome.deposed or "", item, outcome.outcome


def _passed(rule: str, address: str) -> v1.Outcome:
    if address.endswith(")") and (found := _DEPOSED.fullmatch(address)):
        return v1.Outcome(rule, found["address"], "pass", deposed=found["key"])
    return v1.Outcome(rule, address, "pass")


def _like(value: object, shape: type[_Shape]) -> _Shape:
    """Copy the fields that ``shape`` has, by name; whatever else the model grows stays out."""
    return msgspec.convert(value, shape, from_attributes=True, strict=False)
