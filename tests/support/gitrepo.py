"""Small git repositories with a ruleset, made commit by commit."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RULESET = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Rules of a test"
owners = ["sec@acme.example"]
"""

RULE = """\
id = "{id}"
title = "Rule {id}"
severity = "high"
enforcement = "{level}"
match = {{ types = ["aws_s3_bucket"] }}
require = "{require}"
message = "{{address}} is wrong"
remediation = "Mend it."
"""

ANN = ("Ann", "ann@acme.example")
BOB = ("Bob", "bob@acme.example")


class Repo:
    """A repository with the ruleset ``policy/``, which begins with the rule ``A-1``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.clock = 1_767_225_600  # 2026-01-01T00:00:00Z
        self.write("policy/ruleset.toml", RULESET)
        self.rule("A-1")
        self.commit("The first rules\n\nReviewed-by: Bob <bob@acme.example>")

    def git(self, *arguments: str, author: tuple[str, str] = ANN, text: str = "") -> str:
        """Run git as an author; give what it prints."""
        name, email = author
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        if hasattr(self, "clock"):
            env |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{self.clock} +0000")
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=env, input=text, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file of the working tree."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rule(
        self,
        rule_id: str,
        require: str = "after.tags.Owner",
        level: str = "hard-mandatory",
        more: str = "",
    ) -> None:
        """Write a rule's file."""
        text = RULE.format(id=rule_id, require=require, level=level) + more
        self.write(f"policy/rules/{rule_id.lower()}.toml", text)

    def commit(self, message: str, author: tuple[str, str] = ANN) -> str:
        """Commit everything, a minute after the commit before; give the commit."""
        self.clock += 60
        self.git("add", "-A", author=author)
        self.git("commit", "-q", "--allow-empty", "-F", "-", author=author, text=message)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, message: str, author: tuple[str, str] = BOB) -> str:
        """Merge a branch with a commit of its own; give the commit."""
        self.clock += 60
        self.git("merge", "-q", "--no-ff", branch, "-m", message, author=author)
        return self.git("rev-parse", "HEAD")


def commit_all(folder: Path, *, ago: int = 600) -> str:
    """Commit everything in a folder, as of ``ago`` seconds ago, and make it a repository first.

    Gives the commit.
    """

    def git(*arguments: str) -> str:
        moment = f"{int(time.time()) - ago} +0000"
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": ANN[0],
            "GIT_AUTHOR_EMAIL": ANN[1],
            "GIT_COMMITTER_NAME": ANN[0],
            "GIT_COMMITTER_EMAIL": ANN[1],
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    if not (folder / ".git").exists():
        git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "A change")
    return git("rev-parse", "HEAD")
