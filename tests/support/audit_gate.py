"""A gate with a history: rules in git, decisions of every kind, a waiver, an override, a key."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitrepo import BOB, RULE, RULESET, Repo
from tests.support.plans import change, plan_bytes
from tfgate.audit.writer import AuditTrail
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
[gate]
rulesets = ["repo/policy"]

[audit]
log = "trail/audit.jsonl"
allowed_signers = "audit.signers"

[approvals]
allowed_signers = "approvers"

[[waivers]]
rule = "A-OWNER"
address = "aws_s3_bucket.legacy"
reason = "moves to the new account in spring"
owner = "team-web@acme.example"
expires = 2099-03-31
ticket = "WEB-17"

[[waivers]]
rule = "A-OWNER"
address = "aws_s3_bucket.nothing"
reason = "nobody knows any more"
owner = "team-old@acme.example"
expires = 2099-01-31
"""

OWNED = change("aws_s3_bucket.logs", after={"tags": {"Owner": "me"}, "acl": "private"})
LEGACY = change("aws_s3_bucket.legacy", after={"tags": {}, "acl": "private"})
PUBLIC = change("aws_s3_bucket.site", after={"tags": {"Owner": "me"}, "acl": "public-read"})
ORPHAN = change("aws_s3_bucket.orphan", after={"tags": {}, "acl": "private"})


class AuditGate:
    """A directory with all of it; the working directory must be ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = Repo(path / "repo")
        self.log = path / "trail" / "audit.jsonl"
        self._rules()
        (path / "tfgate.toml").write_text(CONFIG)
        for name in ("audit", "dora"):
            self.key(name)
        (path / "audit.signers").write_text(self._signer("audit"))
        (path / "approvers").write_text(self._signer("dora"))

    def key(self, name: str) -> None:
        """Make an SSH key."""
        if shutil.which("ssh-keygen") is None:
            pytest.skip("there is no ssh-keygen on PATH")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]
        subprocess.run([*command, str(self.path / name)], check=True)

    def check(
        self,
        *changes: dict[str, Any],
        code: int = 0,
        workspace: str = "prod",
        operator: str = "carl@acme.example",
        more: tuple[str, ...] = (),
    ) -> str:
        """Judge a plan; give the decision's id."""
        (self.path / "plan.json").write_bytes(plan_bytes(*changes))
        assert main(["check", "plan.json", "-w", workspace, "--operator", operator, *more]) == code
        return str(self.records()[-1]["decision_id"])

    def override(self) -> str:
        """Have Dora approve what denies a plan, and check it again; give the decision's id."""
        asked = ("--approval-request", "request.json")
        self.check(PUBLIC, code=1, more=asked)
        command = ["approve", "request.json", "--key", "dora", "--reason", "a site is public",
                   "--yes", "-o", "approval.json"]  # fmt: skip
        assert main(command) == 0
        return self.check(PUBLIC, more=("--approval", "approval.json"))

    def applied(self, decision_id: str, exit_code: int | None = 0) -> None:
        """Record an apply of a decision; without an exit code its end is missing."""
        trail = AuditTrail(self.log)
        about = {"decision_id": decision_id, "workspace": "prod", "operator": "carl@acme.example"}
        trail.append("apply_started", about)
        if exit_code is not None:
            trail.append("apply_finished", {**about, "exit_code": exit_code})

    def checkpoint(self) -> None:
        """Sign where the trail stands."""
        assert main(["audit", "checkpoint", "--key", "audit"]) == 0

    def records(self) -> list[dict[str, Any]]:
        """The trail's records."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def live(self) -> None:
        """Let some days go by."""
        self.applied(self.check(OWNED))
        self.applied(self.check(OWNED, LEGACY), exit_code=None)
        self.check(ORPHAN, code=1, workspace="staging")
        self.applied(self.override(), exit_code=1)
        self._rule("A-OWNER", "after.tags.Owner || after.tags.Team", "CC8.1")
        self.repo.commit("Teams will do")
        self.check(OWNED, workspace="staging")
        self.checkpoint()

    def _rules(self) -> None:
        self.repo.git("rm", "-q", "policy/rules/a-1.toml")
        self.repo.write("policy/ruleset.toml", RULESET)
        self._rule("A-OWNER", "after.tags.Owner", "CC8.1")
        self._rule("A-PUBLIC", "after.acl != 'public-read'", "CC6.1", "soft-mandatory")
        self.repo.commit("Rules of our own\n\nReviewed-by: Ann <ann@acme.example>", BOB)

    def _rule(self, rule: str, require: str, control: str, level: str = "hard-mandatory") -> None:
        text = RULE.format(id=rule, require=require, level=level)
        text += f'controls = {{ "soc2" = ["{control}"] }}\n'
        self.repo.write(f"policy/rules/{rule.lower()}.toml", text)

    def _signer(self, name: str) -> str:
        return f"{name}@acme.example {(self.path / name).with_suffix('.pub').read_text()}"


def hostile(text: str) -> dict[str, Any]:
    """Return a change whose address is ``text``: it breaks the rule on owners."""
    entry = change("aws_s3_bucket.x", after={"tags": {}, "acl": "private"})
    entry["address"] = text
    return entry
