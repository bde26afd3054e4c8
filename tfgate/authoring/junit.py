"""Results of ``tfgate rules test`` as JUnit XML: one suite a rule, one for each file of plan tests.

What the examples of a rule leave unshown stands in its suite as a skipped test, and as a failure
where the rule has not shown that it can pass and fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from tfgate.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.authoring.rule_tests import Gap, PlanTestResult, RuleReport, TestReport
    from tfgate.examples.run import ExampleResult

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def junit_text(reports: Iterable[TestReport]) -> str:
    """Return the document."""
    document = JUnitXml(name="tfgate rules test")
    for report in reports:
        for suite in _suites(report):
            suite.update_statistics()
            document.append(suite)
    document.update_statistics()
    root = ElementTree.fromstring(document.tostring())  # noqa: S314 - our own document
    ElementTree.indent(root)
    return f"{_DECLARATION}\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _suites(report: TestReport) -> Iterator[TestSuite]:
    for rule in report.rules:
        yield _rule_suite(rule)
    by_file: dict[str, TestSuite] = {}
    for plan in report.plans:
        suite = by_file.setdefault(plan.file, TestSuite(visible(plan.file)))
        suite.append(_plan_case(plan))
    yield from by_file.values()


def _rule_suite(rule: RuleReport) -> TestSuite:
    suite = TestSuite(visible(rule.rule.id))
    for result in rule.results:
        suite.append(_example_case(result))
    for gap in rule.coverage.gaps:
        suite.append(_gap_case(gap))
    return suite


def _example_case(result: ExampleResult) -> TestCase:
    case = TestCase(visible(result.example), classname=visible(result.rule))
    if not result.passed:
        says = f" ({result.message})" if result.message else ""
        message = f"expected {result.expected}, got {result.got}{says}"
        if result.got == result.expected:
            message = f"expected the message {result.expected_message!r}, got {result.message!r}"
        case.result = [Failure(visible(message), "example")]
    return case


def _gap_case(gap: Gap) -> TestCase:
    case = TestCase(visible(gap.what), classname=visible(gap.rule))
    message = visible(gap.what)
    case.result = [Failure(message, "coverage") if gap.serious else Skipped(message)]
    return case


def _plan_case(plan: PlanTestResult) -> TestCase:
    case = TestCase(visible(plan.name), classname=visible(plan.file))
    if not plan.passed:
        case.result = [Failure(visible("; ".join(plan.failures)), "plan test")]
    return case
