"""Results of ``tfgate rules test`` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.app.rule_tests import explain_example
from tfgate.cli.explain import explained_lines
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.examples import ExampleResult
    from tfgate.app.plan_tests import PlanTestResult
    from tfgate.app.rule_tests import RuleReport, TestReport

_MOST_GAPS = 50


def report_text(report: TestReport, *, explain: bool = False) -> str:
    """Write the failures of a ruleset, what is not shown, and one line that sums up."""
    lines = [console(line) for line in _lines(report, explain=explain)]
    return "\n".join(lines) + "\n"


def _lines(report: TestReport, *, explain: bool) -> Iterator[str]:
    for rule in report.rules:
        for result in rule.results:
            if not result.passed:
                yield from _example(report, rule, result, explain=explain)
    for plan in report.plans:
        if not plan.passed:
            yield from _plan(plan)
    yield from _gaps(report)
    yield _summary(report)


def _example(
    report: TestReport, rule: RuleReport, result: ExampleResult, *, explain: bool
) -> Iterator[str]:
    where = rule.rule.file + (f":{rule.rule.line}" if rule.rule.line else "")
    yield f"FAILED  {result.rule}: {result.example}"
    yield f"    in {where}"
    if result.got != result.expected:
        yield f"    expected {result.expected}, got {result.got}"
        if result.message:
            yield f"    it says: {result.message}"
    else:
        yield f"    expected the message: {result.expected_message}"
        yield f"    got the message:      {result.message}"
    if explain:
        yield from (f"    {line}" for line in _explained(report, rule, result))
    else:
        source = report.ruleset.source
        yield f"    see why: tfgate rules test {source} --only {result.rule} --explain"


def _explained(report: TestReport, rule: RuleReport, result: ExampleResult) -> Iterator[str]:
    for explained in explain_example(report.ruleset, rule.rule.id, result.example):
        yield from explained_lines(explained)


def _plan(plan: PlanTestResult) -> Iterator[str]:
    yield f"FAILED  {plan.name}"
    yield f"    in {plan.file}" + (f":{plan.line}" if plan.line else "")
    yield from (f"    {failure}" for failure in plan.failures)


def _gaps(report: TestReport) -> Iterator[str]:
    gaps = report.coverage.gaps
    for gap in [gap for gap in gaps if gap.serious]:
        yield f"FAILED  {gap.rule}: {gap.what}"
    rest = [gap for gap in gaps if not gap.serious]
    for gap in rest[:_MOST_GAPS]:
        yield f"not shown  {gap.rule}: {gap.what}"
    if len(rest) > _MOST_GAPS:
        yield f"not shown  {len(rest) - _MOST_GAPS} more"


def _summary(report: TestReport) -> str:
    examples = sum(len(rule.results) for rule in report.rules)
    parts = [_count(len(report.rules), "rule"), _count(examples, "example")]
    if report.plans:
        parts.append(_count(len(report.plans), "plan test"))
    verdict = f"{report.failed} failed" if report.failed else "all hold"
    ruleset = report.ruleset
    head = f"{ruleset.id} {ruleset.version} ({ruleset.source})"
    return f"{head}: {', '.join(parts)}, {verdict}; {report.coverage.percent:.1f} % shown"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
