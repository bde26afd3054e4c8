"""A decision as the outcomes of a run task: what blocks first, bounded in number and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.model.decision import Outcome, OutcomeKind, Verdict
from tfgate.report import view
from tfgate.report.escape import clip
from tfgate.report.markdown import full
from tfgate.server.job import Finding

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


# --- What is sent back, as JSON:API documents that stay below the limit.


RUNNING, PASSED, FAILED = "running", "passed", "failed"


def status_body(status: str, message: str, url: str | None = None) -> bytes:
    """Give a body that says a status and nothing else."""
    return msgspec.json.encode({"data": _data(status, message, url)})


def _data(status: str, message: str, url: str | None) -> dict[str, Any]:
    attributes = {"status": status, "message": message}
    if url is not None:
        attributes["url"] = url
    return {"type": "task-results", "attributes": attributes}


def outcomes_body(
    message: str, url: str | None, findings: Sequence[Finding], *, most: int, limit: int
) -> bytes:
    """Give a ``running`` body with one outcome a finding: the worst first, at most ``limit`` bytes.

    Findings that do not fit are counted in a last outcome.
    """
    data = _data(RUNNING, message, url)
    size = len(msgspec.json.encode(data)) + 2_000
    taken: list[dict[str, Any]] = []
    for finding in findings[:most]:
        outcome = _outcome(finding, url)
        size += len(msgspec.json.encode(outcome)) + 1
        if size > limit:
            break
        taken.append(outcome)
    left = len(findings) - len(taken)
    if left:
        taken.append(_rest(left, url))
    data["relationships"] = {"outcomes": {"data": taken}}
    return msgspec.json.encode({"data": data})


def _outcome(finding: Finding, url: str | None) -> dict[str, Any]:
    tags = {
        "Status": [{"label": finding.status, "level": finding.level}],
        "Severity": [{"label": finding.severity, "level": finding.level}],
    }
    attributes = {
        "outcome-id": finding.id,
        "description": finding.description,
        "body": finding.body,
        "tags": tags,
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}


def _rest(number: int, url: str | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "outcome-id": "tfgate-more",
        "description": f"{number} more findings are on the page of the decision.",
        "tags": {"Status": [{"label": "More", "level": "info"}]},
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}
