"""Which CI run and which commit a decision belongs to."""

from __future__ import annotations

import gc
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.parts import require_part
from tfgate.model.decision import Run
from tfgate.terraform import begin_run
from tfgate.terraform.ci import CI_SYSTEMS
from tfgate.terraform.gitdir import GitDir, config_value
from tfgate.terraform.text import public_url

if TYPE_CHECKING:
    from pathlib import Path

C = "c" * 40

CASES: list[tuple[dict[str, str], Run]] = [
    (
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/infra",
            "GITHUB_RUN_ID": "12",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_SHA": C,
        },
        Run(
            system="github",
            url="https://github.com/acme/infra/actions/runs/12/attempts/2",
            id="12",
            commit=C,
            repository="acme/infra",
        ),
    ),
    (
        {
            "GITHUB_ACTIONS": "true",
            "GITEA_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://git.example",
            "GITHUB_REPOSITORY": "acme/infra",
            "GITHUB_RUN_ID": "12",
            "GITHUB_RUN_NUMBER": "3",
        },
        Run(
            system="gitea",
            url="https://git.example/acme/infra/actions/runs/3",
            id="12",
            repository="acme/infra",
        ),
    ),
    (
        {
            "GITLAB_CI": "true",
            "CI_JOB_ID": "5",
            "CI_JOB_URL": "https://gl.example/acme/infra/-/jobs/5",
            "CI_COMMIT_SHA": C,
            "CI_PROJECT_PATH": "acme/infra",
        },
        Run(
            system="gitlab",
            url="https://gl.example/acme/infra/-/jobs/5",
            id="5",
            commit=C,
            repository="acme/infra",
        ),
    ),
    (
        {
            "BITBUCKET_BUILD_NUMBER": "9",
            "BITBUCKET_COMMIT": C,
            "BITBUCKET_REPO_FULL_NAME": "acme/infra",
            "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/acme/infra",
        },
        Run(
            system="bitbucket",
            url="https://bitbucket.org/acme/infra/pipelines/results/9",
            id="9",
            commit=C,
            repository="acme/infra",
        ),
    ),
    (
        {
            "TF_BUILD": "True",
            "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.azure.com/acme/",
            "SYSTEM_TEAMPROJECT": "infra",
            "BUILD_BUILDID": "44",
            "BUILD_SOURCEVERSION": C,
            "BUILD_REPOSITORY_NAME": "infra",
        },
        Run(
            system="azure-pipelines",
            url="https://dev.azure.com/acme/infra/_build/results?buildId=44",
            id="44",
            commit=C,
            repository="infra",
        ),
    ),
    (
        {
            "CIRCLECI": "true",
            "CIRCLE_BUILD_NUM": "8",
            "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/infra/8",
            "CIRCLE_SHA1": C,
            "CIRCLE_PROJECT_USERNAME": "acme",
            "CIRCLE_PROJECT_REPONAME": "infra",
        },
        Run(
            system="circleci",
            url="https://circleci.com/gh/acme/infra/8",
            id="8",
            commit=C,
            repository="acme/infra",
        ),
    ),
    (
        {
            "BUILDKITE": "true",
            "BUILDKITE_JOB_ID": "j",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/infra/builds/1",
            "BUILDKITE_COMMIT": C,
            "BUILDKITE_REPO": "https://x:secret@git.example/acme/infra.git",
        },
        Run(
            system="buildkite",
            url="https://buildkite.com/acme/infra/builds/1",
            id="j",
            commit=C,
            repository="https://git.example/acme/infra.git",
        ),
    ),
    (
        {
            "JENKINS_URL": "https://ci.example/",
            "BUILD_NUMBER": "4",
            "BUILD_TAG": "jenkins-infra-4",
            "BUILD_URL": "https://ci.example/job/infra/4/",
            "GIT_COMMIT": C,
            "GIT_URL": "git@git.example:acme/infra.git",
        },
        Run(
            system="jenkins",
            url="https://ci.example/job/infra/4/",
            id="jenkins-infra-4",
            commit=C,
            repository="git@git.example:acme/infra.git",
        ),
    ),
    (
        {
            "PULL_NUM": "7",
            "PULL_URL": "https://github.com/acme/infra/pull/7",
            "HEAD_COMMIT": C,
            "BASE_REPO_OWNER": "acme",
            "BASE_REPO_NAME": "infra",
        },
        Run(
            system="atlantis",
            url="https://github.com/acme/infra/pull/7",
            id="7",
            commit=C,
            repository="acme/infra",
        ),
    ),
    (
        {"TFC_RUN_ID": "run-1", "TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA": C},
        Run(system="hcp-terraform", id="run-1", commit=C),
    ),
    (
        {
            "CODEBUILD_BUILD_ARN": "arn:aws:codebuild:…",
            "CODEBUILD_BUILD_ID": "infra:1",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": C,
            "CODEBUILD_SOURCE_REPO_URL": "https://git.example/acme/infra",
        },
        Run(
            system="codebuild",
            id="infra:1",
            commit=C,
            repository="https://git.example/acme/infra",
        ),
    ),
    ({}, Run()),
]


