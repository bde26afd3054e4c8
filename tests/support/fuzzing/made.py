"""Seeds that the program itself makes, with fixed times and without keys: trails and documents."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.record import canonical
from tfgate.audit.signing import APPROVALS, NAMESPACE, RECEIPTS, sign
from tfgate.audit.writer import AuditTrail
from tfgate.engine.decide import fingerprint
from tfgate.gate.approvals import PAYLOAD_TYPE as APPROVAL_TYPE
from tfgate.gate.documents import Envelope, Signature, seal
from tfgate.gate.statement import (
    ALLOWED,
    PAYLOAD_TYPE,
    POLICY,
    PREDICATE,
    VERIFIER,
    Annotations,
    Facts,
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
from tfgate.model.approval import (
    ApprovalRequest,
    ApprovalStatement,
    ApprovedFinding,
    ApprovedPlan,
    ApprovedWorkspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
LATER = dt.datetime(2026, 11, 25, 12, tzinfo=dt.timezone.utc)
DIGEST = "0" * 64


def made_documents() -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each."""
    trail = _trail()
    yield "trail/four.jsonl", trail
    yield "trail/cut.jsonl", trail[:-20]
    sig = b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"
    yield "checkpoint/one.txt", _json(_checkpoint(trail)) + b"\n--\n" + sig
    yield "approval-request/one.json", _json(_request())
    yield "approval/one.json", _envelope(APPROVAL_TYPE, _approval())
    yield "receipt/one.json", _json(_receipt())
    yield "state/one.json", _json(_state())


def sign_documents(folder: Path) -> None:
    """Write documents that are signed by a new key, which nobody keeps, and who may sign."""
    with tempfile.TemporaryDirectory() as place:
        key = Path(place) / "key"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fuzz", "-f", str(key)]
        subprocess.run(command, check=True)
        public = key.with_suffix(".pub").read_text()
        names = f"{APPROVALS},{RECEIPTS},{NAMESPACE}"
        (folder / "allowed_signers").write_text(f'fuzz namespaces="{names}" {public}')
        for name, data in _signed(key):
            (folder / name).write_bytes(data)


def _signed(key: Path) -> Iterator[tuple[str, bytes]]:
    approval = _json(_approval())
    yield "approval.json", seal(approval, APPROVAL_TYPE, key, APPROVALS)
    yield "receipt.json", seal(_json(_receipt()), PAYLOAD_TYPE, key, RECEIPTS)
    trail = _trail()
    yield "trail.jsonl", trail
    statement = canonical(_checkpoint(trail))
    yield "checkpoint.txt", statement + b"\n--\n" + sign(statement, key).encode()


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _trail() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.jsonl"
        trail = AuditTrail(log, clock=lambda: NOW)
        findings = [{"rule": "S-1", "address": "aws_s3_bucket.a", "outcome": "fail",
                     "enforcement": "soft-mandatory", "message": "x"}]  # fmt: skip
        trail.append("decision", {"decision_id": "a", "decision": "deny", "findings": findings})
        trail.append("apply_started", {"decision_id": "a"})
        trail.append("apply_finished", {"decision_id": "a", "exit_code": 0})
        trail.append("undecided", {"decision_id": "b", "reason": "so"})
        return log.read_bytes()


def _checkpoint(trail: bytes) -> dict[str, Any]:
    first, *_, last = map(json.loads, trail.splitlines())
    return {"chain": first["hash"], "hash": last["hash"], "kind": "tfgate-checkpoint",
            "seq": last["seq"], "time": last["time"], "v": 1}  # fmt: skip


def _approval() -> ApprovalStatement:
    return ApprovalStatement(request=_request(), reason="because", approved=NOW, expires=LATER)


def _request() -> ApprovalRequest:
    words = ("S-1", "aws_security_group.a", None, "it is open")
    finding = ApprovedFinding(
        rule=words[0], title="No open port", severity="high", enforcement="soft-mandatory",
        outcome="fail", address="aws_security_group.a", deposed=None, action="create",
        message="it is open", fingerprint=fingerprint(*words),
    )  # fmt: skip
    return ApprovalRequest(
        decision_id="20261124T120000Z-0000000000000000",
        created=NOW,
        expires=LATER,
        bind="plan",
        plan=ApprovedPlan(DIGEST, DIGEST),
        workspace=ApprovedWorkspace("default", "local", {}),
        operator="olga",
        authors=("alice",),
        findings=(finding,),
    )


def _envelope(kind: str, statement: Any) -> bytes:
    signature = Signature(base64.b64encode(b"SSHSIG").decode(), "SHA256:x")
    return _json(Envelope(base64.b64encode(_json(statement)).decode(), kind, (signature,)))


def _receipt() -> Statement:
    return Statement(
        subject=(Subject("p.tfplan", {"sha256": DIGEST}),),
        predicate_type=PREDICATE,
        predicate=Summary(
            verifier=Verifier(VERIFIER, {"tfgate": "1"}),
            time_verified=NOW,
            resource_uri="tfgate:workspace/default",
            policy=Policy(POLICY, {"sha256": DIGEST}, Annotations((Ruleset("s", "1", DIGEST),))),
            verification_result="PASSED",
            verified_levels=(ALLOWED,),
            facts=Facts(
                decision_id="20261124T120000Z-0000000000000000",
                undecided=False,
                workspace=Place("default", "local", {}),
                operator=Who("olga", "flag", False),
                record=TrailRecord(1, DIGEST),
                plan_json_sha256=DIGEST,
                configuration=({"file": "tfgate.toml", "sha256": DIGEST},),
                commit=None,
                run=None,
                expires=LATER,
            ),
        ),
    )


def _state() -> dict[str, Any]:
    resource = {"address": "terraform_data.a", "mode": "managed", "type": "terraform_data",
                "name": "a", "provider_name": "terraform.io/builtin/terraform",
                "schema_version": 0, "values": {"id": "1", "input": "x"},
                "sensitive_values": {"input": True}}  # fmt: skip
    inner = {"address": "module.m", "resources": [{**resource, "address": "module.m.x.a"}]}
    return {
        "format_version": "1.0",
        "terraform_version": "1.11.4",
        "values": {
            "outputs": {"o": {"value": 1, "sensitive": False, "type": "number"}},
            "root_module": {"resources": [resource], "child_modules": [inner]},
        },
    }
