"""Every example of every shipped rule, and what every shipped rule must have shown of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tfgate.authoring.rule_tests import can_be_unknown
from tfgate.engine.functions import rule_functions
from tfgate.examples.run import run_example
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.loader import checked_path, checked_text
from tfgate.ruleset.sources import shipped_names

if TYPE_CHECKING:
    from tfgate.model.rule import RuleTest
    from tfgate.ruleset import CompiledRule, Ruleset

RULESETS = [load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in shipped_names()]
RULES = [(ruleset, rule) for ruleset in RULESETS for rule in ruleset.rules]
EXAMPLES = [(ruleset, rule, test) for ruleset, rule in RULES for test in rule.rule.tests]

each_rule = pytest.mark.parametrize("rule", [rule for _, rule in RULES], ids=lambda rule: rule.id)


def test_there_are_rulesets() -> None:
    """The rulesets are found, so that the tests below are about something."""
    assert {"core", "aws"} <= {ruleset.id for ruleset in RULESETS}


@pytest.mark.parametrize(
    ("ruleset", "rule", "test"),
    EXAMPLES,
    ids=[f"{rule.id}::{test.name}" for _, rule, test in EXAMPLES],
)
def test_example(ruleset: Ruleset, rule: CompiledRule, test: RuleTest) -> None:
    """An example gives the outcome that it says, and the message where it says one."""
    result = run_example(ruleset, rule, test)
    assert result.passed, f"expected {result.expected}, got {result.got}: {result.message}"


@each_rule
def test_rule_shows_that_it_can_pass_and_fail(rule: CompiledRule) -> None:
    """A rule that never fires, or always, would be seen in its own examples."""
    assert {"pass", "fail"} <= _outcomes(rule)


@each_rule
def test_rule_shows_what_it_does_with_the_unknown(rule: CompiledRule) -> None:
    """Where a rule reads what may be known only after the apply, an example says what it gives."""
    if can_be_unknown(rule):
        assert "unknown" in _outcomes(rule)


@each_rule
def test_rule_says_what_a_reader_needs(rule: CompiledRule) -> None:
    """A rule has a reason, a cure and something to read on."""
    assert rule.rule.description
    assert rule.rule.remediation
    assert rule.rule.references


@each_rule
def test_rule_is_named_for_waivers(rule: CompiledRule) -> None:
    """The id has the ruleset's prefix, so that a glob in tfgate.toml covers a whole set."""
    set_name = next(ruleset.id for ruleset, other in RULES if other is rule)
    prefix = {"source": "SRC", "kubernetes": "K8S"}.get(set_name, set_name.upper())
    assert rule.id.startswith(f"{prefix}-")


def _outcomes(rule: CompiledRule) -> set[str]:
    return {test.expect for test in rule.rule.tests}


@pytest.mark.parametrize("name", sorted(shipped_names()))
def test_an_evaluation_judges_by_what_the_files_say(name: str) -> None:
    """It does not read their TOML: the rules are the same, but for what is about examples."""
    whole = load_ruleset(f"tfgate:{name}", functions=rule_functions())
    assert checked_path(name).read_text(encoding="utf-8") == checked_text(whole), "scripts/generate"
    short = load_ruleset(f"tfgate:{name}", functions=rule_functions(), shipped_examples=False)
    for rule, other in zip(whole.rules, short.rules, strict=True):
        assert msgspec.structs.replace(rule.rule, tests=(), mutants=()) == other.rule
        assert rule.overridable == other.overridable
        assert [key for key, _ in rule.expressions()] == [key for key, _ in other.expressions()]
    assert whole.digest == short.digest
