"""``tfgate rules log`` and ``rules review``: rules as their history and a reviewer see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitrepo import BOB, RULE, RULESET, Repo
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]

EXAMPLES = """
[[tests]]
name = "an owner"
change = { type = "aws_s3_bucket", actions = ["create"], after = { tags = { Owner = "x" } } }
expect = "pass"
[[tests]]
name = "no owner"
change = { type = "aws_s3_bucket", actions = ["create"], after = { tags = {} } }
expect = "fail"
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository, from whose top the commands are run."""
    monkeypatch.setenv("TFGATE_AUDIT_LOG", str(tmp_path / "audit.jsonl"))
    made = Repo(tmp_path / "repo")
    monkeypatch.chdir(made.path)
    return made


def run(capsys: Capture, *arguments: str) -> str:
    """Run a command that succeeds; give what it prints."""
    capsys.readouterr()
    assert main(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def entries(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    """Return the entries of a log."""
    out = run(capsys, "rules", "log", "-r", "policy", "--json", *arguments)
    return [json.loads(line) for line in out.splitlines()]


def test_the_history_of_a_ruleset(repo: Repo, capsys: Capture) -> None:
    """Each change says when, who, approved by whom, and what it changed in what rules do."""
    repo.rule("A-1", "after.tags.Team", "soft-mandatory")
    repo.commit("Owner became Team\n\nReviewed-by: Bob <bob@acme.example>")
    repo.rule("A-1", "after.tags.Team  ", "soft-mandatory")
    repo.commit("Blanks", BOB)
    repo.rule("A-2")
    (repo.path / "policy/rules/a-1.toml").unlink()
    repo.commit("One for another")
    last, blanks, changed, first = entries(capsys)
    assert [(diff["rule"], diff["kind"]) for diff in last["diffs"]] == [
        ("A-1", "removed"), ("A-2", "added")]  # fmt: skip
    assert (blanks["diffs"], blanks["authors"]) == ([], ["Bob <bob@acme.example>"])
    told = {change["what"]: (change["before"], change["after"])
            for change in changed["diffs"][0]["changes"]}  # fmt: skip
    assert told["enforcement"] == ("hard-mandatory", "soft-mandatory")
    assert told["require"] == ("after.tags.Owner", "after.tags.Team")
    assert changed["approvers"] == ["Bob <bob@acme.example>"]
    assert changed["subject"] == "Owner became Team"
    assert first["diffs"][0]["kind"] == "added"


def test_the_history_of_one_rule(repo: Repo, capsys: Capture) -> None:
    """What other rules went through is left out; a rule that is gone still has a history."""
    repo.rule("A-2")
    repo.commit("Another")
    repo.rule("A-1", "after.tags")
    repo.commit("Weaker")
    assert [entry["subject"] for entry in entries(capsys, "A-1")] == ["Weaker", "The first rules"]
    (repo.path / "policy/rules/a-2.toml").unlink()
    repo.commit("Away with it")
    assert [entry["subject"] for entry in entries(capsys, "A-2")] == ["Away with it", "Another"]
    text = run(capsys, "rules", "log", "A-1", "-r", "policy", "-n", "1")
    assert "require: after.tags.Owner → after.tags" in text
    assert "by Ann <ann@acme.example>; approved by nobody else" in text
    assert main(["rules", "log", "A-9", "-r", "policy"]) == 2


def test_params_and_versions_that_do_not_load(repo: Repo, capsys: Capture) -> None:
    """A parameter's default is part of what rules do; a broken version is named, not fatal."""
    param = '[params.names]\ntype = "list(string)"\ndefault = ["a"]\ndescription = "Names"\n'
    repo.write("policy/ruleset.toml", RULESET + param)
    repo.commit("A parameter")
    repo.write("policy/ruleset.toml", RULESET + param.replace('"a"', '"a", "b"'))
    repo.commit("One more name")
    repo.write("policy/rules/a-1.toml", "id = \n")
    repo.commit("Broken")
    repo.rule("A-1")
    repo.commit("Mended")
    found = {entry["subject"]: entry for entry in entries(capsys)}
    (change,) = found["One more name"]["diffs"][0]["changes"]
    assert (change["what"], "'b'" in change["after"]) == ("params.names", True)
    assert "not valid TOML" in found["Broken"]["problem"]


