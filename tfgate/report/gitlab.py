"""``gitlab``: the Code Quality report that a merge request's widget compares.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
from typing import Any

from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.model.rule import Severity
from tfgate.report import view
from tfgate.report.escape import clip, dumps, visible
from tfgate.report.interface import ReportContext, repository_path

_LONGEST = 2_000
_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(decision: Decision, context: ReportContext) -> str:
    """Return a list with one entry a finding; an undecided verdict is an entry too."""
    seen: dict[str, int] = {}
    reasons = decision.reasons if decision.undecided else ()
    entries = [_undecided(reason, context) for reason in reasons]
    for outcome in decision.outcomes:
        number = seen[outcome.fingerprint] = seen.get(outcome.fingerprint, 0) + 1
        entries.append(_entry(outcome, number, context))
    return dumps(entries)


def _entry(outcome: Outcome, number: int, context: ReportContext) -> dict[str, Any]:
    return {
        "description": clip(visible(_description(outcome)), _LONGEST),
        "check_name": visible(outcome.rule),
        "fingerprint": _digest(f"{outcome.fingerprint}:{number}"),
        "severity": _severity(outcome),
        "location": _location(outcome, context),
    }


def _description(outcome: Outcome) -> str:
    text = view.sentence(outcome)
    if outcome.outcome is OutcomeKind.WAIVED:
        return f"{text} ({view.waiver_note(outcome)})"
    if outcome.outcome is OutcomeKind.UNKNOWN and not outcome.blocks:
        return f"{text} (to be checked after the apply)"
    if outcome.override is not None:
        return f"{text} ({view.override_note(outcome)})"
    return text if outcome.blocks else f"{text} ({outcome.enforcement})"


def _severity(outcome: Outcome) -> str:
    """Return the rule's own severity; what was let through knowingly is ``info``."""
    if outcome.blocks or outcome.outcome is OutcomeKind.FAIL:
        return _SEVERITY[outcome.severity]
    return "info"


def _location(outcome: Outcome, context: ReportContext) -> dict[str, Any]:
    """Return the line; without one, GitLab wants a path all the same."""
    if outcome.location is None:
        return _nowhere(context)
    path = repository_path(outcome.location.file, context)
    return {"path": visible(path), "lines": {"begin": outcome.location.line}}


def _nowhere(context: ReportContext) -> dict[str, Any]:
    path = context.fallback_file or context.plan_name
    return {"path": visible(path), "lines": {"begin": 1}}


def _undecided(reason: str, context: ReportContext) -> dict[str, Any]:
    return {
        "description": clip(visible(reason), _LONGEST),
        "check_name": "tfgate",
        "fingerprint": _digest(f"tfgate:{reason}"),
        "severity": "blocker",
        "location": _nowhere(context),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
