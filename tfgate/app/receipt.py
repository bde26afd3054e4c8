"""Receipts: what a check hands to the job that applies."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from tfgate._version import __version__
from tfgate.app.check import exit_code_of
from tfgate.app.documents import write_document
from tfgate.app.envelope import seal
from tfgate.app.inputs import read_plan_input
from tfgate.app.policy import policy_digest, rulesets_of
from tfgate.app.statement import (
    ALLOWED,
    PAYLOAD_TYPE,
    POLICY,
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
)
from tfgate.audit.signing import RECEIPTS
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from tfgate.app.check import Judged
    from tfgate.app.inputs import PlanInput
    from tfgate.app.record import Recorder
    from tfgate.app.request import Request
    from tfgate.model.identity import Workspace
    from tfgate.ruleset import GateConfig


def signing_key(config: GateConfig) -> Path:
    """Give the key that receipts are signed with. Raises ``UsageError`` where there is none."""
    key = config.receipt_key
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


def write_receipt(judged: Judged, request: Request, recorder: Recorder, path: Path) -> None:
    """Sign the decision, record that, and write the receipt.

    Raises ``AuditError`` where it cannot be signed or recorded, ``TfgateError`` where it cannot be
    written.
    """
    payload = msgspec.json.encode(statement_of(judged, request), order="sorted")
    signed = seal(payload, PAYLOAD_TYPE, signing_key(judged.gathered.config), RECEIPTS)
    fields: dict[str, Any] = {
        "receipt_sha256": hashlib.sha256(payload).hexdigest(),
        "plan_sha256": judged.gathered.input.plan_file_sha256,
        "decision": judged.result.decision.verdict.value,
        "workspace": judged.gathered.workspace.name,
        "operator": judged.gathered.operator.name,
    }
    recorder.append("receipt_issued", judged.result.decision_id, fields)
    write_document(path, signed, "receipt")


def statement_of(judged: Judged, request: Request) -> Statement:
    """Give what is signed: that this plan got this decision, under these rules."""
    decision, gathered = judged.result.decision, judged.gathered
    passed = exit_code_of(decision) is ExitCode.ALLOWED
    return Statement(
        subject=_subjects(judged),
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
            facts=_facts(judged, request),
        ),
    )


def _subjects(judged: Judged) -> tuple[Subject, ...]:
    plan = judged.gathered.input
    assert plan.plan_file_sha256 is not None, "a plan file was read"
    name = Path(plan.name).name
    json_sha256 = judged.result.decision.plan.json_sha256
    return (
        Subject(name, {"sha256": plan.plan_file_sha256}),
        Subject(f"{name}.json", {"sha256": json_sha256}),
    )


def _facts(judged: Judged, request: Request) -> Facts:
    result, gathered = judged.result, judged.gathered
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
        expires=request.now + dt.timedelta(hours=gathered.config.receipt_max_hours),
    )


def place_of(workspace: Workspace) -> Place:
    """Give a workspace as a receipt names it."""
    return Place(
        workspace.name, workspace.backend, dict(workspace.identity), workspace.config_sha256
    )


def resource_uri(workspace: Workspace) -> str:
    """Name what an apply changes: ``tfgate:workspace/prod?backend=s3&bucket=…&key=…``."""
    facts = {"backend": workspace.backend, **workspace.identity}
    query = urlencode({name: value for name, value in facts.items() if value})
    uri = f"tfgate:workspace/{quote(workspace.name, safe='')}"
    return f"{uri}?{query}" if query else uri
