"""``tfgate waivers list``: exceptions with who answers for them, their age and their use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit_gate import LEGACY, OWNED, AuditGate
from tests.support.gitrepo import BOB, Repo
from tfgate.cli.main import main
from tfgate.gate.waiver_origin import waiver_origins
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

WAIVER = """
[[waivers]]
rule = "A-1"
address = "{address}"
reason = "until spring"
owner = "web@acme.example"
expires = {expires}
"""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditGate:
    """A gate with two waivers in its configuration."""
    monkeypatch.chdir(tmp_path)
    return AuditGate(tmp_path)


def listed(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    """Return what is listed."""
    capsys.readouterr()
    assert main(["waivers", "list", "--json", *arguments]) == 0, capsys.readouterr().err
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_without_a_trail_nothing_is_known_of_use(gate: AuditGate, capsys: Capture) -> None:
    """No trail is not the same as never used."""
    assert [one["used"] for one in listed(capsys)] == [None, None]


def test_use_by_the_trail(gate: AuditGate, capsys: Capture) -> None:
    """How often and when last; what ends first comes first; overrides are there too."""
    gate.check(OWNED, LEGACY)
    gate.check(LEGACY)
    gate.override()
    override, nothing, legacy = listed(capsys)
    assert (override["kind"], override["approvers"]) == ("override", ["dora@acme.example"])
    assert (nothing["used"], nothing["last_used"]) == (0, "")
    assert (legacy["used"], legacy["last_used"]) == (2, gate.records()[1]["time"])
    assert [one["address"] for one in listed(capsys, "--unused")] == ["aws_s3_bucket.nothing"]
    assert listed(capsys, "--since", "2999-01-01")[-1]["used"] == 0


def test_as_text(gate: AuditGate, capsys: Capture) -> None:
    """A person reads who, what for, how often, and where it stands."""
    gate.check(LEGACY)
    capsys.readouterr()
    assert main(["waivers", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "never used" in lines[0]
    assert "used 1x" in lines[3]
    assert lines[4] == "    waiver: moves to the new account in spring (WEB-17)"


def test_age_and_approvers_by_git(tmp_path: Path, capsys: Capture) -> None:
    """A waiver is as old as the change that made it what it is: longer, and it is another one."""
    repo = Repo(tmp_path / "repo")
    a, b = (WAIVER.format(address=name, expires="2099-01-31") for name in ("x.a", "x.b"))
    repo.write("tfgate.toml", a)
    first = repo.commit("One\n\nReviewed-by: Bob <bob@acme.example>")
    repo.write("tfgate.toml", a + b)
    second = repo.commit("Two", BOB)
    repo.write("tfgate.toml", a.replace("2099-01-31", "2099-12-31") + b)
    third = repo.commit("Prolonged\n\nApproved-by: Dora <dora@acme.example>")
    config = load_gate_config(repo.path, ENV)
    found = {key[1]: origin for key, origin in waiver_origins(config, repo.path, ENV, None).items()}
    assert (found["x.a"].commit, found["x.b"].commit) == (third, second)
    assert found["x.a"].approvers == ("Dora <dora@acme.example>",)
    assert found["x.b"].authors == ("Bob <bob@acme.example>",)
    assert first not in {origin.commit for origin in found.values()}


def test_a_report_names_who_approved_a_waiver(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the configuration is in git, its waivers have approvers."""
    monkeypatch.chdir(tmp_path)
    gate = AuditGate(tmp_path)
    top = Repo.__new__(Repo)
    top.path, top.clock = tmp_path, gate.repo.clock
    top.git("init", "-q", "-b", "main")
    top.git("add", "tfgate.toml")
    text = "Configuration\n\nReviewed-by: Bob <bob@acme.example>"
    top.git("commit", "-q", "-F", "-", text=text)
    gate.check(LEGACY)
    capsys.readouterr()
    assert main(["audit", "report", "--format", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    (row,) = made["exceptions"]
    assert row["approvers"] == ["Bob <bob@acme.example>"]
    assert made["unused"][0]["approvers"] == ["Bob <bob@acme.example>"]
