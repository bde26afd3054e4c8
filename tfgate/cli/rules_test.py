"""``tfgate rules test``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.rule_sources import load_sources
from tfgate.app.rule_tests import refuse_nothing, run_tests
from tfgate.cli.output import write_file, write_out
from tfgate.cli.rules_junit import junit_text
from tfgate.cli.rules_test_text import report_text
from tfgate.cli.watching import watch_files
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.app.rule_tests import TestReport


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
