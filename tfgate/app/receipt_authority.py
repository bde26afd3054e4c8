"""An apply that needs a receipt: the plan must be the one that a gate has judged before.

The plan is judged again all the same. A receipt only ever adds a condition: rules, waivers and the
clock may have moved since the check, and a stolen receipt key then opens nothing that the rules
would not open anyway.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tfgate.app.authority import Grant, decided
from tfgate.app.documents import DocumentError, decode_document, read_document
from tfgate.app.envelope import unseal
from tfgate.app.policy import policy_digest, rulesets_of
from tfgate.app.receipt import place_of
from tfgate.app.record import audit_paths
from tfgate.app.signers import allowed_signers
from tfgate.app.statement import PAYLOAD_TYPE, PREDICATE, STATEMENT, VERIFIER, Statement
from tfgate.audit.once import find_once
from tfgate.audit.signing import RECEIPTS
from tfgate.engine.override import SKEW
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.app.check import Judged
    from tfgate.app.request import Gathered
    from tfgate.audit.signing import Signer

USED = "receipt_used"
"""The event that stands once for each receipt."""


class Receipt(NamedTuple):
    """A receipt with a good signature."""

    statement: Statement
    digest: str
    """SHA-256 (hex) of what is signed: what makes it one receipt, however it is written."""
    signer: Signer
    signers_sha256: str
    """Of the allowed signers file that names the key."""


class WithReceipt:
    """Lets through what the decision allows and a receipt confirms."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env

    def __call__(self, judged: Judged, plan_sha256: str, now: dt.datetime) -> Grant:
        """Give the grant. Raises ``TfgateError`` where the receipt cannot be read."""
        grant = decided(judged)
        if not grant.allowed:
            return grant
        gathered = judged.gathered
        data = read_document(self._path, "receipt")
        try:
            receipt = self._read(data, gathered, now)
            check_receipt(receipt, gathered, plan_sha256, now)
            self._check_unused(receipt, gathered)
        except DocumentError as error:
            note = f"The receipt {self._path.name} is refused: {error}."
            return Grant(allowed=False, exit_code=ExitCode.DENIED, notes=(note,))
        return Grant(allowed=True, notes=grant.notes, records=(_used(receipt), *grant.records))

    @staticmethod
    def _read(data: bytes, gathered: Gathered, now: dt.datetime) -> Receipt:
        file = gathered.config.receipt_signers
        with allowed_signers(file, "receipts.allowed_signers") as signers:
            signed = unseal(data, PAYLOAD_TYPE, signers=signers.path, namespace=RECEIPTS, now=now)
        statement = decode_document(signed.payload, Statement)
        digest = hashlib.sha256(signed.payload).hexdigest()
        return Receipt(statement, digest, signed.signer, signers.sha256)

    def _check_unused(self, receipt: Receipt, gathered: Gathered) -> None:
        """Refuse early, before anybody is asked; the record itself is what stands once."""
        log = audit_paths(gathered.config, self._env)[0]
        before = find_once(log, USED, "receipt_sha256", receipt.digest)
        if before is not None:
            raise DocumentError(
                f"it was used already, by the decision {before.get('decision_id')} "
                f"at {before.get('time')}"
            )


def check_receipt(receipt: Receipt, gathered: Gathered, plan_sha256: str, now: dt.datetime) -> None:
    """Raise ``DocumentError`` unless the receipt is for this plan, here, now, under these rules."""
    statement, summary = receipt.statement, receipt.statement.predicate
    if (statement.type, statement.predicate_type) != (STATEMENT, PREDICATE):
        raise DocumentError("it is another kind of statement")
    if summary.verifier.id != VERIFIER:
        raise DocumentError(f"its verifier is not {VERIFIER}")
    if summary.verification_result != "PASSED":
        raise DocumentError("it is for a decision that did not allow the plan")
    if all(subject.digest.get("sha256") != plan_sha256 for subject in statement.subject):
        raise DocumentError("it is for another plan")
    if summary.facts.workspace != place_of(gathered.workspace):
        raise DocumentError("it is for another workspace, or for another state")
    _check_policy(receipt, gathered)
    _check_age(receipt, gathered, now)


def _check_policy(receipt: Receipt, gathered: Gathered) -> None:
    policy = receipt.statement.predicate.policy
    then = {each.id: msgspec.to_builtins(each) for each in policy.annotations.rulesets}
    now = {each["id"]: each for each in rulesets_of(gathered)}
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        listed = ", ".join(changed[:3]) + (" and more" if len(changed) > 3 else "")
        raise DocumentError(f"the rulesets in force are not those of the check ({listed})")
    if policy.digest.get("sha256") != policy_digest(gathered):
        raise DocumentError(
            "levels, parameters, data files, waivers or settings are not those of the check"
        )


def _check_age(receipt: Receipt, gathered: Gathered, now: dt.datetime) -> None:
    summary = receipt.statement.predicate
    if summary.time_verified > now + SKEW:
        raise DocumentError("it says it was made in the future")
    longest = dt.timedelta(hours=gathered.config.receipt_max_hours)
    end = min(summary.facts.expires, summary.time_verified + longest)
    if end < now:
        raise DocumentError(f"it has expired (at {end.isoformat(timespec='seconds')})")


def _used(receipt: Receipt) -> tuple[str, dict[str, Any]]:
    summary = receipt.statement.predicate
    return USED, {
        "receipt_sha256": receipt.digest,
        "receipt_decision_id": summary.facts.decision_id,
        "receipt_record": summary.facts.record.hash,
        "receipt_operator": summary.facts.operator.name,
        "signer": receipt.signer.principals[0],
        "key": receipt.signer.key,
        "signers_sha256": receipt.signers_sha256,
    }
