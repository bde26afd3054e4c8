"""The request that approvers are asked with."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tfgate.app.documents import encode_document, write_document
from tfgate.engine.override import may_be_overridden
from tfgate.model.approval import ApprovalRequest, ApprovedFinding, ApprovedPlan, ApprovedWorkspace
from tfgate.ruleset import Bind
from tfgate.terraform import detect_authors

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.app.check import Judged
    from tfgate.app.request import Request


def write_request(judged: Judged, request: Request, path: Path) -> str:
    """Write the request for what blocks, where approvals could let it through; say what was done.

    Raises ``TfgateError`` where it cannot be written.
    """
    decision = judged.result.decision
    blocking = [outcome for outcome in decision.outcomes if outcome.blocks]
    firm = sorted({outcome.rule for outcome in blocking if not may_be_overridden(outcome)})
    if decision.undecided:
        return "There is nothing to approve: the plan could not be judged."
    if not blocking:
        return "There is nothing to approve: nothing blocks this plan."
    if firm:
        names = ", ".join(firm[:3]) + (f" and {len(firm) - 3} more" if len(firm) > 3 else "")
        return f"No approval can let this plan through: {names} would block it all the same."
    write_document(path, encode_document(request_for(judged, request)), "approval request")
    return f"Wrote {path}: whoever may approve signs it with `tfgate approve {path}`."


def request_for(judged: Judged, request: Request) -> ApprovalRequest:
    """Give the request for every blocking outcome of a decision."""
    decision, config = judged.result.decision, judged.gathered.config
    bind = config.approvals_bind
    return ApprovalRequest(
        decision_id=judged.result.decision_id,
        created=request.now,
        expires=request.now + dt.timedelta(hours=config.approvals_max_hours),
        bind="plan" if bind is Bind.PLAN else "findings",
        plan=ApprovedPlan(decision.plan.json_sha256, decision.plan.file_sha256),
        workspace=ApprovedWorkspace.of(decision.workspace),
        operator=decision.operator.name,
        authors=detect_authors(request.env, request.directory),
        findings=tuple(dict.fromkeys(ApprovedFinding.of(o) for o in decision.outcomes if o.blocks)),
    )
