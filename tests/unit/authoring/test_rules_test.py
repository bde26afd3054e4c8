"""``tfgate rules test`` and ``mutate``: what an author is told, and the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.support.fuzzing.limits import bounded_time
from tests.support.rule_folder import EXAMPLES, PLAN_TESTS, RULE, write_policy
from tfgate.authoring import mutate as rule_mutants
from tfgate.authoring import test_command as watching
from tfgate.authoring.test_command import watch_files
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _example(name: str, kind: str, expect: str) -> str:
    return (
        f'\n[[tests]]\nname = "{name}"\nchange = {{ after = {{ instance_type = "{kind}" }} }}\n'
        f'expect = "{expect}"\n'
    )


def test_all_holds(tmp_path: Path, capsys: Capture) -> None:
    """Exit code 0, and one line that sums up."""
    write_policy(tmp_path)
    assert main(["rules", "test", "./policy", "--min-coverage", "100"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "acme 1.0.0 (./policy): 1 rule, 4 examples, 1 plan test, all hold; 100.0 % shown\n"
    )


def test_an_example_that_contradicts_its_rule(tmp_path: Path, capsys: Capture) -> None:
    """What was expected, what came out, what the rule says, and how to see why."""
    write_policy(tmp_path, RULE + EXAMPLES + _example("large is fine", "m5.24xlarge", "pass"))
    assert main(["rules", "test", "./policy"]) == 1
    out = capsys.readouterr().out
    assert "FAILED  ACME-EC2-001: large is fine\n    in policy/rules/types.toml:1\n" in out
    assert "expected pass, got fail" in out
    assert "it says: aws_instance.example uses m5.24xlarge" in out
    assert "see why: tfgate rules test ./policy --only ACME-EC2-001 --explain" in out


def test_explaining_a_failing_example(tmp_path: Path, capsys: Capture) -> None:
    """The hint leads to each sub-expression and its value."""
    write_policy(tmp_path, RULE + EXAMPLES + _example("large is fine", "m5.24xlarge", "pass"))
    assert main(["rules", "test", "./policy", "--only", "ACME-EC2-*", "--explain"]) == 1
    out = capsys.readouterr().out
    assert "after.instance_type" in out
    assert '= "m5.24xlarge"' in out


def test_a_message_that_is_another(tmp_path: Path, capsys: Capture) -> None:
    """Both messages are shown."""
    rule = RULE.replace("uses", "has the type")
    write_policy(tmp_path, rule + EXAMPLES)
    assert main(["rules", "test", "./policy"]) == 1
    out = capsys.readouterr().out
    assert "expected the message: aws_instance.example uses m5.24xlarge" in out
    assert "got the message:      aws_instance.example has the type m5.24xlarge" in out


def test_a_rule_that_never_fires(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt attribute is null and passes: no example can be made to fail, and that is said.

    Where its name is all that the rule reads, it does not load unless it is allowed.
    """
    rule = RULE.replace("require", "deny").replace("after.instance_type)", "after.instnce_typ)")
    rule = rule.replace("contains($params.allowed, after.instnce_typ)", "after.instnce_typ == 'x'")
    write_policy(tmp_path, rule + _example("passes", "x", "pass"), None)
    assert main(["rules", "test", "./policy"]) == 2
    assert "instnce_typ" in capsys.readouterr().err
    monkeypatch.setenv("TFGATE_ALLOW", "ACME-EC2-*")
    assert main(["rules", "test", "./policy"]) == 1
    assert "FAILED  ACME-EC2-001: no example that fails" in capsys.readouterr().out


def test_what_is_not_shown(tmp_path: Path, capsys: Capture) -> None:
    """A branch that was never true is named; it fails the run where a share is asked for."""
    rule = RULE.replace("after.instance_type)", "after.instance_type) || after.tenancy == 'host'")
    write_policy(tmp_path, rule + EXAMPLES, None)
    assert main(["rules", "test", "./policy"]) == 0
    gap = "require: after.tenancy == 'host' (of ||) was never true"
    assert f"not shown  ACME-EC2-001: {gap}" in capsys.readouterr().out
    assert main(["rules", "test", "./policy", "--min-coverage", "100"]) == 1
    assert "is shown, less than 100 %" in capsys.readouterr().out


