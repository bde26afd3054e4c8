"""The plans in testdata are whole, small, and the same on every machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import tomli

TESTDATA = Path(__file__).parents[3] / "testdata"
PLANS = sorted((TESTDATA / "plans").glob("*.json"))


def test_each_scenario_has_its_plan_and_says_what_it_shows() -> None:
    """No plan without a scenario, no scenario without a plan or a title."""
    scenarios = sorted(path.parent for path in (TESTDATA / "configs").glob("*/scenario.toml"))
    assert [path.stem for path in PLANS] == [path.name for path in scenarios]
    for path in scenarios:
        scenario = tomli.loads((path / "scenario.toml").read_text())
        assert scenario["title"], path
        assert scenario["steps"][-1]["do"] == "plan", path


@pytest.mark.parametrize("path", PLANS, ids=[path.stem for path in PLANS])
def test_a_plan_is_small_and_carries_nothing_of_the_machine(path: Path) -> None:
    """Nothing of the run that made it is left: no path, no port, no time, no random id."""
    text = path.read_text()
    assert len(text) < 100_000
    assert json.loads(text)["format_version"].startswith("1.")
    assert "/tmp/" not in text
    assert "/root" not in text
    assert set(re.findall(r"127\.0\.0\.1:\d+", text)) <= {"127.0.0.1:5000"}
    assert set(re.findall(r"20\d\d-\d\d-\d\dT[\d:.]+Z", text)) <= {"2026-01-31T12:00:00Z"}
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    assert all(found.startswith("00000000-0000-4000-8000-") for found in re.findall(uuid, text))
