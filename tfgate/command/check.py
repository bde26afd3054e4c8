"""``tfgate check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tfgate.command.options import approval_option, evaluation_options, make_request
from tfgate.command.output import items_bar, write_err, write_reports
from tfgate.command.reporting import report_context, report_many
from tfgate.errors import UsageError
from tfgate.gate.request import EarlyRead
from tfgate.report import parse_report_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.gate.check import Evaluated
    from tfgate.gate.request import Request
    from tfgate.model.decision import Decision
    from tfgate.plan import Plan
    from tfgate.report import ReportContext, ReportRequest


@click.command(
    epilog="Example: terraform plan -out=p.tfplan && tfgate check p.tfplan -r tfgate:core"
)
@click.argument("plan", required=False)
@click.option(
    "--source",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Evaluate the configuration in DIR instead of a plan, with the rules on sources.",
)
@evaluation_options
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="Report format and optional file. Repeatable. Default: text on standard output.",
)
@click.option("--audit-log", metavar="FILE", help="Audit trail to record the decision in.")
@click.option("--no-audit", is_flag=True,
              help="Record nothing. For trying rules out, never for an apply.")  # fmt: skip
@approval_option
@click.option(
    "--approval-request",
    metavar="FILE|URL",
    help="Write an approval request, or send it to an approval server, where approvals could let "
    "the plan through.",
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
    approval_request: str | None,
    receipt: Path | None,
    **options: Any,
) -> int:
    """Evaluate PLAN, record the decision, and report it.

    PLAN is a saved plan (terraform plan -out=FILE), its JSON (terraform show -json FILE), or - for
    JSON on standard input. With a directory or a stream of plans, each plan gets a decision. The
    exit code is the verdict (with several plans the worst verdict): see tfgate --help.

    With --source there is no plan: only rules of scope source are evaluated (by default those of
    tfgate:source). Use it in a pre-commit hook.
    """
    early = EarlyRead.of(plan) if plan is not None else None
    from tfgate.gate.check import check_all, overall

    requests = parse_report_options(reports)
    if source is not None:
        if plan is not None or receipt is not None or approval_request is not None:
            raise UsageError(
                "--source evaluates a configuration without a plan.",
                hint="Name the directory of a plan's configuration with --root.",
            )
        return _check_source(source, requests, audit=not no_audit, audit_log=audit_log, **options)
    if plan is None:
        raise click.UsageError("Missing argument 'PLAN', or --source DIR.")
    request = make_request(plan, audit_log=audit_log, early=early, **options)
    if receipt is not None or approval_request is not None:
        return _check_with_documents(
            request, receipt, approval_request, requests, audit=not no_audit
        )
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


def _check_with_documents(
    request: Request,
    receipt: Path | None,
    approval_request: str | None,
    reports: Sequence[ReportRequest],
    *,
    audit: bool,
) -> int:
    from tfgate.gate.receipts import Documents, check_with_documents

    render: Callable[[Plan, Decision, ReportContext], str] | None
    render = click.get_current_context().obj

    def page(evaluated: Evaluated) -> str:
        assert render is not None, "a page is asked for where there is one"
        context = report_context(evaluated.result, request.now, ())
        return render(evaluated.gathered.plan, evaluated.result.decision, context)

    documents = Documents(receipt, approval_request, None if render is None else page)
    result = check_with_documents(request, documents, audit=audit)
    formats = [report.format for report in reports]
    write_reports(reports, result.decision, report_context(result, request.now, formats))
    for note in result.notes:
        write_err(f"tfgate: {note}")
    return int(result.exit_code)
