"""``tfgate rules test``: every example and plan test of rulesets, and what they leave unshown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tfgate.app.examples import only_rule, prepare, run_example
from tfgate.app.plan_tests import PlanTestResult, run_plan_test
from tfgate.app.rule_coverage import Coverage, coverage_of, watch
from tfgate.engine.explain import explain
from tfgate.errors import TfgateError, UsageError
from tfgate.model.glob import glob_matches
from tfgate.ruleset.plan_tests import load_plan_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfgate.app.examples import ExampleResult
    from tfgate.engine.explain import Explained
    from tfgate.model.rule import Rule
    from tfgate.ruleset import CompiledRule, Ruleset


@dataclass(frozen=True)
class RuleReport:
    """One rule with its examples."""

    rule: Rule
    results: tuple[ExampleResult, ...]
    coverage: Coverage


@dataclass(frozen=True)
class TestReport:
    """One ruleset."""

    __test__ = False  # no test of pytest's, whatever its name

    ruleset: Ruleset
    rules: tuple[RuleReport, ...]
    plans: tuple[PlanTestResult, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def failed(self) -> int:
        """Number of examples and plan tests that failed."""
        examples = sum(not result.passed for rule in self.rules for result in rule.results)
        return examples + sum(not plan.passed for plan in self.plans)

    @property
    def ran(self) -> int:
        """Number of examples and plan tests."""
        return sum(len(rule.results) for rule in self.rules) + len(self.plans)

    @property
    def passed(self) -> bool:
        """Whether nothing failed and every rule has shown that it can pass and fail."""
        return not self.failed and not any(gap.serious for gap in self.coverage.gaps)


def run_tests(ruleset: Ruleset, only: str | None = None) -> TestReport:
    """Run what a ruleset has; ``only`` is a glob over rule ids. Raises ``RulesetError``."""
    rules = tuple(_run_rule(ruleset, compiled) for compiled in chosen(ruleset, only))
    tests = load_plan_tests(ruleset)
    plans = tuple(run_plan_test(ruleset, test) for test in tests) if only is None else ()
    total = sum((rule.coverage for rule in rules), Coverage())
    return TestReport(ruleset, rules, plans, total)


def _run_rule(ruleset: Ruleset, compiled: CompiledRule) -> RuleReport:
    watching = watch(compiled)
    results = tuple(run_example(ruleset, watching.compiled, test) for test in compiled.rule.tests)
    return RuleReport(compiled.rule, results, coverage_of(watching, results))


def chosen(ruleset: Ruleset, only: str | None) -> Sequence[CompiledRule]:
    """Give the rules whose id fits the glob, all of them where there is none."""
    return [rule for rule in ruleset.rules if only is None or glob_matches(only, rule.id)]


def refuse_nothing(rulesets: Iterable[Ruleset], only: str | None) -> None:
    """Raise ``UsageError`` where ``only`` fits no rule: nothing tested is no success."""
    if only is not None and not any(chosen(ruleset, only) for ruleset in rulesets):
        raise UsageError(f"No rule fits {only}.", hint="See the ids with: tfgate rules list")


def explain_example(ruleset: Ruleset, rule_id: str, example: str) -> tuple[Explained, ...]:
    """Say how a rule came out on an example; nothing where the example makes no plan."""
    compiled = next(rule for rule in ruleset.rules if rule.id == rule_id)
    test = next(test for test in compiled.rule.tests if test.name == example)
    try:
        prepared = prepare(ruleset, compiled, test)
        alone = only_rule(ruleset, compiled)
        return explain(
            prepared.plan, [alone], prepared.context, rule_id=rule_id, address=prepared.address
        )
    except TfgateError:
        return ()
