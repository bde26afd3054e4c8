"""Who wrote the change."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.parts import require_part
from tfgate.terraform.run import detect_authors

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = [
    ({}, ()),
    ({"PULL_AUTHOR": "alice"}, ("alice",)),
    ({"TFGATE_AUTHOR": "alice, bob@acme.example,"}, ("alice", "bob@acme.example")),
    ({"CI_COMMIT_AUTHOR": "Alice Ames <a@acme.example>"}, ("Alice Ames", "a@acme.example")),
    ({"CHANGE_AUTHOR": "alice", "CHANGE_AUTHOR_EMAIL": "alice"}, ("alice",)),
    ({"BUILDKITE_BUILD_AUTHOR": "a\x1b[2Jb"}, ("a�[2Jb",)),
    ({"GITHUB_ACTOR": "alice"}, ()),
]


@pytest.mark.parametrize(("env", "names"), VARIABLES)
def test_variables(env: dict[str, str], names: tuple[str, ...], tmp_path: Path) -> None:
    """Every variable that names an author counts; one that names an operator does not."""
    assert detect_authors(env, tmp_path) == names


def _commit(folder: Path, message: str = "x") -> dict[str, str]:
    git = require_part("git")
    env = {
        "PATH": git.rpartition("/")[0] + ":/usr/bin:/bin",
        "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Alice Ames",
        "GIT_AUTHOR_EMAIL": "alice@acme.example",
        "GIT_COMMITTER_NAME": "Bot",
        "GIT_COMMITTER_EMAIL": "bot@acme.example",
    }
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", message]):
        subprocess.run([git, *command], cwd=folder, env=env, check=True)
    return {"PATH": env["PATH"], "HOME": env["HOME"]}


def test_the_commit_that_is_checked_out(tmp_path: Path) -> None:
    """Its author, not its committer, and nobody whom its message names."""
    message = "title\n\nauthor Mallory <mallory@acme.example> 1 +0000"
    env = _commit(tmp_path, message)
    below = tmp_path / "below"
    below.mkdir()
    assert detect_authors(env, below) == ("Alice Ames", "alice@acme.example")
    assert detect_authors({**env, "PULL_AUTHOR": "carol"}, tmp_path)[0] == "carol"


def test_no_commit_and_no_git(tmp_path: Path) -> None:
    """An empty repository, and a machine without git: nobody is known."""
    env = _commit(tmp_path)
    assert detect_authors({**env, "PATH": "/nonexistent"}, tmp_path) == ()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/none\n")
    assert detect_authors(env, tmp_path) == ()
