"""``tfgate impact``: what a change of rules would have done to plans that were judged before."""

from __future__ import annotations

import gzip
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from tests.support.gitrepo import Repo
from tests.support.plans import change, plan_bytes
from tfgate.audit.decision import find_plan, keep_plan, prune
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]

OWNED = change("aws_s3_bucket.owned", after={"tags": {"Owner": "x"}})
TEAM = change("aws_s3_bucket.team", after={"tags": {"Team": "y"}})


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A checkout with rules that want an owner at ``base``, and a team now."""
    made = Repo(tmp_path / "repo")
    made.git("tag", "base")
    made.rule("A-1", "after.tags.Team")
    made.commit("Teams instead of owners")
    for name, entry in (("prod/owned.json", OWNED), ("prod/team.json", TEAM)):
        file = tmp_path / "plans" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(plan_bytes(entry))
    monkeypatch.chdir(made.path)
    monkeypatch.setenv("TFGATE_AUDIT_LOG", str(tmp_path / "audit" / "audit.jsonl"))
    return made


def run(capsys: Capture, *arguments: str) -> str:
    """Run ``tfgate impact`` on the test's rules; give what it prints."""
    capsys.readouterr()
    assert main(["impact", "--base", "base", "-r", "policy", *arguments]) == 0, capsys.readouterr()
    return capsys.readouterr().out


def as_json(capsys: Capture, *arguments: str) -> dict[str, Any]:
    """The same as JSON."""
    found: dict[str, Any] = json.loads(run(capsys, "--format", "json", *arguments))
    return found


def test_newly_denied_and_newly_allowed(repo: Repo, capsys: Capture) -> None:
    """Each plan under both, by rule, workspace and address."""
    found = as_json(capsys, "--plans", "../plans")
    assert found["newly_denied"] == ["prod/owned.json"]
    assert found["newly_allowed"] == ["prod/team.json"]
    assert found["workspaces"] == {"prod": {"plans": 2, "newly_denied": 1, "newly_allowed": 1}}
    (rule,) = found["rules"]
    assert (rule["rule"], rule["newly_blocking"], rule["no_longer_blocking"]) == ("A-1", 1, 1)
    (denied, _) = found["changed"]
    (finding,) = denied["changes"]
    assert (finding["address"], finding["before"], finding["after"]) == (
        "aws_s3_bucket.owned", "pass", "fail")  # fmt: skip


def test_text_and_markdown(repo: Repo, capsys: Capture, tmp_path: Path) -> None:
    """A person sees sums first, then examples; Markdown lets no name break out."""
    hostile = change("aws_s3_bucket.x", after={"tags": {"Owner": "x"}})
    hostile["address"] = 'aws_s3_bucket.x["<b>@octocat|"]'
    (tmp_path / "plans" / "a|b").mkdir()
    (tmp_path / "plans" / "a|b" / "x.json").write_bytes(plan_bytes(hostile))
    text = run(capsys, "--plans", "../plans")
    assert text.startswith("3 plans, 2 newly denied, 1 newly allowed (against base, ")
    assert "A-1 aws_s3_bucket.owned: pass → fail (denies)" in text
    markdown = run(capsys, "--plans", "../plans", "--format", "markdown")
    assert r"`a\|b`" in markdown
    assert "<b>" not in MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    out = tmp_path / "impact.md"
    run(capsys, "--plans", "../plans", "--format", "markdown", "--output", str(out))
    assert out.read_text() == markdown


def test_nothing_changed(repo: Repo, capsys: Capture) -> None:
    """The same rules come to the same."""
    repo.git("tag", "-f", "base")
    assert as_json(capsys, "--plans", "../plans")["changed"] == []


def test_processes_come_to_the_same(repo: Repo, capsys: Capture, tmp_path: Path) -> None:
    """Results are in the order of the plans, whoever judged them."""
    for number in range(40):
        entry = OWNED if number % 3 else TEAM
        (tmp_path / "plans" / "prod" / f"{number:02}.json").write_bytes(plan_bytes(entry))
    one = as_json(capsys, "--plans", "../plans", "-j", "1")
    assert as_json(capsys, "--plans", "../plans", "-j", "2") == one
    assert len(one["changed"]) == 42


