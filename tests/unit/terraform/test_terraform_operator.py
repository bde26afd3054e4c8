"""Who asked for the apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.model.decision import Operator
from tfgate.terraform import detect_operator
from tfgate.terraform.ci import CI_SYSTEMS
from tfgate.terraform.run import os_user

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ATLANTIS = {"PULL_NUM": "7", "HEAD_COMMIT": "c" * 40, "BASE_REPO_NAME": "infra"}
GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true"}
BUILDKITE = {"BUILDKITE": "true", "CI": "true"}
JENKINS = {"JENKINS_URL": "https://ci.example/", "BUILD_NUMBER": "4"}

CASES: list[tuple[dict[str, str], str, str]] = [
    ({**GITHUB, "GITHUB_ACTOR": "ann"}, "ann", "github"),
    ({**GITHUB, "GITHUB_ACTOR": "ann", "GITHUB_TRIGGERING_ACTOR": "bob"}, "bob", "github"),
    ({**GITHUB, "GITEA_ACTIONS": "true", "GITHUB_ACTOR": "ann"}, "ann", "gitea"),
    (
        {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ann", "GITLAB_USER_EMAIL": "a@x"},
        "ann",
        "gitlab",
    ),
    ({"GITLAB_CI": "true", "GITLAB_USER_EMAIL": "ann@x.example"}, "ann@x.example", "gitlab"),
    (
        {"BITBUCKET_BUILD_NUMBER": "9", "BITBUCKET_STEP_TRIGGERER_UUID": "{5f0c}"},
        "{5f0c}",
        "bitbucket",
    ),
    (
        {"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ann", "BUILD_REQUESTEDFOREMAIL": "ann@x"},
        "ann@x",
        "azure-pipelines",
    ),
    ({"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ann B"}, "Ann B", "azure-pipelines"),
    (
        {"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ann", "RELEASE_REQUESTEDFOR": "Bob"},
        "Bob",
        "azure-pipelines",
    ),
    ({"CIRCLECI": "true", "CIRCLE_USERNAME": "ann"}, "ann", "circleci"),
    ({**BUILDKITE, "BUILDKITE_BUILD_CREATOR_EMAIL": "ann@x"}, "ann@x", "buildkite"),
    (
        {
            **BUILDKITE,
            "BUILDKITE_BUILD_CREATOR_EMAIL": "ann@x",
            "BUILDKITE_UNBLOCKER_EMAIL": "bob@x",
        },
        "bob@x",
        "buildkite",
    ),
    ({**JENKINS, "BUILD_USER_ID": "ann", "CHANGE_AUTHOR": "eve"}, "ann", "jenkins"),
    ({**ATLANTIS, "USER_NAME": "ann", "PULL_AUTHOR": "eve"}, "ann", "atlantis"),
    (
        {"CODEBUILD_BUILD_ARN": "arn:aws:codebuild:…", "CODEBUILD_INITIATOR": "ann"},
        "ann",
        "codebuild",
    ),
]


def account(_env: Mapping[str, str]) -> str | None:
    return "login"


def detect(env: Mapping[str, str], cwd: Path, flag: str | None = None) -> Operator:
    return detect_operator(env, flag, cwd, account=account)


@pytest.mark.parametrize(("env", "name", "source"), CASES)
def test_each_ci_system_names_who_asked(
    env: dict[str, str], name: str, source: str, tmp_path: Path
) -> None:
    """The one who pressed the button is named, not the one who wrote the change."""
    assert detect(env, tmp_path) == Operator(name=name, source=source, verified=False)


def test_every_system_with_a_person_is_in_the_table() -> None:
    """A new row of the table needs a case here."""
    with_person = {system.name for system in CI_SYSTEMS if system.operator}
    assert with_person == {source for _, _, source in CASES}


@pytest.mark.parametrize(
    "env",
    [
        {"TFC_RUN_ID": "run-1"},
        {**JENKINS, "CHANGE_AUTHOR": "eve"},
        {**ATLANTIS, "PULL_AUTHOR": "eve", "USER_NAME": ""},
        {"GITHUB_ACTIONS": "false", "GITHUB_ACTOR": "ann"},
        {"GITHUB_ACTOR": "ann"},
    ],
)
def test_a_run_that_names_nobody_falls_through(env: dict[str, str], tmp_path: Path) -> None:
    """Who wrote a change did not ask for its apply, and a name without its CI says nothing."""
    assert detect(env, tmp_path) == Operator(name="login", source="os")


def test_flag_and_environment_come_first(tmp_path: Path) -> None:
    """What was said outright beats what was found."""
    env = {**GITHUB, "GITHUB_ACTOR": "ann", "TFGATE_OPERATOR": "bob"}
    assert detect(env, tmp_path, "cat") == Operator(name="cat", source="flag")
    assert detect(env, tmp_path, " ") == Operator(name="bob", source="environment")


def test_git_mail_address_of_repository_beats_the_users(tmp_path: Path) -> None:
    """Git's own precedence holds, and quotes and comments are git's."""
    (tmp_path / ".gitconfig").write_text("[user]\n\temail = home@x ; mine\n")
    env = {"HOME": str(tmp_path)}
    assert detect(env, tmp_path) == Operator(name="home@x", source="git")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text('[core]\n[user] email = "here@x"\nname = N\n')
    (tmp_path / "deep").mkdir()
    assert detect(env, tmp_path / "deep") == Operator(name="here@x", source="git")


def test_root_behind_sudo_is_named_by_the_caller(tmp_path: Path) -> None:
    """``sudo tfgate`` was asked for by somebody, and only root can have set SUDO_USER then."""
    env = {"SUDO_USER": "ann"}
    assert detect(env, tmp_path).name == "login"
    found = detect_operator(env, None, tmp_path, account=lambda _: "root")
    assert found == Operator(name="ann", source="sudo")


def test_nobody_is_said_to_be_unknown(tmp_path: Path) -> None:
    """There is always an operator, if only an unknown one."""
    found = detect_operator({}, None, tmp_path, account=lambda _: None)
    assert found == Operator(name="unknown", source="none")


def test_account_does_not_believe_the_environment() -> None:
    """LOGNAME and USER can be set by anybody; the user database cannot."""
    assert os_user({"LOGNAME": "eve", "USER": "eve"}) != "eve"


@given(st.text(min_size=1))
def test_a_name_is_one_printable_line(text: str) -> None:
    """Whatever the environment holds, a log line or terminal is safe from it."""
    name = detect_operator({"TFGATE_OPERATOR": text}, None, "/", account=account).name
    assert 0 < len(name) <= 256
    assert all(c.isprintable() or c.isspace() for c in name)
    assert not set(name) & set("\n\r\x1b\u202e\u2028\x85")
