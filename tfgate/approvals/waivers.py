"""``tfgate waivers``: what is waived, and waivers out of other tools' comments."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tfgate.approvals.waiver_import import import_waivers
from tfgate.audit.search import parse_moment
from tfgate.command.output import write_err, write_file, write_lines, write_out
from tfgate.errors import AuditError
from tfgate.gate.evidence import Scope, exception_rows, list_waivers, read_decisions
from tfgate.gate.request import Request
from tfgate.gate.trail import find_trail
from tfgate.gate.waiver_origin import key_of, waiver_origins
from tfgate.report.escape import console
from tfgate.report.layout import in_columns
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.gate.evidence import ListedWaiver
    from tfgate.gate.waiver_origin import WaiverOrigin
    from tfgate.model.audit_report import ExceptionRow


# --- Every waiver and override, with who answers for it, how old it is, and what it was used for.


class ListedException(msgspec.Struct, frozen=True):
    """One waiver or override."""

    kind: str
    """``waiver`` or ``override``."""
    state: str
    """Of a waiver: ``holds``, ``ends soon``, …; of an override: ``holds`` or ``expired``."""
    rules: tuple[str, ...]
    address: str
    owner: str
    reason: str
    expires: str
    """Last day of a waiver, moment of an override."""
    source: str
    ticket: str = ""
    since: str = ""
    """When it was committed (a waiver) or signed (an override)."""
    authors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    used: int | None = None
    """Findings that it let through, of the decisions on record; ``None`` without a trail."""
    last_used: str = ""
    problem: str = ""


def list_exceptions(request: Request, *, since: str | None = None) -> tuple[ListedException, ...]:
    """List waivers in force and overrides that were used, what ends first at the head.

    ``since`` (as in a record) limits what counts as use. Raises ``ConfigError``.
    """
    used = _used(request, since)
    config = load_gate_config(request.cwd, request.env, config=request.config, flags=request.flags)
    origins = waiver_origins(config, request.cwd, request.env, request.config)
    listed = [_listed(one, origins, used) for one in list_waivers(request)]
    now = request.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    listed += [_override(row, now) for row in used or () if row.kind == "override"]
    return tuple(sorted(listed, key=lambda one: (one.expires or "0", one.rules, one.address)))


def _used(request: Request, since: str | None) -> Sequence[ExceptionRow] | None:
    """Return what the trail in force knows of exceptions; ``None`` where there is no trail."""
    trail = find_trail((), cwd=request.cwd, env=request.env, config=request.config)
    try:
        return exception_rows(read_decisions(trail, Scope(since=since)))
    except AuditError:
        return None


def _listed(
    one: ListedWaiver,
    origins: dict[tuple[str, str, str, str, str], WaiverOrigin],
    used: Sequence[ExceptionRow] | None,
) -> ListedException:
    waiver = one.waiver
    if waiver is None:
        return ListedException(
            "waiver", one.state, (), "", "", "", "", one.source, problem=one.problem
        )
    last = waiver.expires.isoformat()
    wanted = ((waiver.rule,), waiver.address, waiver.owner, last)
    rows = [row for row in used or () if (row.rules, row.address, row.owner, row.expires) == wanted]
    origin = origins.get(key_of(waiver)) if waiver.kind == "file" else None
    return ListedException(
        kind="waiver",
        state=one.state,
        rules=(waiver.rule,),
        address=waiver.address,
        owner=waiver.owner,
        reason=waiver.reason,
        expires=last,
        source=one.source,
        ticket=waiver.ticket or "",
        since="" if origin is None else origin.time,
        authors=() if origin is None else origin.authors,
        approvers=() if origin is None else origin.approvers,
        used=None if used is None else sum(row.used for row in rows),
        last_used=max((row.last for row in rows), default=""),
    )


def _override(row: ExceptionRow, now: str) -> ListedException:
    return ListedException(
        kind="override",
        state="holds" if row.expires > now else "expired",
        rules=row.rules,
        address="",
        owner=row.owner,
        reason=row.reason,
        expires=row.expires,
        source=row.source,
        since=row.since,
        approvers=row.approvers,
        used=row.used,
        last_used=row.last,
    )


@click.group()
def waivers() -> None:
    """List waivers, and import skip comments of checkov, tfsec and trivy.

    Example: tfgate waivers list
    """


@waivers.command("list", epilog="Example: tfgate waivers list envs/prod --since 90d")
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
              help="Ruleset with known rules. Repeatable. Default: tfgate.toml's.")  # fmt: skip
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option("--since", metavar="TIME", help="Count uses since then, as in 90d or 2026-01-31.")
@click.option("--unused", is_flag=True, help="List only waivers that let nothing through.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
def list_(
    directory: Path,
    rulesets: tuple[str, ...],
    config: str | None,
    since: str | None,
    unused: bool,
    as_json: bool,
) -> None:
    """List waivers of the configuration, its files and the comments in DIRECTORY, and overrides.

    The first to end comes first. Each is shown with its state, rules, address, owner and last day,
    with how often it was used (by the audit trail), who wrote and approved it (by git), and where
    it is.
    """
    now = dt.datetime.now(dt.timezone.utc)
    request = Request(
        plan=str(directory),
        env=os.environ,
        cwd=Path.cwd(),
        now=now,
        root=directory,
        config=config,
        flags={"gate.rulesets": list(rulesets) or None},
    )
    found = list_exceptions(request, since=None if since is None else parse_moment(since, now))
    chosen = [one for one in found if not (unused and (one.used or one.problem))]
    if as_json:
        write_lines(json.dumps(msgspec.to_builtins(one)) for one in chosen)
        return

    rows = [tuple(map(console, _row(one))) for one in chosen]
    for one, line in zip(chosen, in_columns(rows), strict=True):
        write_out(f"{line}\n")
        write_lines(f"    {console(line)}" for line in _details(one))


def _row(one: ListedException) -> tuple[str, str, str, str, str, str]:
    if one.problem:
        return one.state, "", one.problem, "", "", one.source
    rules = ", ".join(one.rules)
    address = one.address or "one plan"
    used = "" if one.used is None else f"used {one.used}x" if one.used else "never used"
    return one.state, rules, address, one.owner, one.expires[:10], used


def _details(one: ListedException) -> Iterator[str]:
    if one.problem:
        return
    ticket = f" ({one.ticket})" if one.ticket else ""
    yield f"{one.kind}: {one.reason}{ticket}"
    if one.since:
        verb = "signed" if one.kind == "override" else "since"
        who = f" by {', '.join(one.authors)}" if one.authors else ""
        approved = ", ".join(one.approvers) or "nobody else"
        yield f"{verb} {one.since[:10]}{who}, approved by {approved}"
    last = f"; last used {one.last_used[:10]}" if one.last_used else ""
    yield f"{one.source}{last}"


@waivers.command(
    "import",
    epilog="Example: tfgate waivers import --owner team@acme.example --expires 2027-06-30 "
    "--output waivers/imported.toml",
)
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--owner", required=True, metavar="NAME", help="Who answers for the waivers.")
@click.option("--expires", required=True, type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Last day of the waivers: 2027-06-30. A comment may end earlier.")  # fmt: skip
@click.option("--output", metavar="FILE", help="File to write (default: standard output).")
def import_(directory: Path, owner: str, expires: dt.datetime, output: str | None) -> None:
    """Write waivers for the #checkov:skip, #tfsec:ignore and #trivy:ignore comments in DIRECTORY.

    Comments without a matching rule are listed on standard error. Name the file in
    gate.waiver_files of tfgate.toml to put the waivers in force.
    """
    data_dir = os.environ.get("TF_DATA_DIR")
    found = import_waivers(
        directory,
        Path(data_dir) if data_dir else None,
        owner=owner,
        expires=expires.date(),
        today=dt.datetime.now(dt.timezone.utc).date(),
    )
    if output is None:
        write_out(found.toml())
    else:
        write_file(output, found.toml())
    for sentence in found.left:
        write_err(sentence)
    write_err(f"{len(found.waivers)} imported, {len(found.left)} left.")
