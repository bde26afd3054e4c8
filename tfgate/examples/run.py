"""Runs the examples that rules carry: each becomes a plan, and the rule is evaluated on it."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tfgate.audit.scratch import scratch
from tfgate.engine.context import Context
from tfgate.engine.evaluate import evaluate
from tfgate.errors import TfgateError, UsageError
from tfgate.examples.plan import example_plan
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.source_blocks import blocks
from tfgate.model.decision import Decision, Operator, Outcome, Run, Workspace
from tfgate.model.rule import RuleTest, Scope
from tfgate.plan import Plan, read_plan
from tfgate.ruleset.facts import IN_EVERY_RUN
from tfgate.ruleset.files import Unreadable, is_inside, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.hcl.subject import SourceBlock
    from tfgate.ruleset import CompiledRule, Ruleset


NOON: Final = dt.datetime(2026, 1, 5, 12, 0, tzinfo=dt.timezone.utc)
"""When examples run that say nothing about it: a Monday."""


def example_context(ruleset: str, test: RuleTest) -> Context:
    """Return the context that an example's ``params``, ``context`` and ``workspace`` describe.

    Names that every run has set the run itself: ``hour = 3`` is a run at three o'clock.
    """
    facts = test.context
    workspace = _workspace_name(test)
    return Context(
        workspace=Workspace(workspace, "flag", backend=facts.get("backend")),
        operator=Operator(facts.get("operator", "unknown"), facts.get("operator_source", "none")),
        now=_now(facts),
        run=Run(repository=facts.get("repository"), commit=facts.get("commit")),
        facts={name: value for name, value in facts.items() if name not in IN_EVERY_RUN},
        params={ruleset: test.params},
        data={ruleset: test.data},
    )


def _workspace_name(test: RuleTest) -> str:
    named = test.subject.get("workspace") or test.context.get("workspace")
    plan = test.subject.get("plan") or {}
    return str(plan.get("workspace") or named or "default")


def _now(facts: Mapping[str, Any]) -> dt.datetime:
    try:
        # Python 3.10 does not take the Z.
        time = str(facts.get("time", "")).replace("Z", "+00:00")
        now = dt.datetime.fromisoformat(time) if time else NOON
        if "date" in facts:
            now = dt.datetime.combine(dt.date.fromisoformat(facts["date"]), now.timetz())
        now = now.replace(hour=facts.get("hour", now.hour), minute=facts.get("minute", now.minute))
        weekday = facts.get("weekday", now.isoweekday())
        return now + dt.timedelta(days=weekday - now.isoweekday())
    except (TypeError, ValueError, OverflowError):
        raise UsageError(
            "The example's context has no such time.",
            hint='Write time = "2026-01-05T12:00:00Z", date = "2026-01-05", hour = 3, weekday = 7.',
        ) from None


MAIN: Final = "main.tf"
"""Name of the file that an example's text is."""


def example_blocks(table: Mapping[str, Any]) -> tuple[list[SourceBlock], str | None]:
    """Return every block of an example, and the address it is about (``None``: all of them).

    ``hcl`` is the text of ``main.tf``; ``files`` are others by name. Raises ``UsageError`` for a
    name that leads elsewhere.
    """
    files = {**({MAIN: table["hcl"]} if "hcl" in table else {}), **table.get("files", {})}
    with scratch() as directory:
        for name, text in files.items():
            path = directory / _checked(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = list(blocks(SourceIndex.build(directory), merged=True))
    return found, table.get("address")


def _checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise UsageError(
            "A file of the example is not below its directory.",
            hint='Name it as in files = { "modules/net/main.tf" = "…" }.',
        )
    return path


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


class Prepared(NamedTuple):
    """An example as a plan, on which its rule can be run any number of times."""

    test: RuleTest
    plan: Plan
    address: str | None
    """Of the subject that the example is about; ``None`` for every block of an example's HCL."""
    context: Context

    def decision(self, ruleset: Ruleset, compiled: CompiledRule) -> Decision:
        """Evaluate this one rule on the plan. Raises ``TfgateError``."""
        return evaluate(self.plan, [only_rule(ruleset, compiled)], self.context)

    def run(self, ruleset: Ruleset, compiled: CompiledRule) -> ExampleResult:
        """Return what ``compiled``, the rule or a variant of it, comes to. Never raises."""
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
    if "plan_file" in test.subject:
        return _prepare_file(ruleset, test)
    made = example_plan(compiled.rule, test)
    plan = read_plan(msgspec.json.encode(made.document), name="the example's plan")
    plan.use_sources(made.text)
    return Prepared(test, plan, made.address, example_context(ruleset.id, test))


_LARGEST_PLAN: Final = 256 * 1024 * 1024
"""Bytes of a whole plan that an example names."""


def _prepare_file(ruleset: Ruleset, test: RuleTest) -> Prepared:
    folder = ruleset.path if ruleset.path.is_dir() else ruleset.path.parent
    name = test.subject["plan_file"]
    if not is_inside(folder, name):
        raise UsageError("A whole plan is given by a path inside the ruleset's folder.")
    try:
        data = read_bytes(folder / name, name, _LARGEST_PLAN)
    except Unreadable as error:
        raise UsageError(f"{error.problem.render()}.") from None
    plan = read_plan(data, name=name)
    return Prepared(test, plan, test.subject.get("address"), example_context(ruleset.id, test))


def _prepare_source(ruleset: Ruleset, test: RuleTest) -> Prepared:
    """Rules on sources see nothing of a plan: an empty one stands in for it."""
    found, address = example_blocks(test.subject["source"])
    plan = read_plan(b'{"format_version":"1.2","resource_changes":[]}', name="the example's plan")
    context = msgspec.structs.replace(
        example_context(ruleset.id, test), blocks=lambda kinds, types: found
    )
    return Prepared(test, plan, address, context)


def only_rule(ruleset: Ruleset, compiled: CompiledRule) -> Ruleset:
    """Return the ruleset with this rule alone, and with no parameters that others need."""
    used = {
        path[1]
        for expression in compiled.deciding()
        for path in expression.variables
        if path[0] == "params" and len(path) > 1
    }
    params = {name: spec for name, spec in ruleset.params.items() if name in used}
    return msgspec.structs.replace(ruleset, rules=(compiled,), params=params)


def _outcome(decision: Decision, address: str | None) -> tuple[str, str | None]:
    """Return the outcome on the subject, the worst if there are several, and its message."""
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
