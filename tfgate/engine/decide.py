"""The fail-closed table (docs/design.md, "Decisions"): which outcomes stop an apply, and why."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tfgate.engine.finding import Traced, attribute_of
from tfgate.model.decision import Outcome, OutcomeKind, Verdict
from tfgate.model.rule import Enforcement, OnUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.model.address import Location
    from tfgate.plan import Subject


def blocks(outcome: OutcomeKind, enforcement: Enforcement, on_unknown: OnUnknown) -> bool:
    """Whether one outcome by itself denies the plan.

    ========  ========  ==================  ====================
    outcome   advisory  soft-mandatory      hard-mandatory
    ========  ========  ==================  ====================
    pass      no        no                  no
    waived    no        no                  no
    fail      no        yes                 yes
    error     yes       yes                 yes
    unknown   no        as ``on_unknown``   as ``on_unknown``
    ========  ========  ==================  ====================

    An ``error`` denies at every level: a rule that cannot be evaluated says nothing, and a gate
    that cannot evaluate its rules does not open.
    """
    if outcome is OutcomeKind.ERROR:
        return True
    if enforcement is Enforcement.ADVISORY:
        return False
    if outcome is OutcomeKind.FAIL:
        return True
    return outcome is OutcomeKind.UNKNOWN and on_unknown is OnUnknown.DENY


NOTHING_IN_PLAN: Final = (
    "No rule was evaluated on this plan: check the rulesets and their match, or pass --allow-empty."
)
NOTHING_IN_SOURCES: Final = (
    "No rule was evaluated on these sources: use a ruleset with rules on "
    "sources, such as tfgate:source, or pass --allow-empty."
)


def decide(
    outcomes: Sequence[Outcome],
    *,
    evaluated: int,
    allow_empty: bool,
    nothing: str = NOTHING_IN_PLAN,
) -> tuple[Verdict, tuple[str, ...], bool]:
    """Fold outcomes into ``(verdict, reasons, undecided)``.

    ``evaluated`` counts the rules that were evaluated at least once. None is no reason to allow;
    ``nothing`` is the sentence that says so then.
    """
    if evaluated == 0 and not allow_empty:
        return Verdict.DENY, (nothing,), True
    reasons = tuple(_reasons([outcome for outcome in outcomes if outcome.blocks]))
    return (Verdict.DENY if reasons else Verdict.ALLOW), reasons, False


_WORDS = {
    OutcomeKind.FAIL: "failed on",
    OutcomeKind.ERROR: "could not be evaluated on",
    OutcomeKind.UNKNOWN: "is unknown until the apply, and not tolerated so, on",
}


def _reasons(blocking: Sequence[Outcome]) -> list[str]:
    """Write one sentence a rule and kind of outcome, in the order of the outcomes."""
    groups: dict[tuple[str, OutcomeKind], list[Outcome]] = {}
    for outcome in blocking:
        groups.setdefault((outcome.rule, outcome.outcome), []).append(outcome)
    sentences = []
    for (rule, kind), members in groups.items():
        addresses = list(dict.fromkeys(member.address for member in members))
        shown = ", ".join(addresses[:3]) + (
            f" and {len(addresses) - 3} more" if len(addresses) > 3 else ""
        )
        sentences.append(f"{rule} ({members[0].enforcement}) {_WORDS[kind]} {shown}.")
    return sentences


# --- From the result of a rule to an outcome that is safe to show.


BUILT_IN_RULESET = "tfgate"
"""Ruleset of what is found in waivers and sources by no rule."""


def make_outcome(
    kind: OutcomeKind,
    bound: BoundRule,
    subject: Subject,
    context: Context,
    *,
    message: str,
    remediation: str | None = None,
    item: int | None = None,
    about: Traced | None = None,
) -> Outcome:
    """Build the outcome of ``bound`` on ``subject``, with its place in the sources.

    ``about`` is what it is about, where that is more than the rule as a whole says.
    """
    common = bound.common.get(kind)
    if common is None:
        common = bound.common[kind] = _common(kind, bound)
    if about is None or about.path is None:
        about = Traced(attribute_of(bound))
    address, deposed, action = subject.address, subject.deposed, subject.action
    return replace(
        common,
        address=address,
        message=message,
        remediation=remediation or common.remediation,
        type=subject.type,
        action=None if action is None else action.value,
        deposed=deposed,
        item=item,
        location=_place(subject, about, context),
        attribute=about.path,
        fingerprint=fingerprint(common.rule, address, deposed, message),
    )


def _common(kind: OutcomeKind, bound: BoundRule) -> Outcome:
    """Return what outcomes of a rule have in common: there may be thousands of them."""
    rule = bound.rule
    return Outcome(
        rule=rule.id,
        ruleset=bound.ruleset.id,
        address="",
        outcome=kind,
        title=rule.title,
        severity=rule.severity,
        enforcement=bound.enforcement,
        on_unknown=bound.on_unknown if kind is OutcomeKind.UNKNOWN else None,
        blocks=blocks(kind, bound.enforcement, bound.on_unknown),
        remediation=bound.plain_remediation,
        scope=rule.scope,
        controls=rule.controls,
        references=rule.references,
    )


def fingerprint(rule: str, address: str, deposed: str | None, message: str) -> str:
    """Name a finding so that the same finding on a re-plan has the same name: SHA-256, hex."""
    parts = "\x00".join((rule, address, deposed or "", message))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def _place(subject: Subject, about: Traced, context: Context) -> Location | None:
    """Return what the subject says itself, or else where the sources have its address."""
    path = about.path
    own = subject.place(path)
    if own is not None:
        return own
    if path is None or about.element is None or context.locate_element is None:
        return context.locate(subject.address, path)
    return context.locate_element(subject.address, path.partition("[")[0], about.element)
