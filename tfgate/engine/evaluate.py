"""``evaluate(plan, rulesets, context) -> Decision``: pure, and the same in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from tfgate.engine.bound import BoundRule, ReadsCache, RuleIndex, Tally, bind, data_types
from tfgate.engine.decide import (
    BUILT_IN_RULESET,
    NOTHING_IN_PLAN,
    NOTHING_IN_SOURCES,
    decide,
    fingerprint,
    make_outcome,
)
from tfgate.engine.finding import (
    Shown,
    Traced,
    attribute_in,
    error_message,
    failures,
    unknown_message,
)
from tfgate.engine.rule_verdict import PASSED, RuleResult, Ruling, evaluate_rule, stopped
from tfgate.engine.waivers import Looked, Waivers
from tfgate.hcl.subject import UNREADABLE, SourceBlock
from tfgate.model.decision import NO_PLAN, Decision, Outcome, OutcomeKind, PlanFacts, RulesetFacts
from tfgate.model.rule import Enforcement, Scope, Severity
from tfgate.model.text import any_glob
from tfgate.plan import iter_subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from tfgate.engine.context import Context
    from tfgate.engine.scope import Shared
    from tfgate.model.rule import Match
    from tfgate.plan import Plan, Subject
    from tfgate.query.state import Meter
    from tfgate.ruleset import Ruleset


# --- Rules on sources: the blocks that each looks at, and what comes of those that cannot be read.


WHOLE: Final = "sources"
"""Address of what is said about the sources as a whole."""
MISMATCH: Final = "TFGATE-SOURCES-MISMATCH"


def source_blocks(
    rules: Sequence[BoundRule], context: Context
) -> Iterable[tuple[SourceBlock, tuple[BoundRule, ...]]] | None:
    """Return each block with the rules that look at it; ``None`` where there are no sources.

    What cannot be read is looked at by every rule: anything could be in it.
    """
    matches = [rule.rule.match for rule in rules]
    found = context.blocks(
        _exact([match.blocks for match in matches]), _exact([match.types for match in matches])
    )
    if found is None:
        return None
    return ((block, _selected(rules, block)) for block in found)


def _exact(globs: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """Return the names that are wanted; empty where some rule wants more than names can say."""
    names = frozenset(name for group in globs for name in group)
    open_ended = any(not group for group in globs) or any("*" in n or "?" in n for n in names)
    return frozenset() if open_ended else names


def _selected(rules: Sequence[BoundRule], block: SourceBlock) -> tuple[BoundRule, ...]:
    if block.kind == UNREADABLE:
        return tuple(rules)
    return tuple(rule for rule in rules if selects(rule.rule.match, block))


def selects(match: Match, block: SourceBlock) -> bool:
    """Whether a rule with this match looks at ``block``.

    A block that several modules use is in each of them.
    """
    return (
        any_glob(match.blocks)(block.kind)
        and any_glob(match.types)(block.type)
        and any_glob(match.names)(block.name)
        and any(map(any_glob(match.modules), block.modules))
        and any(map(any_glob(match.addresses), block.addresses))
    )


def why_unread(block: SourceBlock) -> str:
    """Return why a block has no values."""
    if block.kind == UNREADABLE:
        return f"Cannot be evaluated, since {block.location} cannot be read: {block.error}"
    return f"Cannot be evaluated, since the values of this block are not known: {block.error}"


def without_sources(rule: BoundRule) -> Outcome:
    """Return the outcome of a rule that looks at sources, where there are none."""
    message = (
        "Cannot be evaluated, since there is no Terraform configuration in the directory: "
        "name that of the plan with --root, or leave rules on sources out."
    )
    return Outcome(
        rule=rule.rule.id,
        ruleset=rule.ruleset.id,
        address=WHOLE,
        outcome=OutcomeKind.ERROR,
        title=rule.rule.title,
        severity=rule.rule.severity,
        enforcement=rule.enforcement,
        blocks=True,
        message=message,
        remediation=rule.plain_remediation,
        scope=Scope.SOURCE,
        controls=rule.rule.controls,
        references=rule.rule.references,
        fingerprint=fingerprint(rule.rule.id, WHOLE, None, message),
    )


def mismatch(context: Context, rules: Iterable[BoundRule]) -> Iterable[Outcome]:
    """Say that the sources are not those of the plan, where blocks of it are missing.

    By itself that only costs lines and waivers in comments; where a rule looks at sources, it
    has evaluated others than those of the plan, and nothing may be applied on that.
    """
    missing = context.undeclared()
    if not missing:
        return
    evaluated = any(rule.rule.scope is Scope.SOURCE for rule in rules)
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    message = (
        "The sources are not those of this plan: no block declares "
        f"{', '.join(missing[:3])}{more}. No line is shown, and no comment waives."
    )
    yield Outcome(
        rule=MISMATCH,
        ruleset=BUILT_IN_RULESET,
        address=WHOLE,
        outcome=OutcomeKind.ERROR if evaluated else OutcomeKind.FAIL,
        title="The sources are those of the plan",
        severity=Severity.HIGH if evaluated else Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        blocks=evaluated,
        message=message,
        remediation="Check where the plan was made, or name that directory with --root.",
        scope=Scope.SOURCE,
        fingerprint=fingerprint(MISMATCH, WHOLE, None, message),
    )


def evaluate(plan: Plan, rulesets: Sequence[Ruleset], context: Context) -> Decision:
    """Evaluate every rule of ``rulesets`` on ``plan``.

    No I/O, no clock, no environment: what is not in the arguments has no influence. (The context's
    functions may read sources, when they are first called.)

    Raises ``PlanError`` where a part of the plan that a rule reads turns out to be malformed, and
    ``ConfigError`` where a parameter's value does not fit its type.
    """
    decision = _decide(plan, bind(rulesets, context), rulesets, context)
    facts = _plan_facts(plan, context)
    warnings = (*plan.warnings, *decision.warnings)
    return msgspec.structs.replace(decision, plan=facts, warnings=warnings)


def evaluate_sources(rulesets: Sequence[Ruleset], context: Context) -> Decision:
    """Evaluate the sources alone, by the rules of scope ``source``; the others are not evaluated.

    Raises ``ConfigError`` where a parameter's value does not fit its type.
    """
    return _decide(None, bind(rulesets, context), rulesets, context)


def _decide(
    plan: Plan | None,
    rules: Sequence[BoundRule],
    rulesets: Sequence[Ruleset],
    context: Context,
) -> Decision:
    waivers = Waivers(context)
    tallies = {rule: Tally(rule) for rule in rules}
    outcomes = [
        waivers.apply(outcome, addresses)
        for outcome, addresses in _outcomes(plan, tallies, context)
    ]
    outcomes.extend(mismatch(context, rules))
    looked = Looked([*tallies.values()], plan, context.waivers)
    outcomes.extend(waivers.findings(looked))
    outcomes.sort(key=_order)
    evaluated = sum(tally.evaluated for tally in tallies.values())
    verdict, reasons, undecided = decide(
        outcomes,
        evaluated=evaluated,
        allow_empty=context.allow_empty,
        nothing=NOTHING_IN_PLAN if plan is not None else NOTHING_IN_SOURCES,
    )
    return Decision(
        verdict=verdict,
        reasons=reasons,
        outcomes=tuple(outcomes),
        passed={
            rule.rule.id: _labels(tallies[rule]) for rule in _by_id(rules) if tallies[rule].passed
        },
        rulesets=tuple(_ruleset_facts(ruleset, tallies.values()) for ruleset in rulesets),
        plan=NO_PLAN,
        workspace=context.workspace,
        operator=context.operator,
        run=context.run,
        warnings=tuple(sorted(waivers.warnings(looked))),
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


Tallies = dict[BoundRule, Tally]
Found = tuple[Outcome, "Sequence[str]"]
"""An outcome, and the addresses that a waiver must cover: of a block that several modules use,
one in each of them."""


def _outcomes(plan: Plan | None, tallies: Tallies, context: Context) -> Iterator[Found]:
    for scope in Scope if plan is not None else (Scope.SOURCE,):
        of_scope = {rule: one for rule, one in tallies.items() if rule.rule.scope is scope}
        if of_scope and scope is Scope.SOURCE:
            yield from _outcomes_of_sources(plan, of_scope, context)
        elif of_scope and plan is not None:
            yield from _outcomes_of_scope(plan, of_scope, scope, context)


def _outcomes_of_scope(
    plan: Plan, tallies: Tallies, scope: Scope, context: Context
) -> Iterator[Found]:
    index = RuleIndex([*tallies], scope, evaluate_all=context.evaluate_all)
    cache = ReadsCache()
    wanted = data_types(rule.rule.match for rule in tallies)
    for subject in iter_subjects(plan, scope, workspace=context.workspace.name, data_types=wanted):
        selected = index.select(subject)
        if not selected:
            continue
        reads = cache.of(selected)
        document = subject.document(reads)
        # A module's own ``source`` is what its block says, and stays.
        if reads.wants("source") and document.get("source") is None:
            document["source"] = source_document(subject, context)
        addresses = (subject.address,)
        shared: Shared = {}
        for rule in selected:
            tally = tallies[rule]
            result = evaluate_rule(rule, subject, document, plan, context, tally.meter, shared)
            if result is PASSED:
                tally.passed.append(subject)
            elif result.ruling is not Ruling.SKIP:
                tally.findings += 1
                for outcome in _findings(plan, tally, subject, document, result, context):
                    yield outcome, addresses


def _outcomes_of_sources(plan: Plan | None, tallies: Tallies, context: Context) -> Iterator[Found]:
    blocks = source_blocks([*tallies], context)
    if blocks is None:
        for rule, tally in tallies.items():
            tally.findings += 1
            yield without_sources(rule), (WHOLE,)
        return
    cache = ReadsCache()
    for block, selected in blocks:
        if not selected:
            continue
        document = {} if block.error is not None else block.document(cache.of(selected))
        shared: Shared = {}
        for rule in selected:
            tally = tallies[rule]
            if block.error is not None:
                tally.findings += 1
                kind, message = OutcomeKind.ERROR, why_unread(block)
                yield make_outcome(kind, rule, block, context, message=message), block.addresses
                continue
            result = evaluate_rule(rule, block, document, plan, context, tally.meter, shared)
            if result is PASSED:
                tally.passed.append(block)
            elif result.ruling is not Ruling.SKIP:
                tally.findings += 1
                for outcome in _findings(plan, tally, block, document, result, context):
                    yield outcome, block.addresses


def source_document(subject: Subject, context: Context) -> dict[str, Any] | None:
    """Return ``source`` of a rule's root: ``{"file": …, "line": …}``, or ``None``."""
    location = context.locate(subject.address, None)
    return None if location is None else {"file": location.file, "line": location.line}


