"""Obligations: what was let through unknown, evaluated again once the apply has made it known."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.engine.bound import BoundRule, bind
from tfgate.engine.decide import blocks
from tfgate.engine.evaluate import source_document
from tfgate.engine.finding import error_message, failures, unknown_message
from tfgate.engine.rule_verdict import RuleResult, Ruling, evaluate_rule
from tfgate.model.decision import OutcomeKind
from tfgate.model.rule import Enforcement, OnUnknown, Scope
from tfgate.plan import Reads, iter_subjects
from tfgate.query.state import Meter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject
    from tfgate.ruleset import Ruleset


class Result(str, Enum):
    """What became of an obligation."""

    MET = "met"
    BROKEN = "broken"
    UNRESOLVED = "unresolved"
    """Nobody can say: not in the state, or still unknown."""

    def __str__(self) -> str:
        return self.value


class Obligation(msgspec.Struct, frozen=True):
    """One rule on one subject that was unknown before the apply."""

    rule: str
    address: str
    deposed: str | None = None
    scope: Scope = Scope.RESOURCE
    action: str | None = None


class Checked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an obligation. Safe to show, as a finding is."""

    rule: str
    address: str
    result: Result
    message: str
    enforcement: Enforcement
    deposed: str | None = None
    blocks: bool = False
    """Whether this by itself makes the outcome a failure: never for an advisory rule."""


_KNOWN = frozenset(
    {"address", "config_address", "module_address", "module_config_address", "mode", "type",
     "name", "index", "provider_name", "deposed", "action", "after", "source", "null"}
)  # fmt: skip
"""Fields of a subject that a state and a record of the decision give without the plan.

``null`` is no field: JMESPath reads it as the name of one that is never there.
"""
_OF_PLAN = frozenset({"references", "referenced_by", "configured", "changed"})
"""Functions that look into the plan."""


def recheck(
    plan: Plan,
    rulesets: Sequence[Ruleset],
    context: Context,
    obligations: Iterable[Obligation],
    *,
    whole: bool = True,
) -> tuple[Checked, ...]:
    """Evaluate the obligations on ``plan``, whose ``after`` is what the state says.

    ``whole`` is false where ``plan`` was made from the state alone: rules that look at what only
    the plan knew are unresolved then. Sorted by rule and address.
    """
    rules = {rule.rule.id: rule for rule in bind(rulesets, context)}
    meters = {rule: Meter() for rule in rules.values()}
    subjects: dict[Scope, Mapping[tuple[str, str | None], Subject]] = {}
    checked = []
    for obligation in obligations:
        rule = rules.get(obligation.rule)
        if rule is None:
            gone = "No ruleset in force has this rule any more."
            checked.append(_checked(obligation, Result.UNRESOLVED, gone, None))
            continue
        if not whole and needs_plan(rule, obligation):
            blind = "The rule looks at what only the plan knew: name the plan to check it."
            checked.append(_checked(obligation, Result.UNRESOLVED, blind, rule))
            continue
        scope = obligation.scope
        if scope not in subjects:
            subjects[scope] = _subjects(plan, scope, context)
        subject = subjects[scope].get((obligation.address, obligation.deposed))
        checked.append(_check(plan, rule, subject, obligation, context, meters[rule]))
    return tuple(sorted(checked, key=lambda one: (one.rule, one.address, one.deposed or "")))


def needs_plan(rule: BoundRule, obligation: Obligation) -> bool:
    """Whether the rule looks at anything that a state alone does not give."""
    if obligation.scope is Scope.OUTPUT:
        known: frozenset[str] = frozenset({"address", "name", "after", "null"})
    elif obligation.scope is Scope.RESOURCE:
        known = _KNOWN
        if obligation.action == "create":
            known = known | {"before", "actions"}
    else:
        return True
    called = {
        name for _, expression in rule.compiled.expressions() for name in expression.functions
    }
    return bool(called & _OF_PLAN) or any(not path or path[0] not in known for path in rule.reads)


def _subjects(
    plan: Plan, scope: Scope, context: Context
) -> Mapping[tuple[str, str | None], Subject]:
    found = iter_subjects(plan, scope, workspace=context.workspace.name, data_types=None)
    return {(subject.address, subject.deposed): subject for subject in found}


def _check(
    plan: Plan,
    rule: BoundRule,
    subject: Subject | None,
    obligation: Obligation,
    context: Context,
    meter: Meter,
) -> Checked:
    if subject is None:
        text = "It is not in the state, so there is nothing to check."
        return _checked(obligation, Result.UNRESOLVED, text, rule)
    reads = Reads.of(rule.reads)
    document = subject.document(reads)
    if reads.wants("source"):
        document["source"] = source_document(subject, context)
    found = evaluate_rule(rule, subject, document, plan, context, meter)
    result = _RESULTS[found.ruling]
    return _checked(
        obligation, result, _message(plan, rule, subject, document, found, context, meter), rule
    )


_RESULTS = {
    Ruling.PASS: Result.MET,
    Ruling.SKIP: Result.MET,
    Ruling.FAIL: Result.BROKEN,
    Ruling.ERROR: Result.BROKEN,
    Ruling.UNKNOWN: Result.UNRESOLVED,
}


def _message(
    plan: Plan,
    rule: BoundRule,
    subject: Subject,
    document: dict[str, Any],
    result: RuleResult,
    context: Context,
    meter: Meter,
) -> str:
    if result.ruling is Ruling.FAIL:
        found = failures(plan, rule, subject, result, context, meter)
        return "; ".join(one.message for one in found)
    if result.ruling is Ruling.ERROR:
        return error_message(rule, result)
    if result.ruling is Ruling.UNKNOWN:
        return unknown_message(rule, document).replace("before the apply", "after the apply either")
    return rule.rule.title


def _checked(
    obligation: Obligation, result: Result, message: str, rule: BoundRule | None
) -> Checked:
    enforcement = Enforcement.HARD_MANDATORY if rule is None else rule.enforcement
    kind = OutcomeKind.FAIL if result is Result.BROKEN else OutcomeKind.UNKNOWN
    return Checked(
        rule=obligation.rule,
        address=obligation.address,
        result=result,
        message=message,
        enforcement=enforcement,
        deposed=obligation.deposed,
        blocks=result is not Result.MET and blocks(kind, enforcement, OnUnknown.DENY),
    )
