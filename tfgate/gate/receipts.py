"""Receipts: what a check hands to the job that applies."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from tfgate._version import __version__
from tfgate.audit.signing import RECEIPTS
from tfgate.audit.writer import find_once
from tfgate.engine.override import SKEW
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.apply import Grant, decided
from tfgate.gate.approvals import write_request
from tfgate.gate.check import evaluate_and_record
from tfgate.gate.documents import (
    DocumentError,
    decode_document,
    read_document,
    seal,
    unseal,
    write_document,
)
from tfgate.gate.gather import load_config
from tfgate.gate.inputs import read_plan_input
from tfgate.gate.record import Recorder, audit_paths
from tfgate.gate.signers import allowed_signers
from tfgate.gate.statement import (
    ALLOWED,
    PAYLOAD_TYPE,
    POLICY,
    PREDICATE,
    STATEMENT,
    VERIFIER,
    Annotations,
    Facts,
    InputAttestation,
    Place,
    Policy,
    Ruleset,
    Statement,
    Subject,
    Summary,
    TrailRecord,
    Verifier,
    Who,
    policy_digest,
    rulesets_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.audit.signing import Signer
    from tfgate.gate.check import CheckResult, Evaluated
    from tfgate.gate.inputs import PlanInput
    from tfgate.gate.request import Gathered, Request
    from tfgate.model.decision import Workspace
    from tfgate.ruleset import GateConfig


def signing_key(config: GateConfig) -> Path:
    """Return the key that receipts are signed with. Raises ``UsageError`` where there is none."""
    key = config.receipts.key
    if key is None:
        raise UsageError(
            "No key is named to sign the receipt with.",
            hint="See --receipt-key, or receipts.key in tfgate.toml.",
        )
    if not key.is_file():
        raise UsageError(f"There is no key {key} to sign the receipt with.")
    return key


def read_plan_file(request: Request) -> PlanInput:
    """Read the plan of a request that a receipt is to be made for.

    Raises as ``read_plan_input`` does, and ``UsageError`` where it is no plan file: what is applied
    later is a plan file, and nothing ties JSON to one.
    """
    read = read_plan_input(request.plan, env=request.env, cwd=request.directory)
    if read.plan_file_sha256 is None:
        raise UsageError(
            f"A receipt is for a saved plan file, and {read.name} is plan JSON.",
            hint="Give the file that terraform plan -out wrote.",
        )
    return read


def write_receipt(evaluated: Evaluated, request: Request, recorder: Recorder, path: Path) -> None:
    """Sign the decision, record that, and write the receipt.

    Raises ``AuditError`` where it cannot be signed or recorded, ``TfgateError`` where it cannot be
    written.
    """
    payload = msgspec.json.encode(statement_of(evaluated, request), order="sorted")
    signed = seal(payload, PAYLOAD_TYPE, signing_key(evaluated.gathered.config), RECEIPTS)
    fields: dict[str, Any] = {
        "receipt_sha256": hashlib.sha256(payload).hexdigest(),
        "plan_sha256": evaluated.gathered.input.plan_file_sha256,
        "decision": evaluated.result.decision.verdict.value,
        "workspace": evaluated.gathered.workspace.name,
        "operator": evaluated.gathered.operator.name,
    }
    recorder.append("receipt_issued", evaluated.result.decision_id, fields)
    write_document(path, signed, "receipt")


def statement_of(evaluated: Evaluated, request: Request) -> Statement:
    """Return what is signed: that this plan got this decision, under these rules."""
    decision, gathered = evaluated.result.decision, evaluated.gathered
    passed = decision.exit_code is ExitCode.ALLOWED
    return Statement(
        subject=_subjects(evaluated),
        predicate=Summary(
            verifier=Verifier(VERIFIER, {"tfgate": __version__}),
            time_verified=request.now,
            resource_uri=resource_uri(gathered.workspace),
            policy=Policy(
                POLICY,
                {"sha256": policy_digest(gathered)},
                Annotations(tuple(Ruleset(**facts) for facts in rulesets_of(gathered))),
            ),
            input_attestations=tuple(
                InputAttestation(f"tfgate:approval/{each.digest}", {"sha256": each.digest})
                for each in decision.approvals
            ),
            verification_result="PASSED" if passed else "FAILED",
            verified_levels=(ALLOWED if passed else "FAILED",),
            facts=_facts(evaluated, request),
        ),
    )


def _subjects(evaluated: Evaluated) -> tuple[Subject, ...]:
    plan = evaluated.gathered.input
    assert plan.plan_file_sha256 is not None, "a plan file was read"
    name = Path(plan.name).name
    json_sha256 = evaluated.result.decision.plan.json_sha256
    return (
        Subject(name, {"sha256": plan.plan_file_sha256}),
        Subject(f"{name}.json", {"sha256": json_sha256}),
    )


def _facts(evaluated: Evaluated, request: Request) -> Facts:
    result, gathered = evaluated.result, evaluated.gathered
    recorded, operator, run = result.recorded, gathered.operator, gathered.run
    assert recorded is not None, "a receipt is for a decision on record"
    return Facts(
        decision_id=result.decision_id,
        undecided=result.decision.undecided,
        workspace=place_of(gathered.workspace),
        operator=Who(operator.name, operator.source, operator.verified),
        record=TrailRecord(recorded.seq, recorded.hash),
        plan_json_sha256=result.decision.plan.json_sha256,
        configuration=tuple(
            {"file": file.path, "sha256": file.sha256} for file in gathered.config.files
        ),
        commit=run.commit,
        run=run.url,
        expires=request.now + dt.timedelta(hours=gathered.config.receipts.max_hours),
    )


def place_of(workspace: Workspace) -> Place:
    """Return a workspace as a receipt names it."""
    return Place(
        workspace.name, workspace.backend, dict(workspace.identity), workspace.config_sha256
    )


def resource_uri(workspace: Workspace) -> str:
    """Name what an apply changes: ``tfgate:workspace/prod?backend=s3&bucket=…&key=…``."""
    facts = {"backend": workspace.backend, **workspace.identity}
    query = urlencode({name: value for name, value in facts.items() if value})
    uri = f"tfgate:workspace/{quote(workspace.name, safe='')}"
    return f"{uri}?{query}" if query else uri


# An apply with a receipt evaluates the plan again. A receipt only adds a condition: rules, waivers
# and the clock may have moved since the check, and a stolen receipt key lets nothing through that
# the rules would not.


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

    def __call__(self, evaluated: Evaluated, plan_sha256: str, now: dt.datetime) -> Grant:
        """Return the grant. Raises ``TfgateError`` where the receipt cannot be read."""
        grant = decided(evaluated)
        if not grant.allowed:
            return grant
        gathered = evaluated.gathered
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
        file = gathered.config.receipts.allowed_signers
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
    longest = dt.timedelta(hours=gathered.config.receipts.max_hours)
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


# A check that writes documents: a receipt for the next job, a request for approvers.


@dataclass(frozen=True)
class Documents:
    """What is written for others, beside reports."""

    receipt: Path | None = None
    """Signed statement for the job that applies."""
    approval_request: str | None = None
    """File for what approvers are asked with, where approvals could let the plan through; or the
    address of the server to send it to."""
    review: Callable[[Evaluated], str] | None = None
    """Renders the page that a server shows beside the request."""


def check_with_documents(
    request: Request, documents: Documents, *, audit: bool = True
) -> CheckResult:
    """Evaluate one plan as ``check`` does, and write the documents once the decision is on record.

    Raises as ``check`` does, and where a document cannot be signed or written.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None
    read = None
    if documents.receipt is not None:
        if recorder is None:
            raise UsageError("A receipt is for a decision on record, so not with --no-audit.")
        signing_key(config)
        read = partial(read_plan_file, request)
    evaluated = evaluate_and_record(request, config, recorder, read)
    notes: tuple[str, ...] = ()
    if documents.approval_request is not None:
        notes = (_ask(evaluated, request, documents),)
    if documents.receipt is not None and recorder is not None:
        write_receipt(evaluated, request, recorder, documents.receipt)
    return msgspec.structs.replace(evaluated.result, notes=notes)


def _ask(evaluated: Evaluated, request: Request, documents: Documents) -> str:
    """Write the approval request, or send it; say in a sentence what was done."""
    where = documents.approval_request or ""
    if not where.startswith(("https://", "http://")):
        return write_request(evaluated, request, Path(where))
    from tfgate.gate.approval_server import send_request  # what few checks need

    return send_request(evaluated, request, where, documents.review)
