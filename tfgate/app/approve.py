"""``tfgate approve``: the approver's side. Nothing in the request is believed unseen."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.approvals import PAYLOAD_TYPE
from tfgate.app.documents import DocumentError, decode_document, read_document, write_document
from tfgate.app.envelope import seal
from tfgate.audit.signing import APPROVALS
from tfgate.engine.outcome import fingerprint
from tfgate.errors import UsageError
from tfgate.model.approval import ApprovalRequest, ApprovalStatement, ApprovedFinding
from tfgate.model.rule import Enforcement

if TYPE_CHECKING:
    from pathlib import Path

_SPAN = re.compile(r"(\d{1,4})([hd])", re.ASCII)
_HOURS = {"h": 1, "d": 24}


@dataclass(frozen=True)
class Approver:
    """How an approver signs."""

    key: str
    reason: str
    now: dt.datetime
    expires: str | None = None
    """``4h``, ``2d``, a day, or RFC 3339; ``None`` for what the request proposes."""


def read_request(path: Path) -> ApprovalRequest:
    """Read a request and check that it asks for what can be approved. Raises ``UsageError``."""
    data = read_document(path, "approval request")
    try:
        request = decode_document(data, ApprovalRequest)
        _check(request)
    except DocumentError as error:
        raise UsageError(
            f"{path} is no approval request: {error}.",
            hint="`tfgate check PLAN --approval-request FILE` writes one.",
        ) from None
    return request


def _check(request: ApprovalRequest) -> None:
    if not request.findings:
        raise DocumentError("it lists no finding")
    for finding in request.findings:
        if finding.enforcement != Enforcement.SOFT_MANDATORY.value:
            raise DocumentError(
                f"it lists a finding of the level {_level(finding)}, which no approval lets through"
            )
        # A gate compares every field with its own; an honest request cannot differ here already.
        own = fingerprint(finding.rule, finding.address, finding.deposed, finding.message)
        if own != finding.fingerprint:
            raise DocumentError("the fingerprint of a finding does not fit what it says")


def _level(finding: ApprovedFinding) -> str:
    known = {level.value for level in Enforcement}
    return finding.enforcement if finding.enforcement in known else "(unknown)"


def statement_of(request: ApprovalRequest, approver: Approver) -> ApprovalStatement:
    """Give what is to be signed. Raises ``UsageError`` for a reason or an end that cannot be."""
    if not approver.reason.strip():
        raise UsageError("An approval needs a reason.", hint="Say it with --reason.")
    if len(approver.reason) > 2_000:
        raise UsageError("The reason is longer than 2,000 characters.")
    expires = _end(approver.expires, approver.now, request.expires)
    if expires <= approver.now:
        raise UsageError("The approval would be over before it begins.", hint="See --expires.")
    return ApprovalStatement(
        request=request,
        reason=approver.reason.strip(),
        approved=approver.now,
        expires=expires,
    )


def _end(text: str | None, now: dt.datetime, proposed: dt.datetime) -> dt.datetime:
    if text is None:
        return proposed
    if span := _SPAN.fullmatch(text.strip()):
        return now + dt.timedelta(hours=int(span[1]) * _HOURS[span[2]])
    from tfgate.audit import parse_moment
    from tfgate.audit.pipeline import moment_of

    return moment_of(parse_moment(text, now, end=True))


def sign_approval(statement: ApprovalStatement, key: str) -> bytes:
    """Give the signed approval, to be written to a file. Raises ``AuditError`` if that fails."""
    payload = msgspec.json.encode(statement, order="sorted")
    return seal(payload, PAYLOAD_TYPE, key, APPROVALS)


def default_output(request: Path, signed: bytes) -> Path:
    """Name the approval after its request; approvals of several people lie side by side."""
    stem = request.name.removesuffix(".json").removesuffix(".request")
    return request.with_name(f"{stem}.{hashlib.sha256(signed).hexdigest()[:12]}.approval.json")


def write_approval(path: Path, signed: bytes) -> None:
    """Write the approval. Raises ``TfgateError``."""
    write_document(path, signed, "approval")