def _labels(tally: Tally) -> tuple[str, ...]:
    """Name the subjects that a rule passed on; a deposed object with its key."""
    labels = {
        subject.address
        if subject.deposed is None
        else f"{subject.address} (deposed {subject.deposed})"
        for subject in tally.passed
    }
    return tuple(sorted(labels))


_FINDING = 1_000
"""Steps of a finding: no rule may have more of them than a memory, let alone a person, takes in."""
_FEW_PARTS = 10
"""Parts of a message that are in the steps of its finding."""
_PART = 100
"""Steps of filling in each further one."""


def _findings(
    plan: Plan | None,
    tally: Tally,
    subject: Subject,
    document: dict[str, Any],
    result: RuleResult,
    context: Context,
) -> Iterator[Outcome]:
    """Return the outcomes of a ruling that is neither a pass nor a skip."""
    rule, meter = tally.rule, tally.meter
    if result.ruling is Ruling.FAIL:
        about = attribute_in(rule, document)
        parts = len(rule.compiled.message.parts)
        cost = _FINDING + _PART * max(0, parts - _FEW_PARTS)
        for failure in failures(plan, rule, subject, result, context, meter):
            meter.spend(cost)
            if meter.is_empty:
                message = error_message(rule, stopped(rule))
                yield make_outcome(OutcomeKind.ERROR, rule, subject, context, message=message)
                return
            yield make_outcome(
                OutcomeKind.FAIL,
                rule,
                subject,
                context,
                message=failure.message,
                remediation=failure.remediation,
                item=failure.item,
                about=_longer(failure.about, about),
            )
    elif result.ruling is Ruling.ERROR:
        fix = _remediation(plan, rule, subject, context, meter)
        message = error_message(rule, result)
        yield make_outcome(
            OutcomeKind.ERROR, rule, subject, context, message=message, remediation=fix
        )
    else:
        read = Traced(attribute_in(rule, document))
        yield make_outcome(
            OutcomeKind.UNKNOWN,
            rule,
            subject,
            context,
            message=unknown_message(rule, document),
            remediation=_remediation(plan, rule, subject, context, meter),
            about=read,
        )


def _remediation(
    plan: Plan | None, rule: BoundRule, subject: Subject, context: Context, meter: Meter
) -> str | None:
    """Return the remediation of what is no failure, filled in from the subject."""
    template = rule.compiled.remediation
    if template is None or not template.placeholders:
        return rule.plain_remediation
    return Shown(plan, rule, subject, context, meter).remediation()


def _longer(traced: Traced, about: str | None) -> Traced:
    """Of what the element shows and what the rule shows, give what says more."""
    if traced.path is None or (about is not None and about.startswith(traced.path)):
        return Traced(about)
    return traced


def _ruleset_facts(ruleset: Ruleset, tallies: Iterable[Tally]) -> RulesetFacts:
    own = [tally for tally in tallies if tally.rule.ruleset is ruleset]
    return RulesetFacts(
        id=ruleset.id,
        version=ruleset.version,
        title=ruleset.title,
        digest=ruleset.digest,
        source=ruleset.source,
        owners=tuple(ruleset.owners),
        rules=len(own),
        selected=sum(tally.evaluated for tally in own),
        commit=ruleset.commit,
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
