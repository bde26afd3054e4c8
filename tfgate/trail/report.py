"""``tfgate audit report``: evidence for an auditor, out of the trail."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from tfgate._version import __version__
from tfgate.audit.search import parse_moment
from tfgate.command.output import bytes_bar, write_err, write_file, write_out
from tfgate.gate.duties import duty_rows
from tfgate.gate.evidence import (
    ListedWaiver,
    Read,
    Scope,
    change_rows,
    exception_rows,
    list_waivers,
    read_decisions,
    ruleset_rows,
    to_utc,
)
from tfgate.gate.gather import load_config
from tfgate.gate.request import Request
from tfgate.gate.trail import Trail, find_trail, verify_trail
from tfgate.gate.waiver_origin import Key, WaiverOrigin, waiver_origins
from tfgate.model.audit_report import (
    AuditReport,
    DecisionRow,
    DutiesRow,
    ExceptionRow,
    Figure,
    Integrity,
    Ref,
    RuleChangeRow,
)
from tfgate.model.text import glob_matches
from tfgate.opening import open_file
from tfgate.report.escape import dumps
from tfgate.trail.command import ALLOWED_SIGNERS, CHECKPOINTS, CONFIG, EVIDENCE
from tfgate.trail.report_formats import render as render_html
from tfgate.trail.report_formats import render_csv

if TYPE_CHECKING:
    from tfgate.audit.scan import VerifyResult


_MAX_SENTENCES = 200
_BLOCK = 1 << 20


def make_report(
    trail: Trail,
    scope: Scope,
    verified: VerifyResult,
    *,
    now: dt.datetime,
    waivers: Sequence[ListedWaiver] = (),
    origins: Mapping[Key, WaiverOrigin] | None = None,
) -> AuditReport:
    """Make the report; ``verified`` is what proving the same trail came to.

    ``waivers`` are those of the configuration in force, for what of them was never used;
    ``origins`` says who approved them. Raises ``AuditError`` where there is no trail.
    """
    read = read_decisions(trail, scope)
    exceptions = exception_rows(read)
    changes = change_rows(read, scope)
    decisions = tuple(row for row, _ in read.decisions)
    duties = duty_rows(read.decisions)
    known = origins or {}
    used = (_with_approvers(row, known) for row in _with_states(exceptions, waivers))
    unused = unused_waivers(waivers, exceptions, scope, read)
    return AuditReport(
        generated=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        tfgate=__version__,
        since=scope.since or "",
        until=scope.until or "",
        control=scope.control or "",
        workspace=scope.workspace or "",
        rules=tuple(sorted(read.rules)),
        figures=tuple(_figures(decisions, duties, exceptions, changes)),
        decisions=decisions,
        duties=tuple(duties),
        exceptions=tuple(used),
        unused=tuple(_with_approvers(row, known) for row in unused),
        changes=tuple(changes),
        rulesets=tuple(ruleset_rows(read)),
        integrity=_integrity(verified, read),
    )


def _figures(
    decisions: Sequence[DecisionRow],
    duties: Sequence[DutiesRow],
    exceptions: Sequence[ExceptionRow],
    changes: Sequence[RuleChangeRow],
) -> Iterator[Figure]:
    groups: dict[str, Sequence[DecisionRow | DutiesRow]] = {
        "let through by breaking the glass": [row for row in decisions if row.break_glass],
        "decisions": decisions,
        "allowed": [row for row in decisions if row.decision == "allow"],
        "denied": [row for row in decisions if row.decision == "deny"],
        "could not be decided": [row for row in decisions if row.decision == "undecided"],
        "applied": [row for row in decisions if row.applied == "applied"],
        "applies that failed": [row for row in decisions if row.applied.startswith("apply failed")],
        "applies without a recorded end": [
            row for row in decisions if row.applied == "no end recorded"
        ],
        "operators who were not proven": [row for row in decisions if not row.verified],
        "applies by somebody who was not proven": [
            row for row in duties if not row.applied_by.proven
        ],
        "applies where two duties were one person's": [row for row in duties if row.same],
    }
    for name, rows in groups.items():
        yield Figure(name, len(rows), tuple(row.ref for row in rows))
    for kind in ("waiver", "override"):
        of_kind = [one for one in exceptions if one.kind == kind]
        yield Figure(f"{kind}s used", len(of_kind), _refs(one.refs for one in of_kind))
    yield Figure("changes of rules", len(changes), _refs(change.refs for change in changes))
    alone = [change for change in changes if not change.approvers]
    name = "changes of rules that nobody else approved"
    yield Figure(name, len(alone), _refs(change.refs for change in alone))


def _refs(groups: Iterable[tuple[Ref, ...]]) -> tuple[Ref, ...]:
    return tuple({ref: None for refs in groups for ref in refs})


def _with_states(
    exceptions: Sequence[ExceptionRow], waivers: Sequence[ListedWaiver]
) -> Iterator[ExceptionRow]:
    """Say of each waiver that was used whether it is still there, and holds."""
    states = {_key(one): one.state for one in waivers if one.waiver is not None}
    for row in exceptions:
        if row.kind != "waiver" or not waivers:
            yield row
        else:
            key = (row.rules[0], row.address, row.owner, row.expires)
            yield replace(row, state=states.get(key, "not in the configuration any more"))


def _with_approvers(row: ExceptionRow, origins: Mapping[Key, WaiverOrigin]) -> ExceptionRow:
    """Say of a waiver that is in git who approved it, and since when it is there."""
    if row.kind != "waiver":
        return row
    origin = origins.get((row.rules[0], row.address, row.owner, row.reason, row.expires))
    if origin is None:
        return row
    return replace(row, approvers=origin.approvers or ("nobody else",), since=to_utc(origin.time))


def unused_waivers(
    waivers: Sequence[ListedWaiver], exceptions: Sequence[ExceptionRow], scope: Scope, read: Read
) -> Iterator[ExceptionRow]:
    """Return the waivers in force that let nothing through, those that end first at the head."""
    used = {(row.rules[0], row.address, row.owner, row.expires) for row in exceptions if row.rules}
    for one in sorted(
        waivers, key=lambda one: one.waiver.expires.isoformat() if one.waiver else ""
    ):
        waiver = one.waiver
        if waiver is None or _key(one) in used:
            continue
        if scope.control and not any(glob_matches(waiver.rule, rule) for rule in read.rules):
            continue
        yield ExceptionRow(
            kind="waiver",
            rules=(waiver.rule,),
            address=waiver.address,
            owner=waiver.owner,
            approvers=(),
            reason=waiver.reason,
            expires=waiver.expires.isoformat(),
            source=waiver.source,
            ticket=waiver.ticket or "",
            state=one.state,
        )


def _key(one: ListedWaiver) -> tuple[str, str, str, str]:
    waiver = one.waiver
    assert waiver is not None, "asked of waivers alone"
    return (waiver.rule, waiver.address, waiver.owner, waiver.expires.isoformat())


def _integrity(verified: VerifyResult, read: Read) -> Integrity:
    notes = [f"{note.file}: {note.text}" for note in verified.notes] + read.unread.sentences()
    return Integrity(
        holds=verified.ok,
        records=verified.records,
        chains=tuple(
            (chain.first_seq, chain.last_seq, chain.last_hash) for chain in verified.chains
        ),
        files=tuple((file, _digest(Path(file))) for file in verified.files),
        problems=tuple(f"{one.file}: {one.text}" for one in verified.problems[:_MAX_SENTENCES]),
        notes=tuple(notes[:_MAX_SENTENCES]),
        evidence=verified.evidence,
        checkpoints=verified.checkpoints,
        first_time=verified.first_time or "",
        last_time=verified.last_time or "",
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


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
@EVIDENCE
@CHECKPOINTS
@ALLOWED_SIGNERS
@CONFIG
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
        write_err(_summary(made, scope, output))


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


def _summary(made: AuditReport, scope: Scope, output: str) -> str:
    what = scope.control or "all rules"
    holds = "holds" if made.integrity.holds else "does NOT hold"
    return (
        f"{output}: {len(made.decisions)} decision(s) on {what}, "
        f"{len(made.exceptions)} exception(s), {len(made.changes)} change(s) of rules; "
        f"the trail {holds}."
    )
