"""Approvals handed in: found, their signatures checked, and applied to a decision."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.documents import DocumentError, decode_document, read_document
from tfgate.app.envelope import unseal
from tfgate.app.signers import allowed_signers
from tfgate.audit.signing import APPROVALS
from tfgate.engine.override import ApprovalTerms, Need, SignedApproval, apply_overrides, strictest
from tfgate.errors import UsageError
from tfgate.model.approval import ApprovalStatement
from tfgate.model.glob import any_glob
from tfgate.model.override import Approval
from tfgate.ruleset import Bind
from tfgate.terraform import detect_authors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tfgate.app.request import Gathered, Request
    from tfgate.app.signers import Signers
    from tfgate.model.decision import Decision

PAYLOAD_TYPE = "application/vnd.tfgate.approval+json"
MOST_APPROVALS = 200
"""Files that are looked at; each costs several processes to check."""


def with_approvals(decision: Decision, gathered: Gathered, request: Request) -> Decision:
    """Give the decision with what the approvals of ``request`` let through.

    Raises ``UsageError`` where a file that was named cannot be read, or nobody may approve.
    """
    files = [*approval_files(map(Path, request.approvals))]
    warnings: list[str] = []
    with allowed_signers(gathered.config.allowed_signers, "approvals.allowed_signers") as signers:
        read = _Reader(signers, request.now)
        signed = [approval for file in files if (approval := read(file)) is not None]
        warnings += [*read.refused, *([signers.warning] if signers.warning else ())]
    terms = terms_of(gathered, request)
    told = msgspec.structs.replace(decision, warnings=(*decision.warnings, *warnings))
    return apply_overrides(told, signed, terms)


def approval_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Give the files named, and of folders the ``*.json`` in them, by name.

    What else lies in a folder is passed over: it may be a checkout, or a place for artifacts.
    Raises ``UsageError`` where there are more than ``MOST_APPROVALS``.
    """
    number = 0
    for path in paths:
        for file in _in_folder(path) if path.is_dir() else (path,):
            number += 1
            if number > MOST_APPROVALS:
                raise UsageError(f"There are more than {MOST_APPROVALS} approvals.")
            yield file


def _in_folder(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    for entry in entries:
        if entry.suffix == ".json" and not entry.name.startswith("."):
            if entry.is_symlink() or not entry.is_file():
                continue
            yield entry


class _Reader:
    """Reads approvals; those that are none are told of, not fatal: they let nothing through."""

    def __init__(self, signers: Signers, now: dt.datetime) -> None:
        self._signers = signers
        self._now = now
        self.refused: list[str] = []

    def __call__(self, file: Path) -> SignedApproval | None:
        """Give the approval in a file whose signature is good; ``None`` for anything else."""
        data = read_document(file, "approval")
        try:
            return read_approval(data, file.name, self._signers, self._now)
        except DocumentError as error:
            self.refused.append(f"The approval {file.name} does not count: {error}.")
            return None


def read_approval(data: bytes, name: str, signers: Signers, now: dt.datetime) -> SignedApproval:
    """Read an approval and check its signature. Raises ``DocumentError``."""
    signed = unseal(data, PAYLOAD_TYPE, signers=signers.path, namespace=APPROVALS, now=now)
    statement = decode_document(signed.payload, ApprovalStatement)
    approval = Approval(
        approver=signed.signer.principals[0],
        principals=signed.signer.principals,
        key=signed.signer.key,
        digest=hashlib.sha256(signed.payload).hexdigest(),
        reason=statement.reason,
        approved=statement.approved,
        expires=statement.expires,
        signers_sha256=signers.sha256,
    )
    return SignedApproval(statement, approval, name)


def terms_of(gathered: Gathered, request: Request) -> ApprovalTerms:
    """Give what the gate's configuration and the rules ask of approvals."""
    config = gathered.config
    return ApprovalTerms(
        now=request.now,
        bind_to_plan=config.approvals_bind is Bind.PLAN,
        longest=dt.timedelta(hours=config.approvals_max_hours),
        authors=detect_authors(request.env, request.directory),
        roles=config.approval_roles,
        need=needs_of(gathered),
    )


def needs_of(gathered: Gathered) -> Callable[[str], Need]:
    """Give what each rule needs: of the configuration, its tables that fit, and the rule itself."""
    config, workspace = gathered.config, gathered.workspace.name
    rules = {
        compiled.rule.id: compiled.rule
        for ruleset in gathered.effective.rulesets
        for compiled in ruleset.rules
    }
    tables = [need for need in config.approval_needs if any_glob(need.workspaces)(workspace)]

    def need(rule: str) -> Need:
        own = rules.get(rule)
        fitting = [table for table in tables if any_glob(table.rules)(rule)]
        return strictest(
            [
                Need(config.approvals_required),
                Need(1 if own is None else own.approvals),
                *(Need(table.required, frozenset(table.roles)) for table in fitting),
            ]
        )

    return need
