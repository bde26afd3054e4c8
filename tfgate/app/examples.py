"""Runs the examples that rules carry: each becomes a plan, and the rule judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.example_context import example_context
from tfgate.app.example_plan import example_plan
from tfgate.app.example_source import example_blocks
from tfgate.engine.evaluate import evaluate
from tfgate.errors import TfgateError
from tfgate.model.rule import Scope
from tfgate.plan import read_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.engine.context import Context
    from tfgate.model.decision import Decision, Outcome
    from tfgate.model.rule import RuleTest
    from tfgate.plan import Plan
    from tfgate.ruleset import CompiledRule, Ruleset

INVALID = "invalid"
"""What an example gives that makes no plan: an address twice, a value of a wrong shape."""
_WORST_FIRST = ("error", "fail", "unknown")


class ExampleResult(msgspec.Struct, frozen=True):
    """What an example gave."""

    rule: str
    """Id of the rule."""
    example: str
    """Name of the example."""
    expected: str
    """``pass``, ``fail``, ``unknown``, ``error`` or ``skip``."""
    got: str
    """One of the same, or ``invalid`` where the example makes no plan."""
    message: str | None = None
    """Of the first finding, or why the example is invalid."""
    expected_message: str | None = None

    @property
    def passed(self) -> bool:
        """Whether outcome and message are the expected ones."""
        if self.expected_message is not None and self.message != self.expected_message:
            return False
        return self.got == self.expected


@dataclass(frozen=True)
class Prepared:
    """An example as a plan, on which its rule can be run any number of times."""

    test: RuleTest
    plan: Plan
    address: str | None
    """Of the subject that the example is about; ``None`` for every block of an example's HCL."""
    context: Context

    def decision(self, ruleset: Ruleset, compiled: CompiledRule) -> Decision:
        """Judge the plan by this one rule. Raises ``TfgateError``."""
        return evaluate(self.plan, [only_rule(ruleset, compiled)], self.context)

    def run(self, ruleset: Ruleset, compiled: CompiledRule) -> ExampleResult:
        """Give what ``compiled``, the rule or a variant of it, comes to. Never raises."""
        try:
            decision = self.decision(ruleset, compiled)
        except TfgateError as error:
            return _result(compiled, self.test, INVALID, str(error))
        got, message = _outcome(decision, self.address)
        return _result(compiled, self.test, got, message)


def run_examples(ruleset: Ruleset) -> Iterator[ExampleResult]:
    """Run every example of every rule, in their order."""
    for compiled in ruleset.rules:
        for test in compiled.rule.tests:
            yield run_example(ruleset, compiled, test)


def run_example(ruleset: Ruleset, compiled: CompiledRule, test: RuleTest) -> ExampleResult:
    """Run one example. Never raises ``TfgateError``: an example that makes no plan is a result."""
    try:
        prepared = prepare(ruleset, compiled, test)
    except TfgateError as error:
        return _result(compiled, test, INVALID, str(error))
    return prepared.run(ruleset, compiled)


def prepare(ruleset: Ruleset, compiled: CompiledRule, test: RuleTest) -> Prepared:
    """Make an example's plan. Raises ``TfgateError`` where it makes none."""
    if compiled.rule.scope is Scope.SOURCE:
        return _prepare_source(ruleset, test)
    made = example_plan(compiled.rule, test)
    plan = read_plan(msgspec.json.encode(made.document), name="the example's plan")
    plan.use_sources(made.text)
    return Prepared(test, plan, made.address, example_context(ruleset.id, test))


def _prepare_source(ruleset: Ruleset, test: RuleTest) -> Prepared:
    """Rules on sources see nothing of a plan: an empty one stands in for it."""
    found, address = example_blocks(test.subject["source"])
    plan = read_plan(b'{"format_version":"1.2","resource_changes":[]}', name="the example's plan")
    context = msgspec.structs.replace(
        example_context(ruleset.id, test), blocks=lambda kinds, types: found
    )
    return Prepared(test, plan, address, context)


def only_rule(ruleset: Ruleset, compiled: CompiledRule) -> Ruleset:
    """Give the ruleset with this rule alone, and with no parameters that others need."""
    called = {
        arguments[0]
        for _, expression in compiled.expressions()
        for name, arguments in expression.calls
        if name == "param" and arguments
    }
    params = {name: spec for name, spec in ruleset.params.items() if name in called}
    return msgspec.structs.replace(ruleset, rules=(compiled,), params=params)


def _outcome(decision: Decision, address: str | None) -> tuple[str, str | None]:
    """Give the outcome on the subject, the worst if there are several, and its message."""
    found = [outcome for outcome in decision.outcomes if address in (None, outcome.address)]
    for word in _WORST_FIRST:
        worst = [outcome for outcome in found if outcome.outcome.value == word]
        if worst:
            return word, _first(worst).message
    passed = any(_is_of(label, address) for labels in decision.passed.values() for label in labels)
    return ("pass" if passed else "skip"), None


def _first(outcomes: list[Outcome]) -> Outcome:
    return min(outcomes, key=lambda outcome: -1 if outcome.item is None else outcome.item)


def _is_of(label: str, address: str | None) -> bool:
    return address in (None, label) or label.startswith(f"{address} (deposed ")


def _result(compiled: CompiledRule, test: RuleTest, got: str, message: str | None) -> ExampleResult:
    return ExampleResult(
        rule=compiled.rule.id,
        example=test.name,
        expected=test.expect,
        got=got,
        message=message,
        expected_message=test.message,
    )
