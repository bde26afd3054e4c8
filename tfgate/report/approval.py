"""What an approver is asked, as text: everything that will be signed, and nothing that is not."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tfgate.report.layout import Sheet
from tfgate.report.neutral import clip, console

if TYPE_CHECKING:
    import datetime as dt

    from tfgate.model.approval import ApprovalRequest, ApprovalStatement, ApprovedFinding

_LONGEST = 2_000
"""Characters of a message that are shown."""
_BINDS = {
    "plan": "this plan alone: a new plan needs a new approval",
    "findings": "these findings, in any plan for this workspace and state",
}


def render_approval(
    statement: ApprovalStatement, *, width: int, color: bool, unicode: bool = True
) -> str:
    """Give what is approved, wrapped to ``width`` columns, with nothing a terminal would obey."""
    request = statement.request
    sheet = Sheet(width, color=color, unicode=unicode)
    rules = len({finding.rule for finding in request.findings})
    what = f"{len(request.findings):,} finding(s) of {rules:,} rule(s) are to be let through."
    sheet.add(("APPROVAL", "undecided"), (f"  {what}", ""), hang=2)
    sheet.blank()
    for name, fact in _facts(statement).items():
        sheet.add((f"{name:<11}", "quiet"), (console(fact), ""), indent=2, hang=11)
    for _, findings in groupby(request.findings, key=lambda finding: finding.rule):
        sheet.blank()
        _rule(sheet, list(findings))
    sheet.blank()
    sheet.add(("reason     ", "quiet"), (console(statement.reason), ""), indent=2, hang=11)
    sheet.add(("until      ", "quiet"), (_minute(statement.expires), ""), indent=2, hang=11)
    return sheet.text()


def _facts(statement: ApprovalStatement) -> dict[str, str]:
    request = statement.request
    facts = {
        "workspace": _workspace(request),
        "operator": request.operator,
        "author": ", ".join(request.authors) or "not known",
        "plan file": request.plan.file_sha256 or "none: plan JSON was judged",
        "plan JSON": request.plan.json_sha256,
        "decision": f"{request.decision_id}, {_minute(request.created)}",
        "good for": _BINDS[request.bind],
    }
    return {name: clip(fact, _LONGEST) for name, fact in facts.items()}


def _workspace(request: ApprovalRequest) -> str:
    place = request.workspace
    if place.backend is None:
        return place.name
    state = "/".join(place.identity.values())
    return f"{place.name} in {place.backend} {state}".rstrip()


def _rule(sheet: Sheet, findings: list[ApprovedFinding]) -> None:
    first = findings[0]
    title = console(clip(first.title, 300))
    sheet.add((console(first.rule), "rule"), (f"  {title}", ""), indent=2, hang=4)
    level = f"{console(first.severity)} · {console(first.enforcement)}"
    sheet.add((level, "quiet"), indent=4)
    for finding in findings:
        deposed = "" if finding.deposed is None else f" (deposed {console(finding.deposed)})"
        action = "" if finding.action is None else f"  ({console(finding.action)})"
        name = (f"{console(finding.address)}{deposed}", "address")
        sheet.add(name, (action, "quiet"), indent=4, hang=2)
        unknown = "unknown until the apply: " if finding.outcome == "unknown" else ""
        message = console(clip(finding.message, _LONGEST))
        sheet.add((f"{unknown}{message}", ""), indent=6, hang=2)


def _minute(moment: dt.datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes").replace("+00:00", " UTC")
