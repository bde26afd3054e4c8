"""The pytest plugin: rulesets of a repository as tests, and a fixture that evaluates plans.

Installed with tfgate, and silent until it is asked for: rulesets are collected with ``--tfgate`` or
``tfgate = true`` in pytest's configuration. Everything of tfgate's is imported when it is needed,
so that other projects' runs pay nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tfgate.model.decision import Decision
    from tfgate.model.rule import RuleTest
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.ruleset.plan_tests import PlanTest

_HEADER = re.compile(rb"^[ \t]*\[[ \t]*ruleset[ \t]*\]", re.MULTILINE)
_MOST_BYTES = 4 * 1024 * 1024


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--tfgate`` and the ini option of the same name."""
    group = parser.getgroup("tfgate", "rulesets of tfgate")
    group.addoption(
        "--tfgate",
        action="store_true",
        default=False,
        help="collect the rulesets of tfgate that are found as tests",
    )
    parser.addini("tfgate", "collect the rulesets of tfgate that are found", "bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect ``ruleset.toml`` of a folder, and any TOML file that is a ruleset by itself."""
    config = parent.config
    if not (config.getoption("--tfgate") or config.getini("tfgate")):
        return None
    if file_path.suffix != ".toml" or not _is_ruleset(file_path):
        return None
    made: pytest.File = RulesetFile.from_parent(parent, path=file_path)
    return made


def _is_ruleset(path: Path) -> bool:
    try:
        with open_file(path) as file:
            return _HEADER.search(file.read(_MOST_BYTES)) is not None
    except OSError:
        return False


@pytest.fixture
def tfgate_evaluate() -> Callable[..., Decision]:
    """Evaluate a plan by rulesets, and return the decision: ``tfgate.testing.evaluate``."""
    from tfgate.testing import evaluate

    return evaluate


class ExpectationError(Exception):
    """An example, plan test or rule is not as it should be; the text says how."""


class RulesetFile(pytest.File):
    """One ruleset."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield each example, each plan test, and for each rule whether it shows what it must."""
        from tfgate.errors import TfgateError
        from tfgate.ruleset.plan_tests import load_plan_tests
        from tfgate.testing import load_ruleset

        folder = self.path.name == "ruleset.toml"
        try:
            ruleset = load_ruleset(self.path.parent if folder else self.path)
            plans = load_plan_tests(ruleset)
        except TfgateError as error:
            raise self.CollectError(str(error)) from None
        for rule in ruleset.rules:
            for test in rule.rule.tests:
                yield ExampleItem.from_parent(
                    self, name=f"{rule.id}::{test.name}", ruleset=ruleset, rule=rule, test=test
                )
            yield ShownItem.from_parent(
                self, name=f"{rule.id}::shows what it does", ruleset=ruleset, rule=rule
            )
        for plan in plans:
            yield PlanItem.from_parent(self, name=plan.name, ruleset=ruleset, plan=plan)


class _RulesetItem(pytest.Item):
    """A test of a ruleset: no fixtures, no function."""

    def __init__(self, *, ruleset: Ruleset, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ruleset = ruleset

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was expected, without the frames that led here."""
        if isinstance(excinfo.value, ExpectationError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where it is from."""
        return self.path, None, self.name


class ExampleItem(_RulesetItem):
    """One example of a rule."""

    def __init__(self, *, rule: CompiledRule, test: RuleTest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule
        self.test = test

    def runtest(self) -> None:
        """Run it."""
        from tfgate.examples.run import run_example

        result = run_example(self.ruleset, self.rule, self.test)
        if result.passed:
            return
        lines = [f"expected {result.expected}, got {result.got}"]
        if result.got == result.expected:
            lines = [f"expected the message: {result.expected_message}"]
        lines += [f"message: {result.message}"] if result.message else []
        where = f"{self.rule.rule.file}:{self.rule.rule.line}"
        raise ExpectationError("\n".join([*lines, f"rule: {where}"]))


class ShownItem(_RulesetItem):
    """Whether a rule has shown that it can pass and fail."""

    def __init__(self, *, rule: CompiledRule, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule

    def runtest(self) -> None:
        """Run its examples, and see what they have shown."""
        from tfgate.authoring.rule_tests import run_tests

        report = run_tests(self.ruleset, self.rule.id)
        missing = [gap.what for gap in report.coverage.gaps if gap.serious]
        if missing:
            raise ExpectationError("\n".join(missing))


class PlanItem(_RulesetItem):
    """One test of a whole plan."""

    def __init__(self, *, plan: PlanTest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def runtest(self) -> None:
        """Run it."""
        from tfgate.authoring.rule_tests import run_plan_test

        result = run_plan_test(self.ruleset, self.plan)
        if not result.passed:
            raise ExpectationError("\n".join([*result.failures, f"test: {result.file}"]))
