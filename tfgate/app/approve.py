"""``tfgate approve``: the approver's side. Nothing in the request is believed unseen."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.approvals import PAYLOAD_TYPE, read_approval
from tfgate.app.documents import DocumentError, decode_document, read_document, write_document
from tfgate.app.envelope import seal
from tfgate.app.signers import allowed_signers
from tfgate.audit.signing import APPROVALS
from tfgate.engine.outcome import fingerprint
from tfgate.engine.override import refused_person
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
    """``4h``, ``2d``, a day, or RFC 3339; ``None`` for as long as the request proposes."""


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
    """Give what is to be signed. Raises ``UsageError`` for a reason or an end that cannot be.

    The gate's longest time is what the request proposes, counted from the signing.
    """
    if not approver.reason.strip():
        raise UsageError("An approval needs a reason.", hint="Say it with --reason.")
    if len(approver.reason) > 2_000:
        raise UsageError("The reason is longer than 2,000 characters.")
    latest = _later(approver.now, request.expires - request.created)
    expires = min(latest, _end(approver.expires, approver.now, latest))
    if expires <= approver.now:
        raise UsageError("The approval would be over before it begins.", hint="See --expires.")
    return ApprovalStatement(
        request=request,
        reason=approver.reason.strip(),
        approved=approver.now,
        expires=expires,
    )


def _later(now: dt.datetime, span: dt.timedelta) -> dt.datetime:
    try:
        return now + span
    except OverflowError:
        raise UsageError("The request proposes an end that no calendar has.") from None


def _end(text: str | None, now: dt.datetime, latest: dt.datetime) -> dt.datetime:
    if text is None:
        return latest
    if span := _SPAN.fullmatch(text.strip()):
        return now + dt.timedelta(hours=int(span[1]) * _HOURS[span[2]])
    from tfgate.audit.moment import parse_moment
    from tfgate.audit.pipeline import moment_of

    return moment_of(parse_moment(text, now, end=True))


def sign_approval(statement: ApprovalStatement, key: str) -> bytes:
    """Give the signed approval, to be written to a file. Raises ``AuditError`` if that fails."""
    payload = msgspec.json.encode(statement, order="sorted")
    return seal(payload, PAYLOAD_TYPE, key, APPROVALS)


def check_counts(signed: bytes, now: dt.datetime, allowed: Path | None) -> None:
    """Refuse an approval that the gate will not take: of its own operator, of no allowed signer.

    ``allowed`` is the gate's allowed signers file; where it is not known here, only the gate can
    tell. Raises ``UsageError``.
    """
    if allowed is None:
        return
    try:
        with allowed_signers(allowed, "approvals.allowed_signers") as signers:
            one = read_approval(signed, "approval", signers, now)
        request = one.statement.request
        why = refused_person(
            one.approval.principals, operators=(request.operator,), authors=request.authors
        )
    except DocumentError as error:
        why = str(error)
    if why is not None:
        raise UsageError(
            f"No approval was written: by {allowed} it would not count, as {why}.",
            hint="Another gate's configuration is named with --config.",
        )


def default_output(request: Path, signed: bytes) -> Path:
    """Name the approval after its request; approvals of several people lie side by side."""
    stem = request.name.removesuffix(".json").removesuffix(".request")
    return request.with_name(f"{stem}.{hashlib.sha256(signed).hexdigest()[:12]}.approval.json")


def write_approval(path: Path, signed: bytes) -> None:
    """Write the approval. Raises ``TfgateError``."""
    write_document(path, signed, "approval")