@pytest.mark.parametrize(("env", "run"), CASES, ids=[str(run.system) for _, run in CASES])
def test_each_ci_system_is_described(env: dict[str, str], run: Run, tmp_path: Path) -> None:
    """System, run, page, repository and commit come from the CI's own variables."""
    assert begin_run(env, tmp_path).result() == run


def test_every_system_has_a_case() -> None:
    """A new row of the table needs a case above."""
    assert {s.name for s in CI_SYSTEMS} == {run.system for _, run in CASES} - {None}


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://u:p@git.example/a.git?token=x#y", "https://git.example/a.git"),
        ("https://ghp_token@github.com/a/b", "https://github.com/a/b"),
        ("ssh://git@git.example:22/a", "ssh://git.example:22/a"),
        ("git@git.example:a/b.git", "git@git.example:a/b.git"),
        ("u:p@git.example:a/b.git", "git.example:a/b.git"),
        ("/srv/git/a", "/srv/git/a"),
        ("https://[bad", ""),
        ("https://x/\x1b[31m\n", "https://x/�[31m"),
    ],
)
def test_a_url_loses_its_credentials(url: str, public: str) -> None:
    """Nothing before the host, behind ``?`` or behind ``#`` is kept."""
    assert public_url(url) == public


# --- the checkout -------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit and a remote whose URL holds a password."""
    require_part("git")
    top = tmp_path / "repo"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / "main.tf").write_text("# nothing\n")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    git(top, "remote", "add", "origin", "https://u:secret@git.example/acme/infra.git")
    return top


def git(top: Path, *args: str) -> str:
    who = ["-c", "user.name=T", "-c", "user.email=t@x.example", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *args], cwd=top, check=True, capture_output=True, text=True)
    return done.stdout.strip()


ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def test_commit_and_repository_of_a_checkout(checkout: Path) -> None:
    """Without a CI the checkout itself tells, from any directory in it."""
    (checkout / "deep").mkdir()
    run = begin_run(ENV, checkout / "deep").result()
    head = git(checkout, "rev-parse", "HEAD")
    assert run == Run(commit=head, dirty=False, repository="https://git.example/acme/infra.git")


def test_dirty_means_changed_or_untracked(checkout: Path) -> None:
    """A new file is part of what Terraform reads."""
    (checkout / "new.tf").write_text("")
    assert begin_run(ENV, checkout).result().dirty is True


def test_commit_is_read_however_git_stores_it(checkout: Path) -> None:
    """Packed references, a detached head and a linked worktree are all read without git."""
    head = git(checkout, "rev-parse", "HEAD")
    git(checkout, "pack-refs", "--all")
    assert begin_run(ENV, checkout).result().commit == head
    git(checkout, "worktree", "add", "-q", "-b", "side", str(checkout.parent / "side"))
    side = begin_run(ENV, checkout.parent / "side").result()
    assert (side.commit, side.dirty, side.repository) == (
        head,
        False,
        "https://git.example/acme/infra.git",
    )
    git(checkout, "checkout", "-q", "--detach")
    assert begin_run(ENV, checkout).result().commit == head


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    """A fresh ``git init`` has no commit to tell."""
    require_part("git")
    git(tmp_path, "init", "-q")
    assert begin_run(ENV, tmp_path).result().commit is None


