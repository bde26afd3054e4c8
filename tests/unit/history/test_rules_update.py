"""``tfgate rules update``: the lock moves when told to, and what changed is shown rule by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.git_policy import RULE, Policy
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    """Return a repository that the configuration of the working directory names."""
    made = Policy(tmp_path / "policy")
    made.tag("v1")
    gate = tmp_path / "gate"
    gate.mkdir()
    (gate / "tfgate.toml").write_text(f'[gate]\nrulesets = ["{made.source("v1")}"]\n')
    monkeypatch.chdir(gate)
    monkeypatch.setenv("TFGATE_CACHE", str(tmp_path / "cache"))
    return made


def _lock(tmp_path: Path) -> str:
    return (tmp_path / "gate/tfgate.lock").read_text()


def test_a_new_version(policy: Policy, tmp_path: Path, capsys: Capture) -> None:
    """Changed expression, level and match are shown; blanks are no change; the lock moves."""
    first = policy.git("rev-parse", "HEAD")
    assert main(["rules", "update"]) == 0
    assert f"locked to {first[:12]} (1.0.0)" in capsys.readouterr().out
    weaker = RULE.replace("soft-mandatory", "advisory").replace("t3.micro", "m5.large")
    policy.write("sets/net/rules/types.toml", weaker)
    policy.write("sets/net/rules/more.toml", RULE.replace("ACME-1", "ACME-2"))
    second = policy.commit("second")
    policy.tag("v1")
    assert main(["rules", "update"]) == 0
    out = capsys.readouterr().out
    assert f"{first[:12]} → {second[:12]} (1.0.0)" in out
    assert "~ ACME-1\n" in out
    assert "enforcement: soft-mandatory → advisory" in out
    assert "- after.instance_type == 't3.micro'" in out
    assert "+ after.instance_type == 'm5.large'" in out
    assert "+ ACME-2 added" in out
    assert second in _lock(tmp_path)


def test_only_written_otherwise(policy: Policy, capsys: Capture) -> None:
    """An expression on two lines is the same expression."""
    main(["rules", "update"])
    spread = RULE.replace('"after.instance_type ==', "'''after.instance_type\n  ==")
    policy.write("sets/net/rules/types.toml", spread.replace("'t3.micro'\"", "'t3.micro' '''"))
    policy.commit("spread")
    policy.tag("v1")
    capsys.readouterr()
    assert main(["rules", "update"]) == 0
    assert "no rule changed" in capsys.readouterr().out


def test_a_dry_run(policy: Policy, tmp_path: Path, capsys: Capture) -> None:
    """Looking moves nothing."""
    main(["rules", "update"])
    before = _lock(tmp_path)
    policy.commit("second")
    policy.tag("v1")
    assert main(["rules", "update", "acme", "--dry-run"]) == 0
    assert "as it was (--dry-run)" in capsys.readouterr().out
    assert _lock(tmp_path) == before


def test_a_name_that_is_none(policy: Policy, capsys: Capture) -> None:
    """Wrong names are 2."""
    assert main(["rules", "update", "nope"]) == 2
    assert "No ruleset in git that tfgate.toml names is nope" in capsys.readouterr().err


def test_a_version_that_is_no_ruleset(policy: Policy, tmp_path: Path, capsys: Capture) -> None:
    """What does not load is not locked."""
    main(["rules", "update"])
    before = _lock(tmp_path)
    policy.write("sets/net/rules/types.toml", "broken")
    policy.commit("broken")
    policy.tag("v1")
    assert main(["rules", "update"]) == 2
    assert "is not valid TOML" in capsys.readouterr().err
    assert _lock(tmp_path) == before


def test_an_unreachable_repository(policy: Policy, capsys: Capture) -> None:
    """An update needs the repository."""
    policy.path.rename(policy.path.with_name("gone"))
    assert main(["rules", "update"]) == 2
    assert "the repository cannot be fetched" in capsys.readouterr().err


def test_nothing_in_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Without a ruleset in git there is nothing to do."""
    monkeypatch.chdir(tmp_path)
    assert main(["rules", "update"]) == 0
    assert "names no ruleset in git" in capsys.readouterr().out


def test_rules_test_takes_a_source_in_git(policy: Policy, capsys: Capture) -> None:
    """Its examples are run like those of a folder."""
    assert main(["rules", "test", policy.source("v1")]) == 1
    assert "ACME-1: no example that fails" in capsys.readouterr().out
