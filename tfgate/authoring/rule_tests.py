"""Runs tests of whole plans: a plan file or inline changes, outcomes by rule and address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tfgate.engine.evaluate import evaluate
from tfgate.engine.explain import Explained, explain
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError, UsageError
from tfgate.examples.plan import ExamplePlan, example_plan
from tfgate.examples.run import ExampleResult, example_context, only_rule, prepare, run_example
from tfgate.gate.absent import refuse_absent
from tfgate.gate.inputs import PLAN_FILE_MAGIC, read_file
from tfgate.model.rule import Enforcement, Rule, RuleTest, Scope, Severity
from tfgate.model.text import glob_matches
from tfgate.plan import Plan, read_plan
from tfgate.query.coverage import Condition, watched
from tfgate.ruleset import CompiledRule, Ruleset, load_gate_config, load_rulesets
from tfgate.ruleset.effective import sources_for
from tfgate.ruleset.names import given_to
from tfgate.ruleset.plan_tests import PlanTest, load_plan_tests, read_inline
from tfgate.ruleset.sources import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.model.decision import Decision
    from tfgate.query import Expression


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
            data=dict(test.data),
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
    """Return the (worst) outcome of a rule on an address, and its message.

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


_VALUES = frozenset({"after", "before", "config_values", "value", "body"})
_LISTS = frozenset({"changes", "outputs", "drift"})
_JOINS = frozenset({"references", "referenced_by", "configured"})


class Gap(msgspec.Struct, frozen=True):
    """Something about a rule that no example shows."""

    rule: str
    what: str
    """In words: ``no failing example``, ``deny: after.public (of &&) was never false``."""
    serious: bool = False
    """Whether the rule has not shown that it can pass and fail."""


class WatchedRule(NamedTuple):
    """A rule whose conditions are watched while its examples run."""

    compiled: CompiledRule
    conditions: tuple[tuple[str, Condition], ...]
    """Each with the key of its expression: ``deny``, ``when``, ``let.x``."""


@dataclass(frozen=True)
class Coverage:
    """How much of a rule, or of several, was shown."""

    shown: int = 0
    goals: int = 0
    """Outcomes that the rule must show, and two truth values for each condition."""
    gaps: tuple[Gap, ...] = ()

    @property
    def percent(self) -> float:
        """Share of the goals that is shown; 100 where there is none."""
        return 100.0 * self.shown / self.goals if self.goals else 100.0

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(self.shown + other.shown, self.goals + other.goals, self.gaps + other.gaps)


def watch(compiled: CompiledRule, shared: Mapping[str, Expression]) -> WatchedRule:
    """Compile a rule's expressions again, with their conditions watched.

    ``shared`` are the watched values of the ruleset's ``[let]``.
    """
    conditions: list[tuple[str, Condition]] = []
    watching = {}
    for key, expression in compiled.expressions():
        watching[key], found = watched(expression.text, rule_functions(), given_to(expression))
        conditions += [(key, condition) for condition in found]
    let = {name: watching[f"let.{name}"] for name in compiled.let}
    own = {key: watching[key] for key in ("when", "deny", "require") if key in watching}
    used = {name: shared[name] for name in compiled.shared}
    return WatchedRule(compiled.changed(let=let, shared=used, **own), tuple(conditions))


def coverage_of(rule: WatchedRule, results: Iterable[ExampleResult]) -> Coverage:
    """Say what the examples that ran on ``rule`` have shown of it."""
    shown = {result.got for result in results if result.passed}
    wanted = list(_wanted(rule.compiled))
    gaps = [
        Gap(rule.compiled.id, f"no example that {words}", serious)
        for outcome, words, serious in wanted
        if outcome not in shown
    ]
    own = _coverage_of_conditions(rule.compiled.id, rule.conditions)
    return Coverage(len(wanted) - len(gaps), len(wanted), tuple(gaps)) + own