@pytest.mark.parametrize(
    "config",
    [
        "[core]\n\tfsmonitor = {touch}\n",
        "[core]\n\thooksPath = {hooks}\n",
        '[filter "f"]\n\tclean = {touch}\n\tprocess = {touch}\n',
        '[core][filter "f"]\n\tclean = {touch}\n',
        "[include]\n\tpath = {included}\n",
        '[IncludeIf "gitdir:/"]\n\tpath = {included}\n',
        "[diff]\n\texternal = {touch}\n[core]\n\tpager = {touch}\n\tsshCommand = {touch}\n",
    ],
)
def test_a_hostile_repository_runs_nothing(config: str, checkout: Path, tmp_path: Path) -> None:
    """Whatever the repository's configuration names as a program stays unstarted."""
    proof = tmp_path / "proof"
    touch = tmp_path / "touch"
    touch.write_text(f"#!/bin/sh\necho ran >> {proof}\ncat\n")
    touch.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").write_text(touch.read_text())
    (hooks / "post-index-change").chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f'[filter "f"]\n\tclean = {touch}\n[core]\n\tfsmonitor = {touch}\n')
    text = config.format(touch=touch, hooks=hooks, included=included)
    with (checkout / ".git" / "config").open("a") as file:
        file.write(text)
    (checkout / ".gitattributes").write_text("* filter=f diff=f\n")
    (checkout / "main.tf").write_text("# changed\n")
    run = begin_run(ENV, checkout).result()
    assert run.dirty in (True, None)
    assert run.commit == GitDir.find(checkout).head()  # type: ignore[union-attr]  # it is there
    assert not proof.exists()


def test_a_configuration_that_cannot_be_read_is_not_handed_to_git(checkout: Path) -> None:
    """Git would follow a link that is not followed here, so git is not asked."""
    config = checkout / ".git" / "config"
    config.rename(checkout / "elsewhere")
    config.symlink_to(checkout / "elsewhere")
    assert begin_run(ENV, checkout).result().dirty is None


def test_git_in_the_working_directory_is_not_run(checkout: Path, tmp_path: Path) -> None:
    """A PATH with ``.`` or an empty entry does not let the change bring its own git."""
    (checkout / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/proof\n")
    (checkout / "git").chmod(0o755)
    assert begin_run({"PATH": ".:"}, checkout).result().dirty is None
    assert not (tmp_path / "proof").exists()


def test_a_git_that_hangs_is_given_up(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time limit the state is unknown, and the process is gone."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setattr("tfgate.terraform.run.SECONDS", 0.05)
    pending = begin_run({"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}, checkout)
    assert pending.result().dirty is None
    assert pending.result().dirty is None


@pytest.mark.slow
@pytest.mark.parametrize("in_a_cycle", [False, True])
def test_a_run_that_nobody_asks_for_leaves_no_process(
    checkout: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder, *, in_a_cycle: bool
) -> None:
    """An error elsewhere drops the run, perhaps with its traceback; git is ended with it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    started = time.monotonic()
    run = begin_run({"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}, checkout)
    if in_a_cycle:
        dropped: list[object] = [run]
        dropped.append(dropped)
        del dropped
    del run
    gc.collect()
    assert time.monotonic() - started < 30
    assert [str(warning.message) for warning in recwarn] == []


def test_head_that_points_outside_is_not_followed(checkout: Path) -> None:
    """A reference cannot make the gate read a file elsewhere."""
    (checkout / "x").write_text(C)
    (checkout / ".git" / "HEAD").write_text("ref: refs/../../x\n")
    assert GitDir.find(checkout).head() is None  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('[remote "origin"]\n\turl = a\n\turl = b\n', "b"),
        ('[remote "Origin"]\n\turl = a\n', None),
        ('[REMOTE "origin"] URL = a', "a"),
        ('[remote "origin"]\n\turl = "a;b" ; c\n', "a;b"),
        ('[remote "origin"]\n# url = a\n; url = a\n', None),
        ('[remote "ori\\"gin"]\nurl = a', None),
    ],
)
def test_git_configuration_syntax(text: str, value: str | None) -> None:
    """The part of git's syntax that a URL or mail address is written in."""
    assert config_value(text, "remote", "origin", "url") == value
