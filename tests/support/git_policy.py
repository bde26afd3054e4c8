"""A repository with a ruleset in it, made with git itself, for tests of rulesets from git."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
id = "ACME-1"
title = "Instances use an allowed type"
severity = "medium"
enforcement = "soft-mandatory"
match = { types = ["aws_instance"] }
require = "after.instance_type == 't3.micro'"
message = "{address} uses {after.instance_type}"
"""
HEADER = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]
"""
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR")


class Policy:
    """A repository at ``path``, with a ruleset in ``sets/net``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("sets/net/ruleset.toml", HEADER)
        self.write("sets/net/rules/types.toml", RULE)
        self.commit("first")

    def git(self, *arguments: str) -> str:
        """Run git in it, with nothing of the user's configuration."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.example")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.path,
            env={**environment, "HOME": str(self.path.parent), "GIT_CONFIG_NOSYSTEM": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        """Write a file of it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, message: str, *more: str) -> str:
        """Commit everything; give the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, *more)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *more: str) -> None:
        """Let a tag stand here, wherever it stood."""
        self.git("tag", "--force", *more, name)

    def source(self, ref: str, path: str = "sets/net") -> str:
        """Write it as a source."""
        return f"git::file://{self.path}//{path}?ref={ref}"