def test_a_plan_test_that_does_not_hold(tmp_path: Path, capsys: Capture) -> None:
    """Rule, address, outcomes and file."""
    write_policy(tmp_path, tests=PLAN_TESTS.replace('outcome = "fail"', 'outcome = "pass"'))
    assert main(["rules", "test", "./policy"]) == 1
    out = capsys.readouterr().out
    assert "in ./policy/tests/web.toml:1" in out
    assert "ACME-EC2-001 on aws_instance.b: expected pass, got fail" in out


def test_a_ruleset_with_a_mistake(tmp_path: Path, capsys: Capture) -> None:
    """Wrong rulesets are 2, each mistake with its place."""
    write_policy(tmp_path, RULE.replace("contains(", "containz(") + EXAMPLES)
    assert main(["rules", "test", "./policy"]) == 2
    assert "policy/rules/types.toml:6: require" in capsys.readouterr().err


def test_a_plan_test_with_a_mistake(tmp_path: Path, capsys: Capture) -> None:
    """So are wrong plan tests, with the nearest known name."""
    write_policy(tmp_path, tests=PLAN_TESTS.replace("ACME-EC2-001", "ACME-EC2-002", 1))
    assert main(["rules", "test", "./policy"]) == 2
    assert 'did you mean "ACME-EC2-001"?' in capsys.readouterr().err


def test_no_rule_fits(tmp_path: Path, capsys: Capture) -> None:
    """Nothing tested is no success."""
    write_policy(tmp_path)
    assert main(["rules", "test", "./policy", "--only", "NOPE-*"]) == 2
    assert "No rule fits NOPE-*" in capsys.readouterr().err


def test_the_ruleset_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a source, the ruleset of the working directory is tested."""
    monkeypatch.chdir(write_policy(tmp_path))
    assert main(["rules", "test"]) == 0


def test_junit(tmp_path: Path) -> None:
    """Each example is a case; failures and gaps are there, and the numbers add up."""
    bad = RULE + EXAMPLES + _example("large is <fine>", "m5.24xlarge", "pass")
    write_policy(tmp_path, bad.replace("&lt;", "<"))
    assert main(["rules", "test", "./policy", "--junit", "out.xml"]) == 1
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("6", "1")
    (failure,) = root.iter("failure")
    assert failure.get("message", "").startswith("expected pass, got fail")


def test_watching(tmp_path: Path, capsys: Capture) -> None:
    """It runs at once and after each change, a mistake in between included, until Ctrl-C."""
    policy = write_policy(tmp_path)
    runs: list[int] = []
    pauses = iter(["nothing", "change", "stop"])

    def sleep(_: float) -> None:
        step = next(pauses)
        if step == "change":
            (policy / "rules/types.toml").write_text("broken")
        elif step == "stop":
            raise KeyboardInterrupt

    def run() -> int:
        runs.append(main(["rules", "test", "./policy"]))
        return 0

    watch_files(run, lambda: [policy], sleep=sleep)
    assert runs == [0, 2]
    assert watching.SECONDS < 1


def test_mutants_that_survive(tmp_path: Path, capsys: Capture) -> None:
    """Without the example of another type, dropping the match goes unnoticed."""
    write_policy(tmp_path, RULE + EXAMPLES[: EXAMPLES.rindex("\n[[tests]]")])
    assert main(["rules", "mutate", "./policy", "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert "SURVIVED  match: drop types" in out
    assert "1 survive" in out


def test_mutants_that_are_all_noticed(tmp_path: Path, capsys: Capture) -> None:
    """Exit code 0."""
    write_policy(tmp_path)
    assert main(["rules", "mutate", "./policy"]) == 0
    assert "none survives" in capsys.readouterr().out


def test_a_survivor_with_its_reason(tmp_path: Path, capsys: Capture) -> None:
    """What --toml prints, with a reason, goes into the rule's file; a stale one is named."""
    examples = EXAMPLES[: EXAMPLES.rindex("\n[[tests]]")]
    write_policy(tmp_path, RULE + examples)
    main(["rules", "mutate", "./policy", "--toml"])
    note = capsys.readouterr().out.replace('reason = ""', 'reason = "only instances are here"')
    write_policy(tmp_path, RULE + examples + "\n" + note)
    assert main(["rules", "mutate", "./policy"]) == 0
    assert "1 survive with a reason, no other survives" in capsys.readouterr().out
    write_policy(tmp_path, RULE + EXAMPLES + "\n" + note)
    assert main(["rules", "mutate", "./policy"]) == 1
    assert "STALE" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--toml"]])
