"""No small change of a shipped rule goes unnoticed by its examples, or it is written down why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.authoring.mutate import mutate_rule, mutate_shared
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import shipped_names

if TYPE_CHECKING:
    from tfgate.ruleset import CompiledRule, Ruleset

RULESETS = [load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in shipped_names()]
RULES = [(ruleset, rule) for ruleset in RULESETS for rule in ruleset.rules]


@pytest.mark.parametrize(
    ("ruleset", "rule"), RULES, ids=[f"{ruleset.id}-{rule.id}" for ruleset, rule in RULES]
)
def test_examples_notice_every_change(ruleset: Ruleset, rule: CompiledRule) -> None:
    """Each survivor has its reason, and each reason its survivor (tfgate rules mutate)."""
    mutation = mutate_rule(ruleset, rule)
    assert mutation.contradicted == ()
    assert [f"{each.change}: {each.text}" for each in mutation.unexplained] == []
    assert mutation.stale == ()


SHARED = [(ruleset, name) for ruleset in RULESETS for name in ruleset.let]


@pytest.mark.parametrize(
    ("ruleset", "name"), SHARED, ids=[f"{ruleset.id}-{name}" for ruleset, name in SHARED]
)
def test_examples_of_some_rule_notice_every_change_of_a_shared_value(
    ruleset: Ruleset, name: str
) -> None:
    """A value of [let] is proven by the examples of all rules that use it."""
    mutation = mutate_shared(ruleset, name)
    assert mutation.contradicted == ()
    assert [f"{each.change}: {each.text}" for each in mutation.unexplained] == []
    assert mutation.stale == ()
