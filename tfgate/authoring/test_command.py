"""``tfgate rules test``."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tfgate.authoring.explain import explained_lines
from tfgate.authoring.junit import junit_text
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
from tfgate.report.escape import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfgate.examples.run import ExampleResult


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


SECONDS: Final = 0.5
"""Between two looks. Polling needs no dependency, and a ruleset is some hundred files."""
_SUFFIXES: Final = (".toml", ".json", ".tf")


def watch_files(
    run: Callable[[], int],
    paths: Callable[[], Iterable[Path]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``run`` at once and after each change below ``paths``, until Ctrl-C.

    A ruleset with a mistake is no reason to stop: its author is about to mend it.
    """
    before: dict[str, int] | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            now = _stamps(paths())
            if now != before:
                before = now
                _run_again(run)
            sleep(SECONDS)


def _run_again(run: Callable[[], int]) -> None:
    try:
        run()
    except TfgateError as error:
        write_out("".join(f"{console(line)}\n" for line in str(error).split("\n")))
    write_out("watching for changes; Ctrl-C ends it\n")


def _stamps(paths: Iterable[Path]) -> dict[str, int]:
    """Return each file with the time of its last change, in nanoseconds."""
    found: dict[str, int] = {}
    for path in paths:
        files = [path] if path.is_file() else path.rglob("*")
        for file in files:
            if file.name.endswith(_SUFFIXES):
                try:
                    found[os.fspath(file)] = file.stat().st_mtime_ns
                except OSError:  # gone between the two
                    continue
    return found


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
    """Run every example and plan test of rulesets, and say what they leave unshown.

    SOURCE is a folder, a TOML file, tfgate:NAME or a ruleset in git; without any, the ruleset in
    this directory, else those of tfgate.toml. Exit code 1 says that an example does not hold,
    that a rule has no passing or no failing example, or that too little is shown.
    """

    def run() -> int:
        reports = _run(sources, config, only)
        write_out("".join(_texts(reports, explain=explain)))
        if junit is not None:
            write_file(junit, junit_text(reports))
        return _exit_code(reports, min_coverage)

    if watch:
        watch_files(run, lambda: _watched(sources))
        return int(ExitCode.ALLOWED)
    return run()


def _run(sources: Sequence[str], config: str | None, only: str | None) -> list[TestReport]:
    rulesets = load_sources(sources, Path.cwd(), os.environ, config=config)
    refuse_nothing(rulesets, only)
    return [run_tests(ruleset, only) for ruleset in rulesets]


def _texts(reports: Sequence[TestReport], *, explain: bool) -> list[str]:
    return [report_text(report, explain=explain) for report in reports]


def _exit_code(reports: Sequence[TestReport], least: float | None) -> int:
    """Turn results into the exit code; too little coverage is said on standard output."""
    code = ExitCode.ALLOWED if all(report.passed for report in reports) else ExitCode.DENIED
    for report in reports:
        if least is not None and report.coverage.percent < least:
            percent = f"{report.coverage.percent:.1f}"
            write_out(f"{report.ruleset.id}: {percent} % is shown, less than {least:g} %\n")
            code = ExitCode.DENIED
    return int(code)


def _watched(sources: Sequence[str]) -> list[Path]:
    return [Path(source) for source in sources if Path(source).exists()] or [Path.cwd()]
