"""Who wrote the change that was planned, as far as anybody says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.terraform.dirty import git_environment
from tfgate.terraform.find import search_path
from tfgate.terraform.gitdir import GitDir
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AUTHOR = "TFGATE_AUTHOR"
"""Who wrote the change, where the CI system has no variable for it; several with commas."""
_VARIABLES = (
    "PULL_AUTHOR",  # runatlantis.io/docs/custom-workflows
    "CHANGE_AUTHOR",  # Jenkins, multibranch pipelines
    "CHANGE_AUTHOR_EMAIL",
    "CI_COMMIT_AUTHOR",  # GitLab: Name <address>
    "BUILDKITE_BUILD_AUTHOR_EMAIL",
    "BUILDKITE_BUILD_AUTHOR",
)
_IDENT = re.compile(r"^author (?P<name>.*?) ?<(?P<address>[^<>\n]*)> \d+ [+-]\d{4}$", re.MULTILINE)
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]+)>")
_SECONDS = 5.0
_MAX_COMMIT = 1 << 20


def detect_authors(env: Mapping[str, str], cwd: str | Path) -> tuple[str, ...]:
    """Give every name of the author: what the CI system says, and who made the commit checked out.

    Logins, addresses and plain names, in no order that means anything; empty where nobody knows.
    None of it is proof: of several commits only the last one is looked at, and git believes what
    its user says.
    """
    names = [*_of_environment(env), *_of_commit(env, Path(cwd))]
    return tuple(dict.fromkeys(name for name in map(clean, names) if name))


def _of_environment(env: Mapping[str, str]) -> Iterator[str]:
    yield from env.get(AUTHOR, "").split(",")
    for variable in _VARIABLES:
        value = env.get(variable, "")
        parts = _NAMED.fullmatch(value.strip())
        yield from parts.groups() if parts else (value,)


def _of_commit(env: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    commit = _read_commit(env, cwd)
    headers = commit.partition("\n\n")[0]
    found = _IDENT.search(headers)
    return (found["name"], found["address"]) if found else ()


def _read_commit(env: Mapping[str, str], cwd: Path) -> str:
    """Give the commit object that is checked out: unlike ``git log``, this runs no program."""
    import subprocess  # approvals alone need it

    checkout, git = GitDir.find(cwd), search_path("git", env)
    if checkout is None or git is None:
        return ""
    try:
        done = subprocess.run(
            [git, "cat-file", "commit", "HEAD"],
            cwd=checkout.top,
            env=git_environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout[:_MAX_COMMIT].decode("utf-8", "replace") if not done.returncode else ""
