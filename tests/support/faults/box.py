"""A gate and a working directory with everything that any command needs, to be copied for a run."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.support.gitrepo import Repo
from tests.support.plans import change, plan_bytes
from tests.support.signing import new_key, signer

ROOT = Path(__file__).resolve().parents[3]
CANARY = "CANARY-5d21"
DECIDED = "20260101T000000Z-00000000000000aa"

RULES = """
id = "A-1"
title = "Buckets have an owner"
severity = "high"
enforcement = "soft-mandatory"
match = { types = ["aws_s3_bucket"] }
require = "after.tags.Owner"
message = "{address} has no owner"
remediation = "Add one."

[[tests]]
name = "an owner"
change = { type = "aws_s3_bucket", actions = ["create"], after = { tags = { Owner = "x" } } }
expect = "pass"

[[tests]]
name = "no owner"
change = { type = "aws_s3_bucket", actions = ["create"], after = { tags = {} } }
expect = "fail"
"""
LATER = """
id = "A-2"
title = "Buckets get a name"
severity = "low"
enforcement = "soft-mandatory"
on_unknown = "verify"
match = { types = ["aws_s3_bucket"] }
require = "after.arn"
message = "{address} has no name"
remediation = "Wait."
"""
SCHEMA = {
    "format_version": "1.0",
    "provider_schemas": {
        "registry.terraform.io/hashicorp/aws": {
            "provider": {"version": 0, "block": {}},
            "resource_schemas": {
                "aws_s3_bucket": {
                    "version": 0,
                    "block": {"attributes": {"bucket": {"type": "string", "optional": True}}},
                }
            },
        }
    },
}
CONFIG = """
[gate]
rulesets = ["./policy"]
[approvals]
allowed_signers = "approvers"
[receipts]
key = "keys/receipt"
allowed_signers = "gates"
[audit]
log = "audit.jsonl"
archive = true
allowed_signers = "auditors"
"""
MORE = {
    "history": "",
    "rotating": "rotate_bytes = 4096\n",
    "signing": 'checkpoint_key = "keys/audit"\ncheckpoint_every = 1\n',
    "sinking": "sink_seconds = 1\n"
    """
[[sinks]]
name = "siem"
type = "http"
url = "http://127.0.0.1:{port}/in"
timeout_seconds = 1
""",
    "strict": """
require_sink = "siem"
require_sink_seconds = 2
[[sinks]]
name = "siem"
type = "http"
url = "http://127.0.0.1:{port}/in"
timeout_seconds = 1
""",
}
# Answers as a Terraform would. What it is asked to apply it notes, with the trail as it is then.
TERRAFORM = """#!/bin/sh
root={root}
for last in "$@"; do :; done
case "$*" in
*"version -json"*) echo '{{"terraform_version":"1.11.4","provider_selections":{{}}}}' ;;
*"show -json"*)
  case "$last" in -no-color|-json) cat "$root/work/state.json"; exit ;; esac
  if cmp -s "$last" "$root/work/good.tfplan"; then cat "$root/work/good.json"
  elif cmp -s "$last" "$root/work/bad.tfplan"; then cat "$root/work/bad.json"
  else echo "Error: not a plan" >&2; exit 1; fi ;;
plan*)
  for word in "$@"; do
    case "$word" in -out=*) cat "$root/work/good.tfplan" > "${{word#-out=}}" || exit 1 ;; esac
  done ;;
apply*|import*)
  # What stood in the trail comes first: it may be killed in the middle of writing that down.
  cat "$root/gate/audit.jsonl" > "$root/at-apply" 2>/dev/null
  [ -z "$FAULTS_NOTE" ] || echo "apply 0 $root/ran" >> "$FAULTS_NOTE"
  echo "run $*" >> "$root/ran"
  case "$1" in apply) cmp -s "$last" "$root/work/good.tfplan" || exit 1 ;; esac ;;
