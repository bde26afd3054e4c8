"""What every format says alike: which findings belong together, the verdict in words, what next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tfgate.model import Frozen
from tfgate.model.decision import NO_PLAN, Decision, Operator, Outcome, OutcomeKind, Verdict
from tfgate.model.rule import Enforcement, Scope, Severity
from tfgate.report.escape import clip

_LONGEST_NAME = 500
"""Characters of an address in a report for people; no resource of a person's has as many."""


class Groups(Frozen, frozen=True):
    """The findings of a decision, each in exactly one group, in the decision's order."""

    blocking: tuple[Outcome, ...]
    """Each denies by itself."""
    advisory: tuple[Outcome, ...]
    """Found, and let through: advisory rules, tolerated unknowns, overridden failures."""
    obligations: tuple[Outcome, ...]
    """Unknown now, to be checked after the apply."""
    waived: tuple[Outcome, ...]


def group(decision: Decision) -> Groups:
    """Sort the findings into groups."""
    blocking, advisory, obligations, waived = [], [], [], []
    for outcome in decision.outcomes:
        if outcome.blocks:
            blocking.append(outcome)
        elif outcome.outcome is OutcomeKind.WAIVED:
            waived.append(outcome)
        elif outcome.is_obligation:
            obligations.append(outcome)
        elif outcome.outcome is not OutcomeKind.PASS:
            advisory.append(outcome)
    return Groups(tuple(blocking), tuple(advisory), tuple(obligations), tuple(waived))


_SEVERITY_ORDER = {severity: number for number, severity in enumerate(reversed(Severity))}


def by_rule(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, list[Outcome]]]:
    """Put outcomes of one rule and level together, the most severe rules first.

    Each entry has a representative (for title and severity) and all its outcomes.
    """
    rules: dict[tuple[str, str, Severity, Enforcement], list[Outcome]] = {}
    for outcome in outcomes:
        key = (outcome.rule, outcome.ruleset, outcome.severity, outcome.enforcement)
        rules.setdefault(key, []).append(outcome)
    groups = [(members[0], members) for members in rules.values()]
    groups.sort(key=lambda entry: (_SEVERITY_ORDER[entry[0].severity], entry[0].rule))
    return groups


_MOST_REMEDIES = 5


def remediations(members: Iterable[Outcome]) -> list[str]:
    """Return what fixes the findings of a rule, each text once: most rules have one for all.

    A broken rule gives no advice on the plan.
    """
    texts = [o.remediation for o in members if o.outcome is not OutcomeKind.ERROR and o.remediation]
    found = list(dict.fromkeys(texts))
    more = len(found) - _MOST_REMEDIES
    return found if more <= 0 else [*found[:_MOST_REMEDIES], f"And {more} more like these."]


def verdict_word(decision: Decision) -> str:
    """``ALLOWED``, ``DENIED`` or ``UNDECIDED``."""
    if decision.undecided:
        return "UNDECIDED"
    return "ALLOWED" if decision.verdict is Verdict.ALLOW else "DENIED"


def headline(decision: Decision, groups: Groups) -> str:
    """Say in one sentence what the verdict rests on."""
    if decision.undecided:
        return "tfgate could not decide, which counts as denied."
    if groups.blocking:
        rules = len({(outcome.ruleset, outcome.rule) for outcome in groups.blocking})
        verb = "blocks" if len(groups.blocking) == 1 else "block"
        return (
            f"{count(len(groups.blocking), 'finding')} of {count(rules, 'rule')} {verb} "
            f"{evaluated_thing(decision)}."
        )
    if decision.verdict is Verdict.DENY:
        return "This plan must not be applied."
    let_through = sum(outcome.override is not None for outcome in groups.advisory)
    if broken := len(decision.broken_glass):
        return (
            f"BREAK GLASS: {count(broken, 'finding')} that would block {evaluated_thing(decision)} "
            f"{'is' if broken == 1 else 'are'} let through in an emergency."
        )
    if let_through:
        verb = "is" if let_through == 1 else "are"
        found = count(let_through, "finding")
        return f"Nothing blocks this plan any more: {found} {verb} let through by approval."
    return f"Nothing blocks {evaluated_thing(decision)}."


def evaluated_thing(decision: Decision) -> str:
    """Name what was evaluated: ``this plan`` or, without one, ``these sources``."""
    return "these sources" if decision.plan == NO_PLAN else "this plan"


def operator(who: Operator) -> str:
    """Say who asked, and what that rests on: ``alice@github (verified by github as repo:…)``."""
    if not who.verified:
        return f"{who.name} (from {who.source}, not verified)"
    return f"{who.name} (verified by {who.source}" + (f" as {who.subject})" if who.subject else ")")


def what(decision: Decision, name: str) -> tuple[str, str]:
    """Return what was evaluated, and which: ``("plan", "p.tfplan: 3 create")``."""
    sources = decision.sources
    if decision.plan == NO_PLAN:
        return "sources", name if sources is None else f"{name}: {count(sources.files, 'file')}"
    return "plan", f"{name}: {changes(decision) or 'no changes'}"