def test_a_file_with_several_rules(repo: Repo, capsys: Capture) -> None:
    """Rules in one file have their histories too."""
    header = RULESET.replace("acme", "single")
    rule = RULE.format(id="S-1", level="advisory", require="after")
    repo.write("single.toml", f"{header}\n[[rules]]\n{rule}")
    repo.commit("One file")
    repo.write("single.toml", f"{header}\n[[rules]]\n{rule.replace('require', 'deny')}")
    repo.commit("Turned around")
    out = run(capsys, "rules", "log", "S-1", "-r", "single.toml", "--json")
    assert [json.loads(line)["subject"] for line in out.splitlines()] == [
        "Turned around", "One file"]  # fmt: skip


def reviewed(capsys: Capture) -> dict[str, dict[str, Any]]:
    """Return what a review against ``base`` says, by rule."""
    out = run(capsys, "rules", "review", "--base", "base", "-r", "policy", "--json")
    return {rule["diff"]["rule"]: rule for rule in json.loads(out)["rules"]}


def test_review(repo: Repo, capsys: Capture) -> None:
    """Changed rules with owner, approver, and whether an example shows the change."""
    repo.rule("A-1", more=EXAMPLES)
    repo.commit("With examples\n\nReviewed-by: Bob <bob@acme.example>")
    repo.git("tag", "base")
    assert reviewed(capsys) == {}
    assert "do what they did" in run(capsys, "rules", "review", "--base", "base", "-r", "policy")
    repo.rule("A-1", "after.tags", more=EXAMPLES.replace("tags = {}", "x = 1"))
    repo.rule("A-2", more=EXAMPLES)
    repo.commit("Change\n\nReviewed-by: Bob <bob@acme.example>")
    repo.rule("A-3")
    found = reviewed(capsys)
    assert found["A-1"]["owners"] == ["sec@acme.example"]
    assert found["A-1"]["approvers"] == ["Bob <bob@acme.example>"]
    assert (found["A-1"]["covered"], found["A-1"]["open_points"]) == (False, [
        "no example shows the change"])  # fmt: skip
    assert (found["A-2"]["covered"], found["A-2"]["open_points"]) == (True, [])
    assert found["A-3"]["open_points"] == ["it is not committed", "no example shows the change"]
    shown = EXAMPLES.replace("tags = {}", 'tags = { Team = "x" }').replace('"fail"', '"pass"')
    repo.rule("A-1", "after.tags", more=shown)
    found = reviewed(capsys)
    assert (found["A-1"]["covered"], found["A-1"]["failing"]) == (True, [])


def test_review_of_levels_in_words(repo: Repo, capsys: Capture) -> None:
    """A change that examples cannot show needs none."""
    repo.git("tag", "base")
    repo.rule("A-1", level="advisory")
    repo.commit("Only a word from now on")
    text = run(capsys, "rules", "review", "--base", "base", "-r", "policy")
    assert "enforcement: hard-mandatory → advisory" in text
    assert "! nobody but its author has approved it" in text
    assert "examples show" not in text


def test_no_such_base(repo: Repo, capsys: Capture) -> None:
    """One sentence; an option that looks like a reference is none."""
    for base in ("nowhere", "--output=x"):
        assert main(["rules", "review", f"--base={base}", "-r", "policy"]) == 2
        assert f"no commit {base}" in capsys.readouterr().err
    assert not (repo.path / "x").exists()


def test_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Shipped rules have their history where tfgate is developed."""
    monkeypatch.chdir(tmp_path)
    assert main(["rules", "log", "-r", "tfgate:core"]) == 2
    assert "no history" in capsys.readouterr().err
