"""``tfgate eval``: one expression, several from standard input, and a prompt at a real terminal."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.support.terminal import at_terminal
from tfgate.authoring.prompt import Prompt, bounded
from tfgate.authoring.session import Session, type_of
from tfgate.cli.main import main
from tfgate.errors import ConfigError, UsageError
from tfgate.gate.gather import gather, load_config
from tfgate.gate.request import Request
from tfgate.query.values import SENSITIVE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    Capture = pytest.CaptureFixture[str]

RULES = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["team@acme.example"]

[params.engines]
type = "list(string)"
default = ["postgres"]
description = "Engines that may be used"

[[rules]]
id = "ACME-001"
title = "A rule"
severity = "low"
enforcement = "advisory"
match.types = ["aws_db_instance"]
let = { engine = "after.engine" }
require = "contains($params.engines, $engine)"
message = "{address}"
"""


def _change(name: str, **after: Any) -> dict[str, Any]:
    return {
        "address": f"aws_db_instance.{name}", "mode": "managed", "type": "aws_db_instance",
        "name": name, "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": ["create"], "before": None, "after": after, "after_unknown": {"arn": True},
            "before_sensitive": False, "after_sensitive": {"password": True},
        },
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan and a ruleset, and the working directory there."""
    plan = {
        "format_version": "1.2", "terraform_version": "1.11.4",
        "resource_changes": [
            _change("main", engine="mysql", password="hunter2-canary", tags={"cost-center": "1"},
                    disks=[{"size": 10, "kind": "gp3"}]),
            _change("other", engine="postgres"),
        ],
    }  # fmt: skip
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(plan))
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _session(address: str | None = None, rule: str | None = None) -> Session:
    request = Request(
        plan="plan.json",
        env={},
        cwd=Path.cwd(),
        now=dt.datetime(2027, 1, 1, tzinfo=dt.timezone.utc),
        flags={"gate.rulesets": ["rules.toml"]},
    )
    return Session(gather(request, load_config(request)), address, rule)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["counts.create"], "2"),
        (["$params.engines"], '[\n  "postgres"\n]'),
        (["$context.workspace"], '"default"'),
        (["after.engine", "--address", "aws_db_instance.main"], '"mysql"'),
        (["after.password", "--address", "aws_db_instance.main"], "(sensitive)"),
        (["after.arn", "--address", "aws_db_instance.main"], "(known after apply)"),
        (["$engine", "--rule", "ACME-001", "--address", "aws_db_instance.other"], '"postgres"'),
        (["contains($params.engines, $engine)", "--rule", "ACME-001", "--address",
          "aws_db_instance.main"], "false"),
        (["$.address", "--address", "aws_db_instance.main"], '"aws_db_instance.main"'),
    ],
)  # fmt: skip
def test_one_expression(
    folder: Path, capsys: Capture, arguments: Sequence[str], shown: str
) -> None:
    """The plan comes first, as in explain; the names of rules are in scope."""
    assert main(["eval", "plan.json", *arguments, "-r", "rules.toml"]) == 0
    assert capsys.readouterr().out == f"{shown}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["afer.engine", "--address", "aws_db_instance.main"], 'did you mean "after"'),
        (["engine", "--address", "aws_db_instance.main"], "after.engine"),
        (["resources"], "changes, checks, complete, counts"),
        (["after.engine"], "changes[].after"),
        (["$params.engine"], "engines"),
        (["$engne", "--rule", "ACME-001", "--address", "aws_db_instance.main"], "$engine"),
        (
            ['after.engine == "mysql"', "--address", "aws_db_instance.main"],
            "after.engine == 'mysql'",
        ),
        (["$engine", "--rule", "ACME-001"], "aws_db_instance.main, aws_db_instance.other"),
        (["$engine", "--rule", "ACME-01"], "ACME-001"),
        (["after", "--address", "aws_db_instance.man"], "aws_db_instance.main"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    folder: Path, capsys: Capture, arguments: Sequence[str], words: str
) -> None:
    """A field, a variable, an address or a rule that does not exist."""
    assert main(["eval", "plan.json", *arguments, "-r", "rules.toml"]) == 2
    assert words in capsys.readouterr().err


def test_one_expression_a_line(folder: Path) -> None:
    """Where standard input is no terminal, each line is answered, and the errors name theirs."""
    lines = "counts.create\nfoo\n:address aws_db_instance.main\nafter.engine\n:why after.engine\n"
    done = subprocess.run(
        [sys.executable, "-m", "tfgate", "eval", "plan.json", "-r", "rules.toml"],
        input=lines, capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout.startswith('2\n  # number\n"mysql"\n  # string\n  after.engine\n')
    assert done.stderr.startswith("line 2: expression: column 1: foo is no field")


def _plain(screen: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", screen)


@pytest.mark.parametrize("toolkit", [True, False])
def test_at_a_terminal(folder: Path, toolkit: bool) -> None:
    """Expressions are answered with their types, and secrets stay hidden, with either library."""
    env = {}
    if not toolkit:
        (folder / "prompt_toolkit.py").write_text("raise ImportError", encoding="utf-8")
        env["PYTHONPATH"] = str(folder)
    screen = _plain(
        at_terminal(
            ["eval", "plan.json", "-r", "rules.toml", "--rule", "ACME-001", "--address",
             "aws_db_instance.main"],
            answers=["$engine", "after.disks", "after.password", "afer", ":why after.engine == 'x'",
                     ":quit"],
            cwd=folder, env=env,
        )
    )  # fmt: skip
    assert '"mysql"' in screen
    assert "# string" in screen
    assert "# list of 1 object" in screen
    assert "(sensitive)" in screen
    assert "hunter2" not in screen
    assert "afer is no field" in screen
    assert "= false" in screen
    assert ("pip install 'tfgate[prompt]'" in screen) is not toolkit


def test_tab_completes_a_field_of_the_plan(folder: Path) -> None:
    """With readline, a tab writes the rest of what there is but one of."""
    (folder / "prompt_toolkit.py").write_text("raise ImportError", encoding="utf-8")
    screen = at_terminal(
        ["eval", "plan.json", "-r", "rules.toml", "--address", "aws_db_instance.main"],
        answers=["after.eng\t", ":quit"],
        cwd=folder, env={"PYTHONPATH": str(folder)},
    )  # fmt: skip
    assert '"mysql"' in screen


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("after.en", ["engine"]),
        ("after.disks[0].", ["kind", "size"]),
        ("after.disks[?si", ["size"]),
        ("length(after.disks[?kind == 'gp3' && si", ["size"]),
        ("after.tags.", ['"cost-center"']),
        ("$en", ["$engine"]),
        ("$params.", ["engines"]),
        ("lengt", ["length("]),
        (":addr", [":address"]),
        (":address aws_db_instance.m", ["aws_db_instance.main"]),
        (":why after.eng", ["engine"]),
        (":rule AC", ["ACME-001"]),
        ("after.engine.", []),
    ],
)
def test_completion(folder: Path, line: str, texts: list[str]) -> None:
    """Fields come from the plan, in a filter those of the list's elements."""
    prompt = Prompt(_session("aws_db_instance.main", "ACME-001"))
    assert [offer.text for offer in prompt.complete(line)] == texts