def test_levels_of_the_configuration(repo: Repo, capsys: Capture) -> None:
    """The configuration at the base counts there, and the one here counts here."""
    repo.write("tfgate.toml", '[gate]\nrulesets = ["policy"]\n[levels]\n"A-*" = "hard-mandatory"\n')
    repo.write("policy/ruleset.toml", (repo.path / "policy/ruleset.toml").read_text()
               + 'overridable = ["A-1"]\n')  # fmt: skip
    repo.commit("A configuration")
    repo.git("tag", "-f", "base")
    repo.write("tfgate.toml", '[gate]\nrulesets = ["policy"]\n[levels]\n"A-*" = "advisory"\n')
    capsys.readouterr()
    assert main(["impact", "--base", "base", "--plans", "../plans", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["newly_allowed"] == ["prod/owned.json"]
    (change,) = found["changed"][0]["changes"]
    assert (change["before"], change["after"]) == ("fail", "fail")
    assert (change["blocked"], change["blocks"]) == (True, False)


def test_from_the_archive(repo: Repo, capsys: Capture, tmp_path: Path) -> None:
    """With an archive the gate keeps each plan; its records say which and for which workspace."""
    (tmp_path / "gate.toml").write_text('[gate]\nrulesets = ["repo/policy"]\n'
                                        "[audit]\narchive = true\n")  # fmt: skip
    gate = ["--config", "../gate.toml"]
    secret = change("aws_s3_bucket.s", after={"tags": {"Team": "hush"}}, after_sensitive=True)
    (tmp_path / "secret.json").write_bytes(plan_bytes(secret))
    for plan, workspace in (("plans/prod/owned.json", "live"), ("secret.json", "dark")):
        main(["check", f"../{plan}", "-w", workspace, *gate])
    log = (tmp_path / "audit" / "audit.jsonl").read_text()
    digests = [json.loads(line)["archive_sha256"] for line in log.splitlines()]
    kept = [find_plan(tmp_path / "audit" / "archive", digest) for digest in digests]
    assert all(file is not None and b"hush" not in file.read_bytes() for file in kept)
    capsys.readouterr()
    command = ["impact", "--base", "base", "--plans", "archive", "--format", "json", *gate]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["workspaces"]) == {"live", "dark"}
    changes = {plan["workspace"]: plan["changes"] for plan in found["changed"]}
    assert changes["live"][0]["after"] == "fail"
    # What is hidden may or may not have a team, or an owner: neither rule can tell.
    assert "dark" not in changes
    assert main([*command, "--since", "2999-01-01"]) == 2


def test_plans_that_cannot_be_judged(repo: Repo, capsys: Capture, tmp_path: Path) -> None:
    """One broken file is named, and the others are judged."""
    (tmp_path / "plans" / "prod" / "bad.json").write_text("{}")
    whole = gzip.compress(plan_bytes(OWNED))
    (tmp_path / "plans" / "prod" / "cut.json.gz").write_bytes(whole[:30])
    (tmp_path / "plans" / "prod" / "good.json.gz").write_bytes(whole)
    found = as_json(capsys, "--plans", "../plans")
    assert found["problems"] == 2
    told = {plan["plan"]: plan.get("problem") for plan in found["changed"]}
    assert "cannot be read" in told["prod/cut.json.gz"]
    assert told["prod/good.json.gz"] is None
    text = run(capsys, "--plans", "../plans")
    assert "Not evaluated:" in text


def test_no_plans(repo: Repo, capsys: Capture) -> None:
    """One sentence says what is missing."""
    for plans in ("../nowhere", "archive", "policy/rules"):
        assert main(["impact", "--base", "base", "--plans", plans, "-r", "policy"]) == 2
        assert "plan" in capsys.readouterr().err


def test_review_with_impact(repo: Repo, capsys: Capture) -> None:
    """A review shows the impact below the changes."""
    command = ["rules", "review", "--base", "base", "-r", "policy", "--plans", "../plans"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "require: after.tags.Owner → after.tags.Team" in out
    assert "2 plans, 1 newly denied, 1 newly allowed" in out


def test_retention(tmp_path: Path) -> None:
    """What was last judged too long ago goes, at most once a day; content is checked on reading."""
    old, new = keep_plan(tmp_path, b"old"), keep_plan(tmp_path, b"new")
    file = find_plan(tmp_path, old)
    assert file is not None
    now = time.time()
    os.utime(file, (now - 10 * 86_400, now - 10 * 86_400))
    assert prune(tmp_path, 30, now) == 0
    assert prune(tmp_path, 5, now + 10) == 0
    assert prune(tmp_path, 5, now + 90_000) == 1
    assert (find_plan(tmp_path, old), find_plan(tmp_path, new) is not None) == (None, True)


def test_both_sets_of_rules_read_the_data_that_is_given(
    repo: Repo, capsys: Capture, tmp_path: Path
) -> None:
    """A file of --data stands in for what the configuration would name, before and after."""
    manifest = repo.path / "policy" / "ruleset.toml"
    manifest.write_text(manifest.read_text() + '\n[data.owners]\ndescription = "Who may own"\n')
    repo.rule("A-1", "contains($data.owners.all, after.tags.Owner || '')")
    repo.commit("Owners by a list")
    repo.git("tag", "-f", "base")
    repo.rule("A-1", "contains($data.owners.all, after.tags.Team || '')")
    file = tmp_path / "owners.json"
    file.write_text('{"all": ["x", "y"]}')
    found = as_json(capsys, "--plans", "../plans", "--data", f"owners={file}")
    assert found["newly_denied"] == ["prod/owned.json"]
    assert found["newly_allowed"] == ["prod/team.json"]
    file.write_text('{"all": []}')
    assert as_json(capsys, "--plans", "../plans", "--data", f"owners={file}")["changed"] == []
