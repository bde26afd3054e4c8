"""Shipped rules as generated functions: every example comes out as it does without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.app.examples import run_example
from tfgate.engine import hot
from tfgate.engine.functions import rule_functions
from tfgate.model.rule import Scope
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import shipped_names

if TYPE_CHECKING:
    from typing import Any

    from tfgate.engine.bound import BoundRule


@pytest.mark.parametrize("name", sorted(shipped_names()))
def test_examples_of_generated_rules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a function for each rule from its first subject on, the outcomes are the same."""
    decided: list[bool] = []
    plain = hot.judge_subject

    def count(rule: BoundRule, *arguments: Any) -> Any:
        before = rule.judged
        judged = plain(rule, *arguments)
        decided.append(rule.judged == before)
        return judged

    monkeypatch.setattr(hot, "WORTH", 0)
    monkeypatch.setattr("tfgate.engine.bound.WARM", 0)
    monkeypatch.setattr("tfgate.engine.evaluate.judge_subject", count)
    ruleset = load_ruleset(f"tfgate:{name}", functions=rule_functions())
    wrong = [
        f"{rule.id} {test.name}: {result.got}, not {result.expected}: {result.message}"
        for rule in ruleset.rules
        for test in rule.rule.tests
        for result in [run_example(ruleset, rule, test)]
        if not result.passed
    ]
    assert not wrong
    assert any(rule.rule.scope is Scope.RESOURCE for rule in ruleset.rules) <= any(decided)
