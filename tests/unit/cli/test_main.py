"""The command line: exit codes, and what a person reads when something is wrong."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.click_tree import nodes
from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate._version import __version__
from tfgate.cli.main import cli, main

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

GOOD = change("aws_s3_bucket.good", after={"tags": {"Owner": "me"}})
BAD = change("aws_s3_bucket.bad", after={"tags": {}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with two plans and a ruleset."""
    (tmp_path / "good.json").write_bytes(plan_bytes(GOOD))
    (tmp_path / "bad.json").write_bytes(plan_bytes(BAD))
    (tmp_path / "rules.toml").write_text(HEADER + rule(require="after.tags.Owner"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(plan: str, *more: str) -> int:
    """Run ``tfgate check`` with the test's ruleset and trail."""
    return main(["check", plan, "-r", "rules.toml", "--audit-log", "audit.jsonl", *more])


def records(folder: Path) -> list[dict[str, object]]:
    """Return the records of the test's trail."""
    text = (folder / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_allowed(folder: Path, capsys: Capture) -> None:
    """A plan without violations is allowed with 0, and the decision is on record."""
    assert check("good.json") == 0
    assert capsys.readouterr().out.startswith("ALLOWED")
    assert [record["decision"] for record in records(folder)] == ["allow"]


def test_denied(folder: Path, capsys: Capture) -> None:
    """A violation denies with 1, names rule and address, and is on record."""
    assert check("bad.json") == 1
    out = capsys.readouterr().out
    assert out.startswith("DENIED")
    assert "T-1" in out
    assert "aws_s3_bucket.bad" in out
    assert [record["decision"] for record in records(folder)] == ["deny"]


def test_json_report_names_rule_and_address(folder: Path, capsys: Capture) -> None:
    """The JSON report carries every outcome with its rule and address, passes included."""
    (folder / "both.json").write_bytes(plan_bytes(GOOD, BAD))
    check("both.json", "--report", "json")
    outcomes = json.loads(capsys.readouterr().out)["outcomes"]
    assert {(o["rule"], o["address"], o["outcome"]) for o in outcomes} == {
        ("T-1", "aws_s3_bucket.good", "pass"),
        ("T-1", "aws_s3_bucket.bad", "fail"),
    }


def test_several_reports(folder: Path, capsys: Capture) -> None:
    """Reports go to the places named, several at once."""
    check("bad.json", "--report", "json=out.json", "--report", "text")
    assert json.loads((folder / "out.json").read_text())["decision"] == "deny"
    assert capsys.readouterr().out.startswith("DENIED")


def test_nothing_evaluated(folder: Path, capsys: Capture) -> None:
    """No rule evaluated is "could not decide", unless asked for."""
    (folder / "empty.json").write_bytes(plan_bytes())
    assert check("empty.json") == 3
    assert "--allow-empty" in capsys.readouterr().out
    assert check("empty.json", "--allow-empty") == 0


def test_record_that_cannot_be_written_is_no_allow(folder: Path, capsys: Capture) -> None:
    """Where the record cannot be written, the answer is 3, and no verdict is printed."""
    (folder / "file").write_text("")
    code = main(["check", "good.json", "-r", "rules.toml", "--audit-log", "file/audit.jsonl"])
    captured = capsys.readouterr()
    assert code == 3
    assert "ALLOWED" not in captured.out
    assert captured.err.startswith("tfgate: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize(("level", "code"), [("", 0), ("soft-mandatory", 1)])
def test_an_incomplete_plan_is_judged(folder: Path, capsys: Capture, level: str, code: int) -> None:
    """CORE-PLAN-001 says that something is left out; whether that denies is up to the owner."""
    config = '[gate]\nrulesets = ["rules.toml", "tfgate:core"]\n'
    config += f'[levels]\n"CORE-PLAN-001" = "{level}"\n' if level else ""
    (folder / "tfgate.toml").write_text(config)
    plan = {**json.loads(plan_bytes(GOOD)), "complete": False}
    (folder / "part.json").write_text(json.dumps(plan))
    assert main(["check", "part.json", "--audit-log", "audit.jsonl"]) == code
    assert "CORE-PLAN-001" in capsys.readouterr().out


def test_full_disk_is_no_allow(folder: Path) -> None:
    """A full disk under the audit log is 3."""
    assert main(["check", "good.json", "-r", "rules.toml", "--audit-log", "/dev/full"]) == 3


def test_unreadable_plan_is_on_record(folder: Path) -> None:
    """A plan that cannot be read is 3, and the record says that nothing could be decided."""
    (folder / "broken.json").write_text('{"format_version": "1.2", ')
    assert check("broken.json") == 3
    assert [record["event"] for record in records(folder)] == ["undecided"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "No such command 'chek'"),
        (["check"], "Missing argument 'PLAN'"),
        (["check", "none.json", "-r", "rules.toml"], "There is no plan none.json"),
        (["explain", ".", "-r", "rules.toml", "--rule", "T-1"], ". is a directory, not a plan"),
        (["check", "good.json", "-r", "tfgate:aw"], "tfgate:aw"),
        (["check", "good.json", "-r", "rules.toml", "--report", "txt"], "Did you mean text?"),
        (["check", "good.json", "-r", "rules.toml", "--root", "nowhere"], "nowhere"),
        (["check", "good.json", "-r", "rules.toml", "--context", "x"], "NAME=VALUE"),
        (["check", "good.json", "--config", "none.toml"], "none.toml"),
        (["explain", "good.json", "-r", "rules.toml", "--rule", "T-2"], "Did you mean T-1?"),
        (["rules", "show", "T-2", "-r", "rules.toml"], "Did you mean T-1?"),
        (["eval", "good.json", "a["], "column"),
        (["schema", "nothing"], "There is no schema nothing"),
    ],
)
def test_usage_errors(arguments: list[str], said: str, folder: Path, capsys: Capture) -> None:
    """Wrong usage is 2, with a sentence that names what is wrong."""
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_all_mistakes_of_a_ruleset_in_one_run(folder: Path, capsys: Capture) -> None:
    """Four mistakes in a ruleset give four lines, and exit code 2."""
    text = HEADER + rule(deny="after.tags[", more='severty = "x"\nlevel = 3')
    (folder / "rules.toml").write_text(text.replace('"hard-mandatory"', '"hard"'))
    assert check("good.json") == 2
    err = capsys.readouterr().err
    for part in ("severty", "severity", "level", "hard-mandatory", "column", "^"):
        assert part in err


@pytest.mark.parametrize("deny", ["!after.encrypted", "length(`5`) > `1`"])
def test_expressions_that_cannot_work_are_refused(deny: str, folder: Path, capsys: Capture) -> None:
    """``!a.b`` is ``(!a).b`` to JMESPath and never fires: such a rule does not load."""
    (folder / "rules.toml").write_text(HEADER + rule(deny=deny))
    assert check("good.json") == 2
    assert "deny: column" in capsys.readouterr().err


def test_unexpected_error_shows_no_traceback(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of tfgate is one sentence and 3; --debug shows frames, never the message."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("-".join(["the", "message"]))

    monkeypatch.setattr("tfgate.gate.check.gather", broken)
    assert check("good.json") == 3
    assert "Traceback" not in capsys.readouterr().err
    assert check("good.json", "--debug") == 3
    err = capsys.readouterr().err
    assert "test_main.py" in err
    assert "the-message" not in err


def test_hostile_names_in_errors_are_shown_escaped(folder: Path, capsys: Capture) -> None:
    """A control character in an argument reaches no terminal."""
    main(["check", "x\x1b[31m.json", "-r", "rules.toml"])
    assert "\x1b" not in capsys.readouterr().err


def test_version(capsys: Capture) -> None:
    """``--version`` prints the version."""
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted(path for path, _ in nodes(cli) if path))
def test_help_has_an_example(command: str, capsys: Capture) -> None:
    """Every command's help ends with an example of its use."""
    assert main([*command.split(), "--help"]) == 0
    assert "Example" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: Capture) -> None:
    """Each shell gets a completion script."""
    assert main(["completion", shell]) == 0
    assert "_TFGATE_COMPLETE" in capsys.readouterr().out


def test_audit_verify(folder: Path, capsys: Capture) -> None:
    """A trail holds; one with an edited byte does not, and the record is named."""
    check("good.json")
    check("bad.json")
    capsys.readouterr()
    assert main(["audit", "verify", "audit.jsonl"]) == 0
    assert "The trail holds: 2 record(s)" in capsys.readouterr().out
    trail = folder / "audit.jsonl"
    trail.write_bytes(trail.read_bytes().replace(b'"decision":"deny"', b'"decision":"allo"'))
    assert main(["audit", "verify", "audit.jsonl"]) == 3
    assert "ecord 1" in capsys.readouterr().out


def test_eval_shows_unknown(folder: Path, capsys: Capture) -> None:
    """``eval`` shows what is not known yet as Terraform does, apart from any string."""
    later = change("aws_s3_bucket.later", after={}, after_unknown={"arn": True})
    (folder / "later.json").write_bytes(plan_bytes(later))
    arguments = ["eval", "later.json", "after.arn", "--address", "aws_s3_bucket.later"]
    assert main([*arguments, "-r", "rules.toml"]) == 0
    assert capsys.readouterr().out == "(known after apply)\n"


def test_explain_says_why_a_rule_does_not_look(folder: Path, capsys: Capture) -> None:
    """``explain`` on an address the rule does not select names the part that does not fit."""
    gone = change("aws_s3_bucket.gone", ["delete"], before={})
    (folder / "gone.json").write_bytes(plan_bytes(gone))
    arguments = ["explain", "gone.json", "--rule", "T-1", "--address", "aws_s3_bucket.gone"]
    assert main([*arguments, "-r", "rules.toml"]) == 0
    assert "its action is delete" in capsys.readouterr().out


def test_explain_shows_each_part(folder: Path, capsys: Capture) -> None:
    """``explain`` shows each sub-expression with its value."""
    assert main(["explain", "good.json", "--rule", "T-1", "-r", "rules.toml"]) == 0
    out = capsys.readouterr().out
    assert "T-1 on aws_s3_bucket.good: pass" in out
    assert '= "me"' in out


def test_config_names_origins(folder: Path, capsys: Capture) -> None:
    """``config`` shows each setting with where it comes from."""
    (folder / "tfgate.toml").write_text('[gate]\nrulesets = ["./rules.toml"]\n')
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    assert 'gate.rulesets = ["./rules.toml"]' in out
    assert "tfgate.toml:2" in out
    assert "# default" in out


def test_rules_list_and_show(folder: Path, capsys: Capture) -> None:
    """``rules list`` and ``rules show`` print what is in force."""
    assert main(["rules", "list", "-r", "rules.toml"]) == 0
    assert capsys.readouterr().out == "T-1  hard-mandatory  high  Rule T-1\n"
    assert main(["rules", "show", "T-1", "-r", "rules.toml"]) == 0
    assert "after.tags.Owner" in capsys.readouterr().out
