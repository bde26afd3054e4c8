"""``tfgate apply``."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict, replace

from tfgate.command.options import (
    PassingCommand,
    approval_option,
    evaluation_options,
    make_request,
    receipt_option,
    without_option,
)
from tfgate.command.output import write_err, write_file, write_out
from tfgate.command.reporting import report_context
from tfgate.engine.recheck import Result
from tfgate.errors import UsageError
from tfgate.gate.apply import ApplyJob, decision_alone
from tfgate.gate.apply import apply as run
from tfgate.gate.exec import shim_directories
from tfgate.gate.receipts import WithReceipt
from tfgate.gate.verify import Source, verify_decision
from tfgate.report import parse_report_options, render, terminal_of
from tfgate.report.escape import console
from tfgate.terraform import find_terraform
from tfgate.terraform.arguments import parse_apply
from tfgate.terraform.commandline import merge_arguments, without_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfgate.gate.apply import ApplyResult, Authority
    from tfgate.gate.check import CheckResult
    from tfgate.gate.verify import Obligations
    from tfgate.report import ReportRequest, Terminal


class TerminalConsole:
    """Speaks on standard error, and asks on standard input."""

    def __init__(
        self, reports: Sequence[ReportRequest], now: dt.datetime, *, drop_in: bool = False
    ) -> None:
        self._reports = reports
        self._now = now
        self._drop_in = drop_in

    @property
    def can_ask(self) -> bool:
        """Whether standard input is a terminal; in place of Terraform it is read in any case."""
        return self._drop_in or sys.stdin.isatty()

    @property
    def can_color(self) -> bool:
        """Whether standard output is a terminal that did not ask for no colour.

        In place of Terraform its own habit is kept: colour, unless ``-no-color`` is given.
        """
        return self._drop_in or _stream(sys.stdout.fileno()).color

    def verdict(self, result: CheckResult) -> None:
        """Show the decision: text on standard error, unless reports were asked for."""
        formats = [report.format for report in self._reports]
        layout = asdict(_stream(2))
        context = replace(report_context(result, self._now, formats), **layout)
        for report in self._reports:
            text = render(report.format, result.decision, context)
            if report.file is None:
                self._write(text)
            else:
                write_file(report.file, text)

    def say(self, text: str) -> None:
        """Show a sentence, with nothing in it that a terminal would obey."""
        self._write(f"tfgate: {console(text)}\n")

    def ask(self, question: str) -> str:
        """Ask until the line ends; the end of input is no answer."""
        self._write(
            f"\n{console(question)}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
        )
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            self._write("\n")
        return answer

    def output(self, data: bytes) -> None:
        """Pass on what Terraform prints."""
        sys.stdout.flush()
        view = memoryview(data)
        while view:
            view = view[os.write(sys.stdout.fileno(), view) :]

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.flush()
        data = text.encode(sys.stderr.encoding or "utf-8", "backslashreplace")
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.flush()


def _stream(descriptor: int) -> Terminal:
    return terminal_of(
        os.environ,
        is_terminal=os.isatty(descriptor),
        columns=shutil.get_terminal_size((80, 24)).columns,
        encoding=sys.stderr.encoding,
    )


@click.command(epilog="Example: tfgate verify 20261124T120000Z-0123456789abcdef")
@click.argument("decision_id")
@evaluation_options
@click.option("--audit-log", metavar="FILE", help="Audit trail with the decision.")
@click.option(
    "--evidence",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Directory of evidence files, or the decision's own file.",
)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    help="The plan of the decision, for rules that need more than the state.",
)
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path),
              help="Output of terraform show -json. Default: tfgate runs it.")  # fmt: skip
def verify(
    decision_id: str,
    audit_log: str | None,
    evidence: Path | None,
    plan_file: str | None,
    state: Path | None,
    **options: Any,
) -> int:
    """Check on the present state what a decision let through as unknown.

    DECISION_ID may be shortened. The rulesets in force must be those of the decision. Exit code 0:
    every obligation is met; 1: one is broken; 3: one could not be checked.
    """
    request = make_request("the state", audit_log=audit_log, **options)
    found = verify_decision(request, decision_id, Source(evidence, plan_file, state))
    for warning in found.warnings:
        write_err(f"tfgate: {warning}")
    lines = list(obligation_lines(found.obligations))
    if not lines:
        lines = [f"The decision {found.decision_id} let nothing through as unknown."]
    write_out("".join(f"{line}\n" for line in lines))
    return int(found.obligations.exit_code)


def obligation_lines(obligations: Obligations) -> Iterator[str]:
    """Yield one line for each obligation: what became of it."""
    words = {
        Result.MET: "holds after the apply",
        Result.BROKEN: "is BROKEN after the apply",
        Result.UNRESOLVED: "could not be checked after the apply",
    }
    for one in obligations.checked:
        reason = "" if one.result is Result.MET else f": {one.message}"
        yield console(f"{one.rule} {words[one.result]} on {one.address}{reason}")


@click.command(
    cls=PassingCommand,
    epilog="Terraform's own options (-var, -target, -chdir, -auto-approve, -json, ...) are sorted "
    "into those of plan and of apply. Example: tfgate apply -var-file=prod.tfvars",
)
@evaluation_options
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="Report format and optional file. Repeatable. Default: text on standard error.",
)
@click.option("--audit-log", metavar="FILE", help="Audit trail to record everything in.")
@click.option("--no-audit", is_flag=True, hidden=True)
@approval_option
@receipt_option
def apply(
    reports: tuple[str, ...],
    audit_log: str | None,
    no_audit: bool,
    receipt: Path | None,
    terraform: tuple[str, ...],
    **options: Any,
) -> int:
    """Evaluate a plan, record the decision, and apply exactly that plan.

    PLANFILE is a saved plan (terraform plan -out=FILE); without it, terraform plan is run first.
    A private copy of it is evaluated, and that copy is applied. Without -auto-approve you are shown
    Terraform's plan and the verdict, and then asked.
    """
    if no_audit:
        raise UsageError(
            "Nothing is applied without a record, so --no-audit is for tfgate check alone."
        )
    return run_apply(terraform, reports, audit_log, receipt, options)


without_option(apply, "root")


def run_apply(
    terraform: tuple[str, ...],
    reports: tuple[str, ...],
    audit_log: str | None,
    receipt: Path | None,
    options: dict[str, Any],
) -> int:
    """Run the gate around ``terraform apply``, and return the exit code."""
    requests = parse_report_options(reports)
    request = make_request("the plan", root=None, audit_log=audit_log, **options)
    env = without_arguments(request.env)
    arguments = parse_apply(merge_arguments(request.env, "apply", ["apply", *terraform])[1:])
    if arguments.help:
        click.echo(click.get_current_context().get_help())
        return 0
    root = None if arguments.chdir is None else request.cwd / Path(arguments.chdir)
    request = replace(request, env=env, root=root, plan=arguments.plan_file or "the plan just made")
    console = TerminalConsole(requests, request.now)
    job = ApplyJob(
        request,
        arguments,
        find_terraform(env, skip=shim_directories(env)),
        console,
        lambda: dt.datetime.now(dt.timezone.utc),
        authority=authority_of(receipt, env),
    )
    result = run(job)
    report_end(console, result)
    return int(result.exit_code)


def authority_of(receipt: Path | None, env: Mapping[str, str]) -> Authority:
    """Return what lets an apply through: the decision, and a receipt where one is given."""
    if receipt is None:
        return decision_alone

    return WithReceipt(receipt, env)


def report_end(console: Any, result: ApplyResult, *, drop_in: bool = False) -> None:
    """Report what Terraform does not: that it failed, and what became of obligations."""
    applied = result.applied
    if applied is None:
        return
    if applied.terraform_exit_code != 0 and not drop_in:
        console.say(f"The apply failed: terraform ended with {applied.terraform_exit_code}.")
    if applied.obligations is None:
        return
    for line in obligation_lines(applied.obligations):
        console.say(line)
    if any(one.blocks for one in applied.obligations.checked):
        console.say("The apply is done. Fix what was let through on the conditions above.")