def test_more_mutants_than_anybody_waits_for(
    flags: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain of 450 parts has 2,250 of 15,000 characters: some are tried, and that is said."""
    monkeypatch.setattr(rule_mutants, "ROOM", 200_000)
    monkeypatch.setattr("tfgate.authoring.mutate.ROOM", 200_000)
    chain = " || ".join(f"after.instance_type == 'm{number}.large'" for number in range(450))
    lines = [
        f"require = \"{chain} || after.instance_type == 't3.micro'\""
        if line.startswith("require")
        else line
        for line in RULE.splitlines()
    ]
    examples = _example("small", "t3.micro", "pass") + _example("large", "m5.24xlarge", "fail")
    untried = "survives = \"require: drop after.instance_type == 'm17.large'\"\nreason = 'why'"
    write_policy(tmp_path, "\n".join(lines) + examples + f"\n[[mutants]]\n{untried}\n")
    with bounded_time(10):  # without a bound it is a minute and more
        assert main(["rules", "mutate", "./policy", "--jobs", "1", *flags]) == 1
    out = capsys.readouterr().out
    assert "changes were not tried, since all of them would be more than 200,000 char" in out
    assert ("2245 not tried" in out) == (not flags)
    assert "STALE" not in out


def test_mutating_what_does_not_hold(tmp_path: Path, capsys: Capture) -> None:
    """A rule whose own examples do not hold is not tried, and that is said."""
    write_policy(tmp_path, RULE + EXAMPLES + _example("large is fine", "m5.24xlarge", "pass"))
    assert main(["rules", "mutate", "./policy"]) == 1
    assert "CONTRADICTED" in capsys.readouterr().out


def test_docs(tmp_path: Path, capsys: Capture) -> None:
    """Pages are written, current, found stale, and those of removed rules are taken away."""
    write_policy(tmp_path)
    assert main(["rules", "docs", "./policy", "--out", "docs"]) == 0
    page = (tmp_path / "docs/acme/types.md").read_text()
    assert "aws_instance.example uses m5.24xlarge" in page
    assert '[[waivers]]\nrule = "ACME-EC2-001"' in page
    assert "[ACME-EC2-001](acme/types.md)" in (tmp_path / "docs/controls.md").read_text()
    assert main(["rules", "docs", "./policy", "--out", "docs", "--check"]) == 0
    (tmp_path / "docs/mine.md").write_text("mine")
    write_policy(tmp_path, RULE.replace("Pick an", "Choose an") + EXAMPLES)
    assert main(["rules", "docs", "./policy", "--out", "docs", "--check"]) == 1
    assert "docs/acme/types.md is out of date" in capsys.readouterr().out
    (tmp_path / "policy/rules/types.toml").rename(tmp_path / "policy/rules/kinds.toml")
    assert main(["rules", "docs", "./policy", "--out", "docs"]) == 0
    assert not (tmp_path / "docs/acme/types.md").exists()
    assert (tmp_path / "docs/mine.md").exists()
