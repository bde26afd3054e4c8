"""``tfgate rules test``: the command, its report for people, and JUnit XML."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

import click
from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from tfgate.authoring.explain import explained_lines
from tfgate.authoring.rule_tests import (
    PlanTestResult,
    RuleReport,
    TestReport,
    explain_example,
    load_sources,
    refuse_nothing,
    run_tests,
)
from tfgate.command.output import write_file, write_out
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode
from tfgate.report.escape import console, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfgate.examples.run import ExampleResult

_MOST_GAPS = 50
SECONDS: Final = 0.5
"""Between two looks at the files. Polling needs no dependency, and a ruleset is small."""
_SUFFIXES: Final = (".toml", ".json", ".tf")


@click.command(epilog="Example: tfgate rules test ./policy --min-coverage 100 --junit rules.xml")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option("--only", metavar="RULE", help="Only rules whose id fits this glob.")
@click.option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
@click.option("--min-coverage", type=click.FloatRange(0, 100), metavar="PERCENT",
              help="Fail where examples show less than this of the rules.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Show how each failing example was evaluated.")
@click.option("--watch", is_flag=True, help="Run again whenever a file of a ruleset changes.")
def test(
    sources: tuple[str, ...],
    config: str | None,
    only: str | None,
    junit: str | None,
    min_coverage: float | None,
    explain: bool,
    watch: bool,
) -> int:
    """Run every example and plan test of rulesets, and report what they do not show.

    SOURCE is a folder, a TOML file, tfgate:NAME or a ruleset in git; without any, the ruleset in
    this directory, else those of tfgate.toml. Exit code 1: an example does not hold, a rule has no
    passing or no failing example, or too little is shown.
    """

    def run() -> int:
        rulesets = load_sources(sources, Path.cwd(), os.environ, config=config)
        refuse_nothing(rulesets, only)
        reports = [run_tests(ruleset, only) for ruleset in rulesets]
        write_out("".join(report_text(report, explain=explain) for report in reports))
        if junit is not None:
            write_file(junit, junit_text(reports))
        return _exit_code(reports, min_coverage)

    if not watch:
        return run()
    watch_files(run, lambda: [Path(s) for s in sources if Path(s).exists()] or [Path.cwd()])
    return int(ExitCode.ALLOWED)


def _exit_code(reports: Sequence[TestReport], least: float | None) -> int:
    """Turn results into the exit code; report too little coverage on standard output."""
    code = ExitCode.ALLOWED if all(report.passed for report in reports) else ExitCode.DENIED
    for report in reports:
        if least is not None and report.coverage.percent < least:
            percent = f"{report.coverage.percent:.1f}"
            write_out(f"{report.ruleset.id}: {percent} % is shown, less than {least:g} %\n")
            code = ExitCode.DENIED
    return int(code)


def watch_files(
    run: Callable[[], int],
    paths: Callable[[], Iterable[Path]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``run`` at once and after each change below ``paths``, until Ctrl-C.

    An error in a ruleset does not end it: its author is about to fix it.
    """
    before: dict[str, int] | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            now = _stamps(paths())
            if now != before:
                before = now
                try:
                    run()
                except TfgateError as error:
                    write_out("".join(f"{console(line)}\n" for line in str(error).split("\n")))
                write_out("watching for changes; Ctrl-C ends it\n")
            sleep(SECONDS)


def _stamps(paths: Iterable[Path]) -> dict[str, int]:
    """Return each file with the time of its last change, in nanoseconds."""
    found: dict[str, int] = {}
    for path in paths:
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.name.endswith(_SUFFIXES):
                with contextlib.suppress(OSError):  # gone between the two
                    found[os.fspath(file)] = file.stat().st_mtime_ns
    return found


def report_text(report: TestReport, *, explain: bool = False) -> str:
    """Write the failures of a ruleset, what is not shown, and one line that sums up."""
    return "".join(f"{console(line)}\n" for line in _lines(report, explain=explain))


def _lines(report: TestReport, *, explain: bool) -> Iterator[str]:
    for rule in report.rules:
        for result in rule.results:
            if not result.passed:
                yield from _example(report, rule, result, explain=explain)
    for plan in report.plans:
        if not plan.passed:
            yield f"FAILED  {plan.name}"
            yield f"    in {plan.file}" + (f":{plan.line}" if plan.line else "")
            yield from (f"    {failure}" for failure in plan.failures)
    gaps = report.coverage.gaps
    yield from (f"FAILED  {gap.rule}: {gap.what}" for gap in gaps if gap.serious)
    rest = [gap for gap in gaps if not gap.serious]
    yield from (f"not shown  {gap.rule}: {gap.what}" for gap in rest[:_MOST_GAPS])
    if len(rest) > _MOST_GAPS:
        yield f"not shown  {len(rest) - _MOST_GAPS} more"
    yield _summary(report)


def _example(
    report: TestReport, rule: RuleReport, result: ExampleResult, *, explain: bool
) -> Iterator[str]:
    yield f"FAILED  {result.rule}: {result.example}"
    yield f"    in {rule.rule.file}" + (f":{rule.rule.line}" if rule.rule.line else "")
    if result.got != result.expected:
        yield f"    expected {result.expected}, got {result.got}"
        if result.message:
            yield f"    it says: {result.message}"
    else:
        yield f"    expected the message: {result.expected_message}"
        yield f"    got the message:      {result.message}"
    if not explain:
        source = report.ruleset.source
        yield f"    see why: tfgate rules test {source} --only {result.rule} --explain"
        return
    for explained in explain_example(report.ruleset, rule.rule.id, result.example):
        yield from (f"    {line}" for line in explained_lines(explained))


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


def junit_text(reports: Iterable[TestReport]) -> str:
    """Return the results as JUnit XML: a suite for each rule, and for each file of plan tests.

    What the examples of a rule do not show is a skipped test in its suite, and a failure where the
    rule has not shown that it can pass and fail.
    """
    document = JUnitXml(name="tfgate rules test")
    for report in reports:
        for suite in _suites(report):
            suite.update_statistics()
            document.append(suite)
    document.update_statistics()
    root = ElementTree.fromstring(document.tostring())  # noqa: S314 - our own document
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suites(report: TestReport) -> Iterator[TestSuite]:
    for rule in report.rules:
        suite = TestSuite(visible(rule.rule.id))
        for result in rule.results:
            suite.append(_case(result.example, result.rule, _failed_example(result)))
        for gap in rule.coverage.gaps:
            what = visible(gap.what)
            found = Failure(what, "coverage") if gap.serious else Skipped(what)
            suite.append(_case(gap.what, gap.rule, found))
        yield suite
    by_file: dict[str, TestSuite] = {}
    for plan in report.plans:
        suite = by_file.setdefault(plan.file, TestSuite(visible(plan.file)))
        suite.append(_case(plan.name, plan.file, _failed_plan(plan)))
    yield from by_file.values()


def _case(name: str, of: str, result: Failure | Skipped | None) -> TestCase:
    case = TestCase(visible(name), classname=visible(of))
    if result is not None:
        case.result = [result]
    return case


def _failed_example(result: ExampleResult) -> Failure | None:
    if result.passed:
        return None
    message = f"expected {result.expected}, got {result.got}"
    message += f" ({result.message})" if result.message else ""
    if result.got == result.expected:
        message = f"expected the message {result.expected_message!r}, got {result.message!r}"
    return Failure(visible(message), "example")


def _failed_plan(plan: PlanTestResult) -> Failure | None:
    return None if plan.passed else Failure(visible("; ".join(plan.failures)), "plan test")
