"""``tfgate.testing`` and the pytest plugin, the latter in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.rule_folder import EXAMPLES, RULE, write_policy
from tfgate.errors import TfgateError
from tfgate.testing import describe, evaluate, load_ruleset, outcomes, plan

if TYPE_CHECKING:
    from pytest_snapshot.plugin import Snapshot

ROOT = Path(__file__).parents[2]
LARGE = {"type": "aws_instance", "after": {"instance_type": "m5.24xlarge"}}


def test_a_plan_of_tables(tmp_path: Path) -> None:
    """Changes as in an example, judged by a ruleset named or loaded."""
    policy = write_policy(tmp_path)
    expected = {("ACME-EC2-001", "aws_instance.example"): "fail"}
    assert outcomes(evaluate(plan(changes=[LARGE]), policy)) == expected
    assert outcomes(evaluate(plan(changes=[LARGE]), [load_ruleset(policy)])) == expected


def test_parameters(tmp_path: Path) -> None:
    """Values by name; a name that no ruleset has is a mistake."""
    policy = write_policy(tmp_path)
    made = plan(changes=[LARGE])
    found = evaluate(made, policy, params={"allowed": ["m5.24xlarge"]})
    assert outcomes(found) == {("ACME-EC2-001", "aws_instance.example"): "pass"}
    with pytest.raises(TfgateError, match="has a parameter alowed"):
        evaluate(made, policy, params={"alowed": []})


def test_a_mistake_in_the_tables() -> None:
    """The strict reader reads them too."""
    with pytest.raises(TfgateError, match="unknown key afer"):
        plan(changes=[{"type": "aws_instance", "afer": {}}])


def test_a_snapshot(tmp_path: Path, snapshot: Snapshot) -> None:
    """What describe gives is the same on every machine and day."""
    snapshot.snapshot_dir = tmp_path / "snapshots"
    found = describe(evaluate(plan(changes=[LARGE]), write_policy(tmp_path)))
    snapshot.snapshot_dir.mkdir()
    (snapshot.snapshot_dir / "decision.txt").write_text(
        "deny\nfail     ACME-EC2-001 aws_instance.example: aws_instance.example uses m5.24xlarge\n"
    )
    snapshot.assert_match(found, "decision.txt")


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plugin = ("-p", "no:tfgate", "-p", "tfgate.pytest_plugin", "-p", "no:randomly")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *plugin, *arguments, "."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_rulesets_are_collected_when_asked(tmp_path: Path) -> None:
    """Examples, what a rule shows, and plan tests are items with names to select them by."""
    write_policy(tmp_path)
    done = _pytest(tmp_path, "--tfgate")
    assert done.returncode == 0, done.stdout
    assert "policy/ruleset.toml::ACME-EC2-001::another type fails PASSED" in done.stdout
    assert "policy/ruleset.toml::ACME-EC2-001::shows what it does PASSED" in done.stdout
    assert "policy/ruleset.toml::one of two is refused PASSED" in done.stdout


@pytest.mark.slow
def test_nothing_is_collected_unless_asked(tmp_path: Path) -> None:
    """Installing tfgate changes no other project's runs."""
    write_policy(tmp_path)
    assert "collected 0 items" in _pytest(tmp_path).stdout


@pytest.mark.slow
def test_the_ini_option_asks(tmp_path: Path) -> None:
    """tfgate = true in the configuration of pytest."""
    write_policy(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntfgate = true\n")
    assert "6 passed" in _pytest(tmp_path).stdout


def test_failures_are_readable(tmp_path: Path) -> None:
    """Expected, got, message and rule, and no frame of tfgate's."""
    wrong = EXAMPLES.replace('expect = "fail"', 'expect = "pass"')
    write_policy(tmp_path, RULE + wrong, None)
    done = _pytest(tmp_path, "--tfgate")
    assert done.returncode == 1
    assert "expected pass, got fail\nmessage: aws_instance.example uses" in done.stdout
    assert "no example that fails" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_a_ruleset_that_does_not_load(tmp_path: Path) -> None:
    """Its mistakes are a collection error."""
    write_policy(tmp_path, RULE.replace("contains(", "containz("))
    done = _pytest(tmp_path, "--tfgate")
    assert done.returncode == 2
    assert "There is no function containz()" in done.stdout


def test_the_fixture(tmp_path: Path) -> None:
    """It is there without being asked for, and judges."""
    write_policy(tmp_path)
    (tmp_path / "test_it.py").write_text(
        "from tfgate.testing import outcomes, plan\n"
        "def test_it(tfgate_evaluate):\n"
        "    change = {'type': 'aws_instance', 'after': {'instance_type': 't3.micro'}}\n"
        "    found = tfgate_evaluate(plan(changes=[change]), 'policy')\n"
        "    assert outcomes(found)['ACME-EC2-001', 'aws_instance.example'] == 'pass'\n"
    )
    assert "1 passed" in _pytest(tmp_path).stdout
