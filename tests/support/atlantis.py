"""Atlantis as far as a custom policy check goes: how it runs a step, and how it reads the text.

Written after server/events/project_command_runner.go (``doPolicyCheck``) and
server/core/runtime/run_step_runner.go of August 2026.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


def passed_since_december_2025(output: str) -> bool:
    """Read a verdict as Atlantis 0.38 and later do."""
    if not output:
        return False
    if re.search(r'([1-9][0-9]* failure|failures": \[)', output):
        return False
    return not output.strip().startswith("FAIL")


def passed_before(output: str) -> bool:
    """Read a verdict as Atlantis did before: Go lowers each letter by itself, İ to i."""
    lowered = "".join(letter.lower()[0] for letter in output)
    return "fail" not in lowered


class Step(NamedTuple):
    """How a step ended."""

    code: int
    output: str
    """Standard output and standard error, as Atlantis mixes them."""


class PullRequest:
    """A checkout in Atlantis's data directory, and a server's own folder beside it."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "data" / "repos" / "acme" / "infra" / "7" / "default"
        self.project = self.checkout / "net"
        self.server = root / "server"
        (self.checkout / ".git").mkdir(parents=True)
        self.project.mkdir()
        self.server.mkdir()
        self.show = self.project / "default.tfplan.json"
        self.plan = self.project / "default.tfplan"
        self.config = self.write("tfgate.toml", '[gate]\nrulesets = ["tfgate:core"]\n')
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "PYTHONPATH": str(ROOT),
            "ATLANTIS_TERRAFORM_DISTRIBUTION": "terraform",
            "ATLANTIS_TERRAFORM_VERSION": "1.15.0",
            "BASE_BRANCH_NAME": "main",
            "BASE_REPO_NAME": "infra",
            "BASE_REPO_OWNER": "acme",
            "COMMENT_ARGS": "",
            "DIR": str(self.project),
            "HEAD_BRANCH_NAME": "failover",
            "HEAD_COMMIT": "3f2c1e0a9b8d7c6f5e4d3c2b1a0f9e8d7c6b5a49",
            "HEAD_REPO_NAME": "infra",
            "HEAD_REPO_OWNER": "acme",
            "PLANFILE": str(self.plan),
            "SHOWFILE": str(self.show),
            "POLICYCHECKFILE": str(self.project / "policies.json"),
            "PROJECT_NAME": "network",
            "PULL_AUTHOR": "bob",
            "PULL_NUM": "7",
            "PULL_URL": "https://github.com/acme/infra/pull/7",
            "REPO_REL_DIR": "net",
            "USER_NAME": "ann",
            "WORKSPACE": "staging",
            "TFGATE_AUDIT_LOG": str(self.server / "audit.jsonl"),
        }

    def write(self, name: str, text: str) -> Path:
        """Write a file of the server."""
        path = self.server / name
        path.write_text(text, encoding="utf-8")
        return path

    def step(self, *arguments: str, **env: str) -> Step:
        """Run ``tfgate atlantis`` as a ``run`` step does."""
        done = subprocess.run(
            [sys.executable, "-m", "tfgate", "atlantis", *arguments],
            cwd=self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return Step(done.returncode, done.stdout.decode())

    def judge(self, *arguments: str, **env: str) -> Step:
        """Run it with the server's configuration."""
        return self.step("--config", str(self.config), *arguments, **env)
