"""A decision as the outcomes of a run task: what blocks first, bounded in number and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.decision import Outcome, OutcomeKind, Verdict
from tfgate.report import view
from tfgate.report.markdown_findings import full
from tfgate.report.neutral import clip
from tfgate.web.job import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.model.decision import Decision

MAX_FINDINGS: Final = 2_000
_LONGEST: Final = 2_000
_LEVELS: Final = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "info",
    "info": "none",
}


def message_of(decision: Decision) -> str:
    """Say the decision in one line of at most 500 characters."""
    return clip(view.headline(decision, view.group(decision)), 500)


def findings_of(decision: Decision) -> tuple[tuple[Finding, ...], int]:
    """Give the findings, and how many there are beyond the limit."""
    order = sorted(decision.outcomes, key=_weight)
    kept = order[:MAX_FINDINGS]
    return tuple(_finding(o, n) for n, o in enumerate(kept)), len(order) - len(kept)


def _weight(outcome: Outcome) -> tuple[bool, bool, int]:
    ranks = list(_LEVELS)
    return (
        not outcome.blocks,
        outcome.outcome is OutcomeKind.WAIVED,
        ranks.index(outcome.severity.value),
    )


def _finding(outcome: Outcome, number: int) -> Finding:
    status, level = _status(outcome)
    where = view.subject(outcome)
    return Finding(
        id=f"{clip(outcome.rule, 200)}#{number}",
        description=clip(f"{where}: {view.problem(outcome)}", 300),
        body="\n\n".join(_body((outcome,))),
        status=status,
        severity=outcome.severity.value.capitalize(),
        level=level,
    )


def _body(outcomes: Sequence[Outcome]) -> list[str]:
    return list(full(_LONGEST).write(outcomes))


def _status(outcome: Outcome) -> tuple[str, str]:
    """Give the label, and how bad it is."""
    if outcome.blocks:
        return "Denied", "error"
    if outcome.outcome is OutcomeKind.WAIVED:
        return "Waived", "none"
    if outcome.override is not None:
        return "Approved", "info"
    if outcome.outcome is OutcomeKind.UNKNOWN:
        return "Not known yet", "warning"
    return "Advisory", _LEVELS[outcome.severity.value]


def is_pass(decision: Decision) -> bool:
    """Whether the run may go on."""
    return decision.verdict is Verdict.ALLOW and not decision.undecided


def plain(text: str, longest: int = 500) -> str:
    """Make a sentence of our own fit for a message."""
    return clip(text, longest)
