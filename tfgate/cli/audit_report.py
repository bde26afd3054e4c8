"""``tfgate audit report``: evidence for an auditor."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.evidence_gather import Scope
from tfgate.app.evidence_report import make_report
from tfgate.app.gather import load_config
from tfgate.app.request import Request
from tfgate.app.trail import find_trail, verify_trail
from tfgate.app.waiver_list import list_waivers
from tfgate.app.waiver_origin import waiver_origins
from tfgate.audit.moment import parse_moment
from tfgate.cli.output import tell, write_file, write_out
from tfgate.cli.progress import bytes_bar
from tfgate.report.audit_csv import render as render_csv
from tfgate.report.audit_html import render as render_html
from tfgate.report.jsontext import dumps

if TYPE_CHECKING:
    from tfgate.app.waiver_list import ListedWaiver
    from tfgate.app.waiver_origin import Key, WaiverOrigin
    from tfgate.model.audit_report import AuditReport

_KINDS = {".html": "html", ".csv": "csv", ".json": "json"}


@click.command(
    "report",
    epilog="Example: tfgate audit report --control soc2:CC8.1 --from 2026-01-01 --to 2026-03-31 "
    "--output evidence.html",
)
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@click.option(
    "--control",
    metavar="GLOB",
    help="FRAMEWORK:CONTROL that the rules stand for, as in soc2:CC8.1 or soc2:*. "
    "Default: every rule.",
)
@click.option("--from", "since", metavar="TIME", help="2026-01-31, 2026-01-31T12:00:00Z, or 90d.")
@click.option("--to", "until", metavar="TIME", help="Likewise; a day is meant to its end.")
@click.option("--workspace", metavar="GLOB", help="Workspaces to report on. Default: all.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "csv", "json"]),
    help="Default: what the name of the output ends in, else html.",
)
@click.option(
    "--output", "-o", metavar="FILE", help="Where to write it (default: standard output)."
)
@click.option("--evidence", metavar="DIR", help="Evidence files to check, as for audit verify.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE|DIR",
    help="Checkpoint that was kept elsewhere. Repeatable.",
)
@click.option("--allowed-signers", metavar="FILE", help="Whose checkpoints to believe.")
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
def report(
    files: tuple[str, ...],
    control: str | None,
    since: str | None,
    until: str | None,
    workspace: str | None,
    kind: str | None,
    output: str | None,
    evidence: str | None,
    checkpoints: tuple[str, ...],
    allowed_signers: str | None,
    config: str | None,
) -> None:
    """Write evidence: decisions, exceptions and changes of rules with who approved them, and proof.

    Without FILE: the trail in force, whose waivers of the configuration are listed too. Every
    figure names the records behind it.
    """
    now = dt.datetime.now(dt.timezone.utc)
    scope = Scope(
        control=control,
        since=None if since is None else parse_moment(since, now),
        until=None if until is None else parse_moment(until, now, end=True),
        workspace=workspace,
    )
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    with bytes_bar("verifying") as progress:
        verified = verify_trail(
            trail,
            evidence=evidence,
            checkpoints=checkpoints,
            allowed_signers=allowed_signers,
            progress=progress,
        )
    waivers, origins = ((), {}) if files else _waivers(config, now)
    made = make_report(trail, scope, verified.result, now=now, waivers=waivers, origins=origins)
    kind = kind or _KINDS.get(Path(output or "").suffix, "html")
    text = _written(made, kind)
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
        tell(_told(made, scope, output))


def _waivers(
    config: str | None, now: dt.datetime
) -> tuple[tuple[ListedWaiver, ...], dict[Key, WaiverOrigin]]:
    cwd = Path.cwd()
    request = Request(plan=str(cwd), env=os.environ, cwd=cwd, now=now, config=config)
    origins = waiver_origins(load_config(request), cwd, os.environ, config)
    return list_waivers(request), origins


def _written(made: AuditReport, kind: str) -> str:
    if kind == "json":
        return dumps(made)
    if kind == "csv":
        return render_csv(made)

    return render_html(made)


def _told(made: AuditReport, scope: Scope, output: str) -> str:
    what = scope.control or "all rules"
    holds = "holds" if made.integrity.holds else "does NOT hold"
    return (
        f"{output}: {len(made.decisions)} decision(s) on {what}, "
        f"{len(made.exceptions)} exception(s), {len(made.changes)} change(s) of rules; "
        f"the trail {holds}."
    )
