"""The request that approvers are asked with."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.approvals import needs_of
from tfgate.app.documents import MAX_DOCUMENT, encode_document, write_document
from tfgate.app.signers import allowed_signers, possible_signers
from tfgate.audit.signing import APPROVALS
from tfgate.engine.override import may_be_overridden, missing_people, refused_person
from tfgate.errors import UsageError
from tfgate.model.approval import ApprovalRequest, ApprovedFinding, ApprovedPlan, ApprovedWorkspace
from tfgate.ruleset import Bind
from tfgate.terraform import detect_authors

_AROUND = 32 * 1024
"""Bytes of an approval beside the request: the reason (2,000 characters), the signature."""

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
    asked = request_for(judged, request)
    if lacking := _lacking(judged, request, asked):
        return f"No approval can let this plan through: {lacking}."
    write_document(path, encode_document(asked), "approval request")
    told = f"Wrote {path}: whoever may approve signs it with `tfgate approve {path}`."
    if judged.gathered.config.allowed_signers is None:
        told += " By this configuration nobody may: approvals.allowed_signers names no file."
    return told


def _lacking(judged: Judged, request: Request, asked: ApprovalRequest) -> str | None:
    """Say in a clause why all who may sign could not let the plan through together.

    Nothing where the configuration does not say who they are, or where certificates bring names
    that nobody knows yet.
    """
    gathered, file = judged.gathered, judged.gathered.config.allowed_signers
    if judged.result.decision.operator.source == "none":
        return "it is not known who the operator is, who must be somebody else"
    if _sealed_size(asked) > MAX_DOCUMENT:
        return "an approval of so many findings would be larger than 16 MiB, which is not read"
    if file is None:
        return None
    try:
        with allowed_signers(file, "approvals.allowed_signers") as signers:
            people = possible_signers(signers.path.read_bytes(), APPROVALS, request.now)
    except UsageError as error:
        return f"{error.message[:1].lower()}{error.message[1:]}".rstrip(".")
    if any(one.is_authority for one in people):
        return None
    able = [
        (*one.names, one.key)
        for one in people
        if refused_person(one.names, operators=(asked.operator,), authors=asked.authors) is None
    ]
    if not able:
        return f"{file} names nobody who may sign now and is neither operator nor author"
    need, roles = needs_of(gathered), gathered.config.approval_roles
    for rule in dict.fromkeys(finding.rule for finding in asked.findings):
        if missing := missing_people(need(rule), able, roles):
            return f"with everybody in {file} who is neither operator nor author, {rule} {missing}"
    return None


def _sealed_size(asked: ApprovalRequest) -> int:
    """Give about how many bytes an approval has: base64 of the request, and what is around it."""
    return len(msgspec.json.encode(asked)) * 4 // 3 + _AROUND


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