def digests(decision: Decision) -> dict[str, str]:
    """Return the SHA-256 (hex) of each thing that was evaluated, by its name."""
    found = {
        "Plan JSON": decision.plan.json_sha256,
        "Plan file": decision.plan.file_sha256,
        "Sources": None if decision.sources is None else decision.sources.sha256,
    }
    named = {f"Data {file.name} of {file.ruleset}": file.sha256 for file in decision.data}
    return {name: digest for name, digest in {**found, **named}.items() if digest}


def causes(decision: Decision, groups: Groups) -> tuple[str, ...]:
    """Return the reasons that no finding gives: those of an undecided or bare deny."""
    return decision.reasons if decision.undecided or not groups.blocking else ()


def count(number: int, noun: str) -> str:
    """Write ``1 finding``, ``2 findings``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def subject(outcome: Outcome) -> str:
    """Name what the outcome is about, the deposed object apart from the live one."""
    address = clip(outcome.address, _LONGEST_NAME)
    if outcome.deposed is None:
        return address
    return f"{address} (deposed {clip(outcome.deposed, _LONGEST_NAME)})"


def problem(outcome: Outcome) -> str:
    """Say what was found, with what kind of outcome it is where that is not a plain failure."""
    text = outcome.message or outcome.title or "broken"
    if outcome.outcome is OutcomeKind.UNKNOWN:
        when = "from the sources" if outcome.scope is Scope.SOURCE else "until the apply"
        return f"unknown {when}: {text}"
    if outcome.outcome is OutcomeKind.ERROR:
        return f"the rule could not be evaluated: {text}"
    return text


def sentence(outcome: Outcome) -> str:
    """Say what was found and on what; an address that the message names already is not repeated."""
    text = problem(outcome)
    if outcome.deposed is None and outcome.address in outcome.message:
        return text
    return f"{subject(outcome)}: {text}"


def waiver_note(outcome: Outcome) -> str:
    """Say by whom, until when, why and where the outcome was waived."""
    waiver = outcome.waiver
    if waiver is None:
        return "waived"
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    where = f" [{waiver.source}]" if waiver.source else ""
    return f"waived by {waiver.owner} until {waiver.expires}{ticket}: {waiver.reason}{where}"


def override_note(outcome: Outcome) -> str:
    """Say who let the outcome through, until when and why; empty where nobody did."""
    if outcome.override is None:
        return ""
    people = "; ".join(
        f"approved by {each.approver} until {each.expires:%Y-%m-%d %H:%M %Z}: {each.reason}"
        for each in outcome.override.approvals
    )
    return f"BREAK GLASS: {people}" if outcome.override.break_glass else people


def changes(decision: Decision) -> str:
    """Sum up the plan: ``3 create, 1 replace``; empty where nothing is known."""
    counts = decision.plan.counts
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)


def tally(decision: Decision) -> str:
    """Count the outcomes: ``12 passed, 2 failed, 1 unknown, 0 errors, 1 waived``."""
    counts = decision.counts()
    words = {"pass": "passed", "fail": "failed", "unknown": "unknown", "waived": "waived"}
    parts = [f"{counts[kind]:,} {word}" for kind, word in words.items()]
    parts.insert(3, count(counts["error"], "error"))
    return ", ".join(parts)


def next_steps(decision: Decision, groups: Groups) -> list[str]:
    """Say what to do now, in sentences."""
    if decision.undecided:
        return ["Remove the cause above and run tfgate again; nothing may be applied until then."]
    if decision.verdict is Verdict.DENY:
        if decision.plan == NO_PLAN:
            return ["Fix what blocks, and check again."]
        return _after_deny(groups.blocking)
    if decision.plan == NO_PLAN:
        return []
    steps = ["Apply this very plan file: another plan is another decision."]
    if groups.obligations:
        number = count(len(groups.obligations), "outcome")
        steps.append(f"{number} can only be known after the apply, and must be checked then.")
    return steps


def _after_deny(blocking: Sequence[Outcome]) -> list[str]:
    steps = []
    kinds = {outcome.outcome for outcome in blocking}
    levels = {outcome.enforcement for outcome in blocking}
    if OutcomeKind.FAIL in kinds or not kinds:
        steps.append("Fix what blocks, plan again, and check the new plan.")
    if OutcomeKind.UNKNOWN in kinds:
        steps.append(
            "Give the unknown values in the configuration, "
            "or have the rule verify them after the apply."
        )
    errors = {o.scope for o in blocking if o.outcome is OutcomeKind.ERROR}
    if Scope.SOURCE in errors:
        steps.append("Have all of the sources read: what cannot be read is not evaluated.")
    if errors - {Scope.SOURCE}:
        steps.append(
            "A rule that could not be evaluated is a fault of the rule: report it to its owners."
        )
    if levels == {Enforcement.SOFT_MANDATORY} and OutcomeKind.ERROR not in kinds:
        steps.append(
            "Every blocking rule is soft-mandatory: approvals can let this through "
            "(tfgate check --approval-request)."
        )
    return steps