esac
exit 0
"""


class Box:
    """``work`` (the author's), ``gate`` (its owner's), ``home``, ``tmp``, ``bin`` in a folder."""

    def __init__(self, root: Path, port: int = 1) -> None:
        self.root = root
        self.port = port
        """Where on this machine something takes records."""
        self.work, self.gate = root / "work", root / "gate"
        self.tmp, self.home = root / "tmp", root / "home"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command."""
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "TFGATE_CONFIG": str(self.gate / "tfgate.toml"),
            "TFGATE_TERRAFORM": str(self.root / "bin" / "terraform"),
            "TFGATE_OPERATOR": "ann@acme.example",
            "TFGATE_CACHE": str(self.home / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "USER": "ann",
            "BROWSER": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def tfgate(self, *arguments: str, code: int = 0, **env: str) -> str:
        """Run a command of the preparation, which ends with ``code``; give what it prints."""
        command = [sys.executable, "-m", "tfgate", *arguments]
        done = subprocess.run(
            command, cwd=self.work, env={**self.env, "PYTHONPATH": str(ROOT), **env},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done)
        return done.stdout

    def copy(self, target: Path, *, git: bool = True) -> Box:
        """Return a copy in the place of whatever is at ``target``, with or without the checkout."""
        shutil.rmtree(target, ignore_errors=True)
        left_out = None if git else shutil.ignore_patterns("repo")
        shutil.copytree(self.root, target, symlinks=True, ignore=left_out)
        made = Box(target, self.port)
        made.settle()
        return made

    def settle(self) -> None:
        """Write what knows where it is: the stand-in for Terraform, the addresses of sinks."""
        for name, more in MORE.items():
            config = CONFIG.replace("./policy", "./repo/policy") if name == "history" else CONFIG
            (self.gate / f"{name}.toml").write_text(config + more.format(port=self.port))
        program = self.root / "bin" / "terraform"
        program.parent.mkdir(exist_ok=True)
        program.write_text(TERRAFORM.format(root=self.root))
        program.chmod(0o755)


def plan_file(marker: str, workspace: str = "default") -> bytes:
    """Return a saved plan: a zip whose ``tfplan`` names the version that made it, and its state."""
    settings = b"\x0a\x01\x80"  # a DynamicValue: an empty object in MessagePack
    backend = b"\x0a\x05local\x12" + bytes([len(settings)]) + settings
    backend += b"\x1a" + bytes([len(workspace)]) + workspace.encode()
    version = b"1.11.4"
    entry = b"\x6a" + bytes([len(backend)]) + backend + b"\x72" + bytes([len(version)]) + version
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("tfplan", entry)
        archive.writestr("tfstate", f"{CANARY}-{marker}")
    return buffer.getvalue()


def _plan(owner: str | None) -> bytes:
    tags = {} if owner is None else {"Owner": owner}
    after = {"bucket": "logs", "tags": tags, "password": f"{CANARY}-value"}
    return plan_bytes(
        change(
            "aws_s3_bucket.logs", ["create"], after,
            after_sensitive={"password": True}, after_unknown={"arn": True},
        ),
    )  # fmt: skip


def _state() -> bytes:
    values = {"bucket": "logs", "arn": "arn:aws:s3:::logs", "password": f"{CANARY}-state"}
    resource: dict[str, Any] = {
        "address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket",
        "name": "logs", "values": values, "sensitive_values": {"password": True},
        "provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0,
    }  # fmt: skip
    root = {"root_module": {"resources": [resource]}}
    return json.dumps(
        {"format_version": "1.0", "terraform_version": "1.11.4", "values": root}
    ).encode()


def build(root: Path, port: int = 1) -> Box:
    """Make a box: plans, rules in git, keys, and a trail with a few decisions."""
    box = Box(root, port)
    for folder in (box.work, box.gate, box.tmp, box.home, box.gate / "keys"):
        folder.mkdir(parents=True)
    box.settle()
    _write_plans(box)
    _write_gate(box)
    repo = Repo(box.gate / "repo")
    shutil.rmtree(repo.path / ".git" / "hooks", ignore_errors=True)
    repo.write("policy/rules/a-1.toml", RULES.lstrip())
    repo.write("policy/rules/a-2.toml", LATER.lstrip())
    shutil.copytree(repo.path / "policy", box.gate / "policy")
    repo.commit("The rules that count\n\nReviewed-by: Bob <bob@acme.example>")
    repo.git("tag", "v1")
    _write_trail(box)
    return box


def _write_plans(box: Box) -> None:
    # Plan files before what they are shown as, as Atlantis has it.
    (box.work / "good.tfplan").write_bytes(plan_file("good"))
    (box.work / "bad.tfplan").write_bytes(plan_file("bad"))
    (box.work / "good.json").write_bytes(_plan("me"))
    (box.work / "bad.json").write_bytes(_plan(None))
    (box.work / "state.json").write_bytes(_state())
    (box.work / "main.tf").write_text(
        '# checkov:skip=CKV_AWS_18:no logs of logs\nresource "aws_s3_bucket" "logs" {\n'
        '  bucket = "logs"\n}\n'
    )
    (box.work / "schema.json").write_text(json.dumps(SCHEMA))
    (box.work / "fresh").mkdir()
    plans = box.work / "plans" / "prod"
    plans.mkdir(parents=True)
    (plans / "a.json").write_bytes(_plan("me"))
    (plans / "b.json").write_bytes(_plan("you"))


def _write_gate(box: Box) -> None:
    keys = box.gate / "keys"
    receipt, audit, approver = (new_key(keys, name) for name in ("receipt", "audit", "approver"))
    (box.gate / "approvers").write_text(signer("dora@acme.example", approver))
    gates, auditors = 'namespaces="tfgate-receipt"', 'namespaces="tfgate-checkpoint"'
    (box.gate / "gates").write_text(signer("gate@acme.example", receipt, gates))
    (box.gate / "auditors").write_text(signer("audit@acme.example", audit, auditors))
    for name in ("approvers", "gates", "auditors"):
        (box.gate / name).chmod(0o644)
    (box.gate / "tfgate.toml").write_text(CONFIG)
    (box.gate / "commands.toml").write_text(CONFIG + '\n[commands]\ntaint = "deny"\n')
    (box.gate / "server.toml").write_text('[[policy]]\nconfig = "tfgate.toml"\n')
    (box.gate / "repos.yaml").write_text("repos:\n- id: /.*/\n  policy_check: true\n")


def _write_trail(box: Box) -> None:
    remote = f'[gate]\nrulesets = ["git::file://{box.gate}/repo//policy?ref=v1"]\n'
    (box.work / "remote").mkdir()
    (box.work / "remote" / "tfgate.toml").write_text(remote)
    receipt = str(box.work / "receipt.json")
    box.tfgate("check", "good.tfplan", "--receipt", receipt)
    box.tfgate("check", "bad.tfplan", "--approval-request", "request.json", code=1)
    key = str(box.gate / "keys" / "approver")
    words = ("--key", key, "--reason", "a test", "--expires", "2h", "--yes")
    box.tfgate(
        "approve", "request.json", *words, "--output", "approval.json",
        TFGATE_OPERATOR="dora@acme.example",
    )  # fmt: skip
    box.tfgate("audit", "checkpoint", "--key", str(box.gate / "keys" / "audit"))
    events = [json.loads(line) for line in (box.gate / "audit.jsonl").read_text().splitlines()]
    decided = next(one["decision_id"] for one in events if one.get("decision") == "allow")
    (box.work / "decided").write_text(decided)
