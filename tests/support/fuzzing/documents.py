"""Targets that are documents of other people: approvals, requests for them, receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.fuzzing.clear import check_clear
from tests.support.plans import NOW
from tfgate.app.approvals import read_approval
from tfgate.app.approve import Approver, read_request, statement_of
from tfgate.app.documents import DocumentError, decode_document
from tfgate.app.signers import Signers
from tfgate.app.statement import Statement
from tfgate.report.approval import render_approval

if TYPE_CHECKING:
    from pathlib import Path


def approval(data: bytes, folder: Path) -> None:
    """Read the approval: nobody has signed it, so that it counts in no case."""
    signers = folder / "approvers"
    if not signers.exists():
        signers.write_text("")
    try:
        read_approval(data, "a.json", Signers(signers, "0" * 64, None), NOW)
    except DocumentError as error:
        check_clear(error)
        return
    raise AssertionError("an approval without a signer counts")


def request(data: bytes, folder: Path) -> None:
    """Read the request, and show what an approver would sign."""
    path = folder / "r.json"
    path.write_bytes(data)
    read = read_request(path)
    statement = statement_of(read, Approver(key="k", reason="because", now=NOW))
    render_approval(statement, width=80, color=False).encode()


def receipt(data: bytes, _folder: Path) -> None:
    """Take the bytes as what a receipt's signature is over."""
    try:
        decode_document(data, Statement)
    except DocumentError as error:
        check_clear(error)
