"""Targets that are documents of other people: approvals, requests for them, receipts."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from tests.support.fuzzing.clear import check_clear
from tests.support.fuzzing.corpus import SIGNED, SIGNERS
from tests.support.plans import NOW
from tfgate.approvals.approve import Approver, read_request, render_approval, statement_of
from tfgate.audit.signing import RECEIPTS
from tfgate.gate.approvals import Trusted, read_approval
from tfgate.gate.documents import DocumentError, decode_document, unseal
from tfgate.gate.signers import Signers
from tfgate.gate.statement import PAYLOAD_TYPE, Statement

if TYPE_CHECKING:
    from pathlib import Path


def approval(data: bytes, _folder: Path) -> str:
    """Read the approval: what was signed counts, however it is wrapped, and nothing else does."""
    digest = hashlib.sha256(SIGNERS.read_bytes()).hexdigest()
    trusted = Trusted(Signers(SIGNERS, digest, None), None)
    try:
        found = read_approval(data, "a.json", trusted, NOW)
    except DocumentError as error:
        return _refused(error)
    signed = payload_of(SIGNED / "approval.json")
    assert found.approval.digest == hashlib.sha256(signed).hexdigest(), "nobody has signed this"
    return "signed"


def request(data: bytes, folder: Path) -> None:
    """Read the request, and show what an approver would sign."""
    path = folder / "r.json"
    path.write_bytes(data)
    read = read_request(path)
    statement = statement_of(read, Approver(key="k", reason="because", now=NOW))
    render_approval(statement, width=80, color=False).encode()


def receipt(data: bytes, _folder: Path) -> str:
    """Take the bytes as a receipt, and as what a receipt's signature is over."""
    try:
        decode_document(data, Statement)
    except DocumentError as error:
        check_clear(error)
    try:
        found = unseal(data, PAYLOAD_TYPE, signers=SIGNERS, namespace=RECEIPTS, now=NOW)
    except DocumentError as error:
        return _refused(error)
    assert found.payload == payload_of(SIGNED / "receipt.json"), "nobody has signed this"
    return "signed"


def payload_of(path: Path) -> bytes:
    """Return what a kept envelope's signature is over."""
    return base64.b64decode(json.loads(path.read_bytes())["payload"])


def _refused(error: DocumentError) -> str:
    check_clear(error)
    return str(error)