def test_moves_and_refuses(folder: Path) -> None:
    """Commands move to another subject or rule; a step that fails leaves everything as it was."""
    prompt = Prompt(_session())
    assert list(prompt.answer(":address")) == ["aws_db_instance.main", "aws_db_instance.other"]
    list(prompt.answer(":address aws_db_instance.other"))
    assert next(iter(prompt.answer("after.engine"))) == '"postgres"'
    list(prompt.answer(":rule ACME-001"))
    assert prompt.text == "aws_db_instance.other (ACME-001)> "
    with pytest.raises(UsageError):
        list(prompt.answer(":address nowhere"))
    assert next(iter(prompt.answer("$engine"))) == '"postgres"'
    with pytest.raises(UsageError, match="no command"):
        list(prompt.answer(":nope"))
    with pytest.raises(ConfigError):
        list(prompt.answer("after.a =="))
    with pytest.raises(EOFError):
        list(prompt.answer(":quit"))


def test_results_are_bounded() -> None:
    """The prompt shows a screen of a long result, and says how much is left."""
    lines = list(bounded(list(range(1000))))
    assert len(lines) < 100
    assert "more lines" in lines[-1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2], "list of 2 numbers"),
        ([{"a": 1}], "list of 1 object"),
        ([1, "a"], "list of 2 values"),
        ([], "empty list"),
        ({"a": 1, "b": 2}, "object with 2 fields"),
        (None, "null"),
        (True, "boolean"),
        (UNKNOWN, "known after apply"),
        (SENSITIVE, "sensitive"),
    ],
)
def test_types(value: Any, words: str) -> None:
    """A result's type is said in words."""
    assert type_of(value) == words
