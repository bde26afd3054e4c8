"""The fail-closed table (docs/design.md, "Decisions"): which outcomes stop an apply, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.decision import Outcome, OutcomeKind, Verdict
from tfgate.model.rule import Enforcement, OnUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence


def blocks(outcome: OutcomeKind, enforcement: Enforcement, on_unknown: OnUnknown) -> bool:
    """Say whether one outcome by itself denies the plan.

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
    "No rule was evaluated on this plan, so nothing was judged: "
    "check the rulesets and their match, or pass --allow-empty."
)
NOTHING_IN_SOURCES: Final = (
    "No rule was evaluated on these sources, so nothing was judged: use a ruleset with rules on "
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

    ``evaluated`` counts the rules that were evaluated at least once: with none, nothing was judged,
    and that is no reason to allow; ``nothing`` is the sentence that says so then.
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