def _coverage_of_conditions(owner: str, conditions: Sequence[tuple[str, Condition]]) -> Coverage:
    """Say what ran of conditions, each with the key that it stands in."""
    gaps = tuple(
        Gap(
            owner,
            f"{key}: {condition.text} (of {condition.within}) was never "
            f"{'true' if value else 'false'}",
        )
        for key, condition in conditions
        for value in condition.missing
    )
    goals = 2 * len(conditions)
    return Coverage(goals - len(gaps), goals, gaps)


def _wanted(compiled: CompiledRule) -> Iterator[tuple[str, str, bool]]:
    if fails_on_all(compiled):
        yield "skip", "it does not select, and its match is all that it says", True
    else:
        yield "pass", "passes", True
    yield "fail", "fails", True
    if can_be_unknown(compiled):
        yield "unknown", "is unknown before the apply", False


def fails_on_all(compiled: CompiledRule) -> bool:
    """Whether a rule fails on whatever it selects: ``deny = "`true`"``. Its match is the rule."""
    decider = compiled.deny or compiled.require
    if decider is None or decider.reads or decider.functions:
        return False
    return decider.verdict({}) is (compiled.deny is not None)


def can_be_unknown(compiled: CompiledRule) -> bool:
    """Say whether a rule reads what may be known only after the apply.

    That is values, and joins that the plan may show in part only.
    """
    return any(
        bool(_JOINS & expression.functions) or any(_value_reads(expression))
        for _, expression in compiled.expressions()
    )


def _value_reads(expression: Expression) -> Iterator[bool]:
    for path in expression.reads:
        nested = path[:1] and path[0] in _LISTS and len(path) > 1
        head = path[1] if nested else next(iter(path), "")
        yield head in _VALUES


class RuleReport(NamedTuple):
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
    shared, conditions = _watch_shared(ruleset)
    rules = tuple(_run_rule(ruleset, compiled, shared) for compiled in chosen(ruleset, only))
    tests = load_plan_tests(ruleset)
    plans = tuple(run_plan_test(ruleset, test) for test in tests) if only is None else ()
    total = sum((rule.coverage for rule in rules), Coverage())
    if only is None:
        total += _coverage_of_conditions(ruleset.id, conditions)
    return TestReport(ruleset, rules, plans, total)


def _watch_shared(
    ruleset: Ruleset,
) -> tuple[Mapping[str, Expression], Sequence[tuple[str, Condition]]]:
    """Compile the values of ``[let]`` again, watched: what any rule shows of them counts."""
    watching, conditions = {}, []
    for name, expression in ruleset.let.items():
        watching[name], found = watched(expression.text, rule_functions(), given_to(expression))
        conditions += [(f"let.{name}", condition) for condition in found]
    return watching, conditions


def _run_rule(
    ruleset: Ruleset, compiled: CompiledRule, shared: Mapping[str, Expression]
) -> RuleReport:
    watching = watch(compiled, shared)
    results = tuple(run_example(ruleset, watching.compiled, test) for test in compiled.rule.tests)
    return RuleReport(compiled.rule, results, coverage_of(watching, results))


def chosen(ruleset: Ruleset, only: str | None) -> Sequence[CompiledRule]:
    """Return the rules whose id fits the glob, all of them where there is none."""
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


def load_sources(
    sources: Sequence[str], cwd: Path, env: Mapping[str, str], *, config: str | None = None
) -> tuple[Ruleset, ...]:
    """Load ``sources``; without any, the ruleset in ``cwd``, else those of ``tfgate.toml``.

    Raises ``ConfigError`` with every mistake of all of them.
    """
    if not sources and config is None and (cwd / MANIFEST).is_file():
        sources = (".",)
    flags = {"gate.rulesets": list(sources) or None}
    loaded = load_gate_config(cwd, env, config=config, flags=flags)
    found = load_rulesets(
        sources_for(loaded, "default"), functions=rule_functions(), remote=lambda: loaded.remote
    )
    refuse_absent(found, loaded.gate.allow, env)
    return found
