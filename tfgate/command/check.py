"""``tfgate check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tfgate.command.options import approval_option, judging_options, make_request
from tfgate.command.output import items_bar, tell, write_reports
from tfgate.command.reporting import report_context, report_many
from tfgate.errors import UsageError
from tfgate.gate.request import Ahead
from tfgate.report import parse_report_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.gate.request import Request
    from tfgate.report import ReportRequest


@click.command(
    epilog="Example: terraform plan -out=p.tfplan && tfgate check p.tfplan -r tfgate:core"
)
@click.argument("plan", required=False)
@click.option(
    "--source",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Instead of a plan, judge the configuration in DIR by the rules on sources.",
)
@judging_options
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="How to say it, and where. Repeatable. Default: text on standard output.",
)
@click.option("--audit-log", metavar="FILE", help="Audit trail that the decision is recorded in.")
@click.option("--no-audit", is_flag=True,
              help="Record nothing: to try rules out, never to apply something.")  # fmt: skip
@approval_option
@click.option(
    "--approval-request",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what approvers are asked with, where they could let the plan through.",
)
@click.option(
    "--receipt",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a signed receipt, for tfgate apply --receipt in another job.",
)
@click.option("--receipt-key", metavar="FILE",
              help="SSH key to sign the receipt with, instead of receipts.key.")  # fmt: skip
def check(
    plan: str | None,
    source: Path | None,
    reports: tuple[str, ...],
    audit_log: str | None,
    no_audit: bool,
    approval_request: Path | None,
    receipt: Path | None,
    **options: Any,
) -> int:
    """Judge PLAN, record the decision, and say allow or deny.

    PLAN is a saved plan (terraform plan -out=FILE), its JSON (terraform show -json FILE), or - for
    JSON on standard input. A directory or a stream of plans gets one decision each. The exit code
    is the verdict, of several the worst: see tfgate --help.

    With --source there is no plan: rules of scope source alone are evaluated, those of
    tfgate:source where no ruleset is named. That is for a pre-commit hook.
    """
    ahead = Ahead.of(plan) if plan is not None else None
    from tfgate.gate.check import check_all, overall

    requests = parse_report_options(reports)
    if source is not None:
        if plan is not None or receipt is not None or approval_request is not None:
            raise UsageError(
                "--source judges a configuration without a plan.",
                hint="Name the directory of a plan's configuration with --root.",
            )
        return _check_source(source, requests, audit=not no_audit, audit_log=audit_log, **options)
    if plan is None:
        raise click.UsageError("Missing argument 'PLAN', or --source DIR.")
    request = make_request(plan, audit_log=audit_log, ahead=ahead, **options)
    if receipt is not None or approval_request is not None:
        return _check_with_papers(request, receipt, approval_request, requests, audit=not no_audit)
    entries = check_all(request, audit=not no_audit)
    result = entries[0].result
    if len(entries) > 1 or result is None:
        report_many(entries, requests, request.now)
        return int(overall(entries))
    formats = [report.format for report in requests]
    write_reports(requests, result.decision, report_context(result, request.now, formats))
    return int(result.exit_code)


def _check_source(
    source: Path,
    reports: Sequence[ReportRequest],
    *,
    audit: bool,
    root: Path | None,
    **options: Any,
) -> int:
    from tfgate.gate.check import check_sources

    if root is not None:
        raise UsageError("--source is the root already.", hint="Leave --root out.")
    options.pop("receipt_key", None)
    request = make_request(str(source), root=source, **options)
    with items_bar("Reading sources", "files") as progress:
        result = check_sources(replace(request, progress=progress), audit=audit)
    formats = [report.format for report in reports]
    write_reports(reports, result.decision, report_context(result, request.now, formats))
    return int(result.exit_code)


def _check_with_papers(
    request: Request,
    receipt: Path | None,
    approval_request: Path | None,
    reports: Sequence[ReportRequest],
    *,
    audit: bool,
) -> int:
    from tfgate.gate.receipts import Papers, check_with_papers

    result = check_with_papers(request, Papers(receipt, approval_request), audit=audit)
    formats = [report.format for report in reports]
    write_reports(reports, result.decision, report_context(result, request.now, formats))
    for note in result.notes:
        tell(f"tfgate: {note}")
    return int(result.exit_code)
