"""``evaluate(plan, rulesets, context) -> Decision``: pure, and the same in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.engine.bound import BoundRule, ReadsCache, bind
from tfgate.engine.decide import decide
from tfgate.engine.functions import SubjectScope
from tfgate.engine.judge import Judged, Ruling, judge
from tfgate.engine.outcome import make_outcome
from tfgate.engine.select import RuleIndex
from tfgate.engine.tell import error_message, failures, unknown_message
from tfgate.engine.waive import Waivers
from tfgate.model.decision import Decision, Outcome, OutcomeKind, PlanFacts, RulesetFacts
from tfgate.model.rule import Scope
from tfgate.plan import iter_subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject
    from tfgate.ruleset import Ruleset

PLAN_SCOPES = tuple(scope for scope in Scope if scope is not Scope.SOURCE)
"""Scopes whose subjects are in a plan."""


def evaluate(plan: Plan, rulesets: Sequence[Ruleset], context: Context) -> Decision:
    """Judge ``plan`` by every rule of ``rulesets``.

    No I/O, no clock, no environment: what is not in the arguments has no influence.

    Raises ``PlanError`` where a part of the plan that a rule reads turns out to be malformed, and
    ``ConfigError`` where a parameter's value does not fit its type.
    """
    rules = bind(rulesets, context)
    waivers = Waivers(context, frozenset(rule.rule.id for rule in rules))
    outcomes = [waivers.apply(outcome) for outcome in _outcomes(plan, rules, context)]
    outcomes.extend(waivers.findings())
    outcomes.sort(key=_order)
    evaluated = sum(1 for rule in rules if rule.evaluated)
    verdict, reasons, undecided = decide(
        outcomes, evaluated=evaluated, allow_empty=context.allow_empty
    )
    return Decision(
        verdict=verdict,
        reasons=reasons,
        outcomes=tuple(outcomes),
        passed={rule.rule.id: _labels(rule) for rule in _by_id(rules) if rule.passed},
        rulesets=tuple(_ruleset_facts(ruleset, rules) for ruleset in rulesets),
        plan=_plan_facts(plan, context),
        workspace=context.workspace,
        operator=context.operator,
        run=context.run,
        warnings=(*plan.warnings, *sorted(waivers.warnings())),
        undecided=undecided,
    )


def _order(outcome: Outcome) -> tuple[Any, ...]:
    return (
        outcome.rule,
        outcome.address,
        outcome.deposed or "",
        -1 if outcome.item is None else outcome.item,
        outcome.message,
    )


def _by_id(rules: Iterable[BoundRule]) -> list[BoundRule]:
    return sorted(rules, key=lambda bound: bound.rule.id)


def _outcomes(plan: Plan, rules: Sequence[BoundRule], context: Context) -> Iterator[Outcome]:
    for scope in PLAN_SCOPES:
        of_scope = [rule for rule in rules if rule.rule.scope is scope]
        if of_scope:
            yield from _outcomes_of_scope(plan, of_scope, scope, context)


def _outcomes_of_scope(
    plan: Plan, rules: Sequence[BoundRule], scope: Scope, context: Context
) -> Iterator[Outcome]:
    index = RuleIndex(rules, scope, evaluate_all=context.evaluate_all)
    cache = ReadsCache()
    for subject in iter_subjects(plan, scope, workspace=context.workspace.name):
        selected = index.select(subject)
        if not selected:
            continue
        reads = cache.of(selected)
        document = subject.document(reads)
        # A module's own ``source`` is what its block says, and stays.
        if reads.wants("source") and document.get("source") is None:
            document["source"] = source_document(subject, context)
        for rule in selected:
            scoped = SubjectScope(plan, rule, subject, document, context) if rule.scoped else None
            judged = judge(rule, document, scoped)
            if judged.ruling is Ruling.PASS:
                rule.passed.append(subject)
            elif judged.ruling is not Ruling.SKIP:
                rule.findings += 1
                yield from _findings(plan, rule, subject, document, judged, context)


def source_document(subject: Subject, context: Context) -> dict[str, Any] | None:
    """Give ``source`` of a rule's root: ``{"file": …, "line": …}``, or ``None``."""
    location = context.locate(subject.address, None)
    return None if location is None else {"file": location.file, "line": location.line}


def _labels(rule: BoundRule) -> tuple[str, ...]:
    """Name the subjects that a rule passed on; a deposed object is told from the live one."""
    return tuple(
        sorted(
            subject.address
            if subject.deposed is None
            else f"{subject.address} (deposed {subject.deposed})"
            for subject in rule.passed
        )
    )


def _findings(
    plan: Plan,
    rule: BoundRule,
    subject: Subject,
    document: dict[str, Any],
    judged: Judged,
    context: Context,
) -> Iterator[Outcome]:
    """Give the outcomes of a ruling that is neither a pass nor a skip."""
    if judged.ruling is Ruling.FAIL:
        for item, message in failures(plan, rule, subject, judged, context):
            yield make_outcome(OutcomeKind.FAIL, rule, subject, context, message=message, item=item)
    elif judged.ruling is Ruling.ERROR:
        message = error_message(rule, judged)
        yield make_outcome(OutcomeKind.ERROR, rule, subject, context, message=message)
    else:
        message = unknown_message(rule, document)
        yield make_outcome(OutcomeKind.UNKNOWN, rule, subject, context, message=message)


def _ruleset_facts(ruleset: Ruleset, rules: Iterable[BoundRule]) -> RulesetFacts:
    own = [bound for bound in rules if bound.ruleset is ruleset]
    return RulesetFacts(
        id=ruleset.id,
        version=ruleset.version,
        title=ruleset.title,
        digest=ruleset.digest,
        source=ruleset.source,
        owners=tuple(ruleset.owners),
        rules=len(own),
        selected=sum(1 for bound in own if bound.evaluated),
    )


def _plan_facts(plan: Plan, context: Context) -> PlanFacts:
    return PlanFacts(
        json_sha256=plan.json_sha256,
        file_sha256=context.plan_file_sha256,
        format_version=plan.format_version,
        terraform_version=plan.terraform_version,
        timestamp=plan.timestamp,
        complete=plan.complete,
        applyable=plan.applyable,
        counts=plan.counts(),
    )
