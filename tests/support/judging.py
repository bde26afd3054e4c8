"""A gate in one process: a directory with configuration, rules, keys and a plan that is denied."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.signing import new_key, signer
from tfgate.approvals.approve import Approver, read_request, sign_approval, statement_of
from tfgate.gate.check import Evaluated, evaluate_and_record
from tfgate.gate.gather import load_config
from tfgate.gate.inputs import PlanInput
from tfgate.gate.receipts import Documents, check_with_documents
from tfgate.gate.record import Recorder
from tfgate.gate.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.model.approval import ApprovalStatement

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
RULES = """
[ruleset]
id = "test"
version = "1.0.0"
title = "Rules of a test"
owners = ["tester@tfgate.example"]

[[rules]]
id = "T-IN"
title = "The input is short"
severity = "high"
enforcement = "{level}"
approvals = {approvals}
match = {{ types = ["terraform_data"] }}
require = "length(after.input) < `9`"
message = "{{address}} has the input {{after.input}}"
"""
CONFIG = """
[gate]
rulesets = ["./rules.toml"]
[approvals]
allowed_signers = "approvers"
[receipts]
key = "gate"
allowed_signers = "gates"
[audit]
log = "audit.jsonl"
"""


def plan_json(value: str = "far-too-long", name: str = "a") -> bytes:
    """Return the JSON of a plan that creates one object."""
    change = {
        "address": f"terraform_data.{name}",
        "mode": "managed",
        "type": "terraform_data",
        "name": name,
        "provider_name": "terraform.io/builtin/terraform",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": {"input": value},
            "after_unknown": {},
            "before_sensitive": False,
            "after_sensitive": {},
        },
    }
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.13.0",
        "applyable": True,
        "complete": True,
        "errored": False,
        "resource_changes": [change],
    }
    return json.dumps(plan).encode()


class Bench:
    """Where approvals and receipts are made and used, with the real ssh-keygen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alice, self.bob = new_key(folder, "alice"), new_key(folder, "bob")
        self.gate, self.mallory = new_key(folder, "gate"), new_key(folder, "mallory")
        self.write("rules.toml", RULES.format(level="soft-mandatory", approvals=1))
        self.write("tfgate.toml", CONFIG)
        people = signer("alice@acme.example,alice", self.alice) + signer("bob", self.bob)
        self.write("approvers", people)
        self.write("gates", signer("gate", self.gate, 'namespaces="tfgate-receipt"'))
        self.request = Request(
            plan=str(folder / "p.json"),
            env={"TFGATE_OPERATOR": "olga", "HOME": str(folder), "PATH": "/nonexistent"},
            cwd=folder,
            now=NOW,
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file of the gate."""
        path = self.folder / name
        path.write_text(text)
        return path

    def config(self, more: str) -> None:
        """Add to the configuration."""
        with (self.folder / "tfgate.toml").open("a") as file:
            file.write(more)

    def plan(self, data: bytes, name: str = "p.json") -> str:
        """Write a plan's JSON and give its path."""
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def judge(self, *approvals: Path, data: bytes | None = None, **changes: Any) -> Evaluated:
        """Judge plan JSON as if it had come from a plan file, and record that."""
        request = replace(self.request, approvals=tuple(map(str, approvals)), **changes)
        json_bytes = plan_json() if data is None else data
        config = load_config(request)

        def read() -> PlanInput:
            digest = hashlib.sha256(b"file of " + json_bytes).hexdigest()
            return PlanInput(json_bytes, "p.tfplan", plan_file_sha256=digest)

        return evaluate_and_record(request, config, Recorder.of(config, request), read)

    def ask(self, data: bytes | None = None) -> Path:
        """Check plan JSON and write the approval request."""
        path = self.folder / "p.request.json"
        path.unlink(missing_ok=True)
        plan = self.plan(plan_json() if data is None else data)
        check_with_documents(
            replace(self.request, plan=plan), Documents(approval_request=str(path))
        )
        return path

    def statement(self, data: bytes | None = None, **fields: Any) -> ApprovalStatement:
        """Return what an approver would sign."""
        approver = Approver(**{"key": "", "reason": "because", "now": NOW, **fields})
        return statement_of(read_request(self.ask(data)), approver)

    def approve(self, key: Path, name: str = "a.json", **fields: Any) -> Path:
        """Ask for an approval and give it."""
        path = self.folder / name
        path.write_bytes(sign_approval(self.statement(**fields), str(key)))
        return path

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the trail."""
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]
