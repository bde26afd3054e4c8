"""Runs tests of whole plans: a plan file or inline changes, outcomes by rule and address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tfgate.app.example_context import example_context
from tfgate.app.example_plan import ExamplePlan, example_plan
from tfgate.app.inputs import PLAN_FILE_MAGIC, read_file
from tfgate.engine.evaluate import evaluate
from tfgate.errors import TfgateError, UsageError
from tfgate.model.rule import Enforcement, Rule, RuleTest, Scope, Severity
from tfgate.plan import read_plan
from tfgate.ruleset.plan_tests import read_inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tfgate.model.decision import Decision
    from tfgate.plan import Plan
    from tfgate.ruleset import Ruleset
    from tfgate.ruleset.plan_tests import PlanTest

_WORST_FIRST = ("error", "fail", "unknown", "waived")
_WHOLE_PLAN = Rule(
    id="plan",
    title="",
    severity=Severity.INFO,
    enforcement=Enforcement.ADVISORY,
    message="",
    scope=Scope.PLAN,
)
"""What makes a plan of a table that is about no single subject."""


class PlanTestResult(msgspec.Struct, frozen=True):
    """What a plan test gave."""

    name: str
    file: str
    line: int | None
    failures: tuple[str, ...] = ()
    """Each expectation that does not hold, in a sentence."""

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.failures


def run_plan_test(ruleset: Ruleset, test: PlanTest) -> PlanTestResult:
    """Run one plan test. Never raises ``TfgateError``: what goes wrong is a failure."""
    try:
        plan = _plan(test)
        facts = RuleTest(
            name=test.name,
            expect="pass",
            subject={"workspace": test.workspace} if test.workspace else {},
            params=dict(test.params),
            context=dict(test.context),
        )
        decision = evaluate(plan, [ruleset], example_context(ruleset.id, facts))
    except TfgateError as error:
        return PlanTestResult(test.name, test.file, test.line, (str(error),))
    return PlanTestResult(test.name, test.file, test.line, tuple(_failures(test, decision)))


def plan_document(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Make plan JSON of tables as a plan test has them: ``changes``, ``outputs``, ``facts``, …

    Raises ``RulesetError`` with every mistake.
    """
    return _made(read_inline(tables)).document


def _made(inline: Mapping[str, Any]) -> ExamplePlan:
    return example_plan(_WHOLE_PLAN, RuleTest(name="plan", expect="pass", subject=dict(inline)))


def _plan(test: PlanTest) -> Plan:
    if test.plan is None:
        made = _made(test.inline)
        plan = read_plan(msgspec.json.encode(made.document), name="the test's plan")
        plan.use_sources(made.text)
        return plan
    data = read_file(str(test.plan), what="plan")
    if data.startswith(PLAN_FILE_MAGIC):
        raise UsageError(
            f"{test.plan} is a saved plan, which only its own providers can show.",
            hint="Keep its JSON: terraform show -json FILE.",
        )
    return read_plan(data, name=str(test.plan))


def _failures(test: PlanTest, decision: Decision) -> Iterator[str]:
    for expected in test.expect:
        got, message = outcome_of(decision, expected.rule, expected.address)
        where = f"{expected.rule} on {expected.address}"
        if got != expected.outcome:
            yield f"{where}: expected {expected.outcome}, got {got}{_said(message)}"
        elif expected.message is not None and expected.message != message:
            yield f"{where}: expected the message {expected.message!r}, got {message!r}"
    if test.verdict is not None and decision.verdict.value != test.verdict:
        reasons = " ".join(decision.reasons)
        yield f"expected the verdict {test.verdict}, got {decision.verdict}. {reasons}".rstrip()
    if test.exact:
        known = {(expected.rule, expected.address) for expected in test.expect}
        for outcome in decision.outcomes:
            if (outcome.rule, outcome.address) not in known:
                what = f"{outcome.rule} on {outcome.address}: {outcome.outcome}"
                yield f"not expected: {what}{_said(outcome.message)}"


def outcome_of(decision: Decision, rule: str, address: str) -> tuple[str, str | None]:
    """Give the (worst) outcome of a rule on an address, and its message.

    ``skip`` where the rule did not look at it, or where there is no such address.
    """
    found = [each for each in decision.outcomes if (each.rule, each.address) == (rule, address)]
    for word in _WORST_FIRST:
        for outcome in found:
            if outcome.outcome.value == word:
                return word, outcome.message
    return ("pass" if address in decision.passed.get(rule, ()) else "skip"), None


def _said(message: str | None) -> str:
    return f" ({message})" if message else ""
