"""Every shipped rule on every plan at hand: none may stumble over what real plans hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.errors import PlanError
from tfgate.gate.api import evaluate
from tfgate.model.rule import Scope
from tfgate.plan import read_plan
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import shipped_names

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "own": ROOT / "testdata" / "plans",
    "corpus": ROOT.parent / "shared" / "corpus" / "plans",
}
RULESETS = tuple(
    load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in shipped_names()
)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_no_rule_is_in_error_on_a_real_plan(folder: str) -> None:
    """An error outcome would be the rule's own fault, and it denies."""
    plans = sorted(FOLDERS[folder].rglob("*.json"))
    if not plans:
        pytest.skip(f"there are no plans in {FOLDERS[folder]}")
    assert list(_errors(plans)) == []


def _errors(plans: list[Path]) -> Iterator[str]:
    for path in plans:
        try:
            plan = read_plan(path.read_bytes())
        except PlanError:
            continue  # refusing it is another test's matter
        for outcome in evaluate(plan, RULESETS).outcomes:
            # Rules on sources need the configuration, which is not at hand beside these plans.
            if outcome.outcome.value == "error" and outcome.scope is not Scope.SOURCE:
                yield f"{path.name}: {outcome.address}: {outcome.message}"
