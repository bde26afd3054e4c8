"""``tfgate atlantis apply``: a step of an Atlantis apply, whose exit status counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from tfgate.app.atlantis.step import server_side_config, step_facts, terraform_of
from tfgate.app.check import check
from tfgate.cli.apply import run_apply
from tfgate.cli.options import approval_option, judging_options, make_request, receipt_option
from tfgate.cli.output import write_reports
from tfgate.cli.passing import PassingCommand, without_option
from tfgate.cli.reporting import report_context
from tfgate.errors import UsageError
from tfgate.report import ReportRequest

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.app.request import Request


class _StepCommand(PassingCommand):
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say in the usage line that the plan is not named."""
        return ["[OPTIONS]", "[TERRAFORM OPTIONS]"]


@click.command(
    cls=_StepCommand,
    epilog="Example, as a step of apply, instead of Atlantis's own: tfgate atlantis apply --config "
    "/etc/tfgate/tfgate.toml",
)
@judging_options
@click.option("--check-only", is_flag=True,
              help="Judge $PLANFILE and apply nothing: for a step before Atlantis's own apply, "
                   "which then reads the file again.")  # fmt: skip
@click.option("--audit-log", metavar="FILE", help="Audit trail that everything is recorded in.")
@approval_option
@receipt_option
def apply(
    check_only: bool,
    audit_log: str | None,
    receipt: Path | None,
    terraform: tuple[str, ...],
    **options: Any,
) -> int:
    """Judge $PLANFILE, record the decision, and apply that plan and no other.

    This is tfgate apply -auto-approve with Atlantis's variables and the server's own configuration
    (--config or TFGATE_CONFIG, outside of the checkout). What Atlantis's policy owners approved
    does not count here; approvals signed with tfgate approve do.
    """
    if "--help" in terraform or "-help" in terraform:
        click.echo(click.get_current_context().get_help())
        return 0
    plan = os.environ.get("PLANFILE")
    if not plan:
        raise UsageError("There is no $PLANFILE.", hint="This is a step of an Atlantis workflow.")
    if not os.environ.get("TFGATE_TERRAFORM") and (program := terraform_of(os.environ)):
        os.environ["TFGATE_TERRAFORM"] = program
    options |= {"workspace": os.environ.get("WORKSPACE") or None, "operator": None}
    options["facts"] = [*step_facts(os.environ), *options["facts"]]
    request = make_request(plan, root=None, audit_log=audit_log, **options)
    server_side_config(request)
    if check_only:
        return _check(request, terraform)

    words = ("-auto-approve", "-input=false", "-no-color", *terraform, plan)
    return run_apply(words, (), audit_log, receipt, options)


for _name in ("root", "workspace", "operator"):
    without_option(apply, _name)


def _check(request: Request, terraform: tuple[str, ...]) -> int:
    if terraform:
        raise UsageError(f"{terraform[0]} is for an apply, and --check-only applies nothing.")
    result = check(request)
    write_reports(
        [ReportRequest("text", None)], result.decision, report_context(result, request.now, [])
    )
    return int(result.exit_code)
