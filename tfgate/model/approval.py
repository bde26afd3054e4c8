"""What approvers are asked for, and what they sign."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec

from tfgate.model.decision import Outcome, Review, Workspace

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""RFC 3339, with its offset from UTC."""

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hex."""


class ApprovedFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding as the approver sees it. It fits an outcome that is equal in every field."""

    rule: str
    title: str
    severity: str
    enforcement: str
    outcome: str
    address: str
    deposed: str | None
    action: str | None
    message: str
    fingerprint: Digest

    @classmethod
    def of(cls, outcome: Outcome) -> ApprovedFinding:
        """Take from an outcome what an approver is shown; what JSON cannot hold is escaped."""
        return cls(
            rule=outcome.rule,
            title=_writable(outcome.title),
            severity=outcome.severity.value,
            enforcement=outcome.enforcement.value,
            outcome=outcome.outcome.value,
            address=_writable(outcome.address),
            deposed=None if outcome.deposed is None else _writable(outcome.deposed),
            action=outcome.action,
            message=_writable(outcome.message),
            fingerprint=outcome.fingerprint,
        )


class ApprovedPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan that was evaluated."""

    json_sha256: Digest
    file_sha256: Digest | None
    """Of the plan file; ``None`` where plan JSON was evaluated."""


class ApprovedWorkspace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the apply goes: name and state."""

    name: str
    backend: str | None
    identity: dict[str, str]
    config_sha256: Digest | None = None
    """Of all settings of the backend but secrets."""

    @classmethod
    def of(cls, workspace: Workspace) -> ApprovedWorkspace:
        """Leave out how the name was found."""
        return cls(
            workspace.name, workspace.backend, dict(workspace.identity), workspace.config_sha256
        )


class ApprovalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an approver is asked to let through."""

    kind: Literal["tfgate-approval-request"] = "tfgate-approval-request"
    v: Literal[1] = 1
    decision_id: str
    created: Moment
    expires: Moment
    """Until when an approval that is signed at once would hold: one that is signed later holds as
    long from then on. The approver may shorten it."""
    bind: Literal["plan", "findings"]
    """What an approval is bound to: this plan, or these findings in any plan."""
    plan: ApprovedPlan
    workspace: ApprovedWorkspace
    operator: str
    authors: tuple[str, ...]
    """Who wrote the change, as far as known."""
    commit: str | None = None
    """Of the configuration that was planned, where it is known and nothing in it was changed."""
    findings: tuple[ApprovedFinding, ...]
    break_glass: bool = False
    """Whether hard-mandatory failures are to be let through, which takes two people of those who
    may do that (docs/approvals.md, "Break glass")."""


class ProvenApprover(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who approved, where somebody signs for a person who has proven to them who they are."""

    names: Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=320)], ...],
                     msgspec.Meta(min_length=1, max_length=16)]  # fmt: skip
    """Every name of the person, the one to show first."""
    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    """Whose word it is: the provider's issuer URL."""
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    """What the issuer calls the person for good (``sub``)."""
    roles: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    """Roles that the signer knows the person to have."""
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """How it was proven: ``browser``, ``github``, ``gitlab``."""
    review: Review | msgspec.UnsetType = msgspec.UNSET
    """Set where it was by a review."""
    where: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """URL of where the answer was given."""


class ApprovalStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an approver signs: the request as it was seen, and why it may go through."""

    kind: Literal["tfgate-approval"] = "tfgate-approval"
    v: Literal[1] = 1
    request: ApprovalRequest
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    approved: Moment
    expires: Moment
    approver: ProvenApprover | msgspec.UnsetType = msgspec.UNSET
    """Set exactly where whoever signs is not the approver."""


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
