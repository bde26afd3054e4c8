"""The fail-closed table, cell by cell."""

from __future__ import annotations

import pytest

from tfgate.engine.decide import blocks, decide
from tfgate.model.decision import Outcome, OutcomeKind, Verdict
from tfgate.model.rule import Enforcement, OnUnknown

ADVISORY, SOFT, HARD = Enforcement
DENY, VERIFY, ALLOW = OnUnknown

TABLE = {
    **{(kind, level, unknown): False
       for kind in (OutcomeKind.PASS, OutcomeKind.WAIVED)
       for level in Enforcement for unknown in OnUnknown},
    **{(OutcomeKind.ERROR, level, unknown): True
       for level in Enforcement for unknown in OnUnknown},
    **{(OutcomeKind.FAIL, level, unknown): level is not ADVISORY
       for level in Enforcement for unknown in OnUnknown},
    **{(OutcomeKind.UNKNOWN, level, unknown): level is not ADVISORY and unknown is DENY
       for level in Enforcement for unknown in OnUnknown},
}  # fmt: skip


@pytest.mark.parametrize("kind", list(OutcomeKind))
@pytest.mark.parametrize("level", list(Enforcement))
@pytest.mark.parametrize("unknown", list(OnUnknown))
def test_table(kind: OutcomeKind, level: Enforcement, unknown: OnUnknown) -> None:
    """Each kind of outcome at each level denies or not, as the table says, for every member."""
    assert blocks(kind, level, unknown) is TABLE[kind, level, unknown]


def _outcome(rule: str, address: str, *, denies: bool) -> Outcome:
    return Outcome(rule=rule, ruleset="t", address=address, outcome=OutcomeKind.FAIL, blocks=denies)


def test_one_blocking_outcome_denies() -> None:
    """A single blocking outcome among others denies, and is the one that the reason names."""
    outcomes = [_outcome("A", "x.a", denies=False), _outcome("B", "x.b", denies=True)]
    verdict, reasons, undecided = decide(outcomes, evaluated=2, allow_empty=False)
    assert (verdict, undecided) == (Verdict.DENY, False)
    assert reasons == ("B (hard-mandatory) failed on x.b.",)


def test_nothing_blocking_allows() -> None:
    """Findings that do not block leave the plan allowed, without a reason to give."""
    outcomes = [_outcome("A", "x.a", denies=False)]
    assert decide(outcomes, evaluated=1, allow_empty=False) == (Verdict.ALLOW, (), False)


def test_nothing_evaluated_is_undecided() -> None:
    """Where no rule was evaluated nothing was judged: denied, and told apart from a denial."""
    verdict, reasons, undecided = decide([], evaluated=0, allow_empty=False)
    assert (verdict, undecided) == (Verdict.DENY, True)
    assert "--allow-empty" in reasons[0]


def test_nothing_evaluated_may_be_allowed() -> None:
    """``allow_empty`` lets a plan pass on which no rule was evaluated."""
    assert decide([], evaluated=0, allow_empty=True) == (Verdict.ALLOW, (), False)


def test_many_addresses_are_counted() -> None:
    """A reason names three addresses and counts the rest."""
    outcomes = [_outcome("A", f"x.a{number}", denies=True) for number in range(7)]
    _, reasons, _ = decide(outcomes, evaluated=1, allow_empty=False)
    assert reasons == ("A (hard-mandatory) failed on x.a0, x.a1, x.a2 and 4 more.",)
