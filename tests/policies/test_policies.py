"""Kinds of policies that are published for other gates are rules of this one."""

from __future__ import annotations

from pathlib import Path

from tfgate.engine.functions import rule_functions
from tfgate.examples.run import run_examples
from tfgate.ruleset import load_ruleset


def test_every_policy_holds_on_its_examples() -> None:
    """Regions, costs, teams, windows, names, counts, images, modules, second hops and the rest."""
    ruleset = load_ruleset(str(Path(__file__).parent), functions=rule_functions())
    results = list(run_examples(ruleset))
    failed = [(result.rule, result.example, result.got) for result in results if not result.passed]
    assert failed == []
    assert {result.rule for result in results} == {rule.id for rule in ruleset.rules}


def test_every_policy_shows_that_it_fails_and_that_it_passes() -> None:
    """A policy without both would prove nothing of the language."""
    ruleset = load_ruleset(str(Path(__file__).parent), functions=rule_functions())
    for rule in ruleset.rules:
        assert {"fail", "pass"} <= {str(test.expect) for test in rule.rule.tests}
