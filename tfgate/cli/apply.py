"""``tfgate apply``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tfgate.app.apply import ApplyJob
from tfgate.app.apply import apply as run
from tfgate.app.authority import decision_alone
from tfgate.app.receipt_authority import WithReceipt
from tfgate.app.shim import shim_directories
from tfgate.cli.console import TerminalConsole
from tfgate.cli.options import approval_option, judging_options, make_request, receipt_option
from tfgate.cli.passing import PassingCommand, without_option
from tfgate.cli.verify import obligation_lines
from tfgate.errors import UsageError
from tfgate.report import parse_report_options
from tfgate.terraform import find_terraform
from tfgate.terraform.arguments import parse_apply
from tfgate.terraform.cliargs import merge_arguments, without_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.app.apply import ApplyResult
    from tfgate.app.authority import Authority


@click.command(
    cls=PassingCommand,
    epilog="Terraform's own options (-var, -target, -chdir, -auto-approve, -json, ...) are sorted "
    "into those of plan and of apply. Example: tfgate apply -var-file=prod.tfvars",
)
@judging_options
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="How to say the verdict, and where. Repeatable. Default: text on standard error.",
)
@click.option("--audit-log", metavar="FILE", help="Audit trail that everything is recorded in.")
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
    """Judge a plan, record the decision, and apply that plan and no other.

    PLANFILE is a saved plan (terraform plan -out=FILE); without it, terraform plan is run first.
    A private copy of it is judged, and that copy is applied. Without -auto-approve you are shown
    Terraform's plan and the verdict, and are asked.
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
    """Run the gate around ``terraform apply``, and give the exit code."""
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
    tell_end(console, result)
    return int(result.exit_code)


def authority_of(receipt: Path | None, env: Mapping[str, str]) -> Authority:
    """Give what lets an apply through: the decision, and a receipt where one is given."""
    if receipt is None:
        return decision_alone

    return WithReceipt(receipt, env)


def tell_end(console: Any, result: ApplyResult, *, drop_in: bool = False) -> None:
    """Say what Terraform does not say: that it failed, and what became of obligations."""
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
        console.say(
            "The apply itself is done; what was let through on the condition above must be mended."
        )
