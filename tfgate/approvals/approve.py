"""``tfgate approve``: the approver's side. Nothing in the request is believed unseen."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click
import msgspec
from msgspec.structs import asdict

from tfgate.audit.record import moment_of
from tfgate.audit.search import parse_moment
from tfgate.audit.signing import APPROVALS
from tfgate.command.output import terminal, write_err, write_out
from tfgate.engine.override import refused_at_glass, refused_person
from tfgate.errors import UsageError
from tfgate.gate.approvals import (
    PAYLOAD_TYPE,
    check_asked,
    glass_terms,
    read_approval,
    trusted,
)
from tfgate.gate.documents import (
    DocumentError,
    decode_document,
    read_document,
    seal,
    write_document,
)
from tfgate.model.approval import ApprovalRequest, ApprovalStatement, ApprovedFinding
from tfgate.report.escape import clip, console
from tfgate.report.layout import Sheet
from tfgate.ruleset import GateConfig, load_gate_config

_SPAN = re.compile(r"(\d{1,4})([hd])", re.ASCII)
_HOURS = {"h": 1, "d": 24}


@dataclass(frozen=True)
class Approver:
    """How an approver signs."""

    key: str
    reason: str
    now: dt.datetime
    expires: str | None = None
    """``4h``, ``2d``, a day, or RFC 3339; ``None`` for as long as the request proposes."""


def read_request(path: Path) -> ApprovalRequest:
    """Read a request and check that it asks for what can be approved. Raises ``UsageError``."""
    data = read_document(path, "approval request")
    try:
        request = decode_document(data, ApprovalRequest)
        check_asked(request)
    except DocumentError as error:
        raise UsageError(
            f"{path} is no approval request: {error}.",
            hint="`tfgate check PLAN --approval-request FILE` writes one.",
        ) from None
    return request


def statement_of(request: ApprovalRequest, approver: Approver) -> ApprovalStatement:
    """Return what is to be signed. Raises ``UsageError`` for a reason or an end that cannot be.

    The gate's longest time is what the request proposes, counted from the signing.
    """
    if not approver.reason.strip():
        raise UsageError("An approval needs a reason.", hint="Say it with --reason.")
    if len(approver.reason) > 2_000:
        raise UsageError("The reason is longer than 2,000 characters.")
    latest = _later(approver.now, request.expires - request.created)
    expires = min(latest, _end(approver.expires, approver.now, latest))
    if expires <= approver.now:
        raise UsageError("The approval would be over before it begins.", hint="See --expires.")
    return ApprovalStatement(
        request=request, reason=approver.reason.strip(), approved=approver.now, expires=expires
    )


def _later(now: dt.datetime, span: dt.timedelta) -> dt.datetime:
    try:
        return now + span
    except OverflowError:
        raise UsageError("The request proposes an end that no calendar has.") from None


def _end(text: str | None, now: dt.datetime, latest: dt.datetime) -> dt.datetime:
    if text is None:
        return latest
    if span := _SPAN.fullmatch(text.strip()):
        return now + dt.timedelta(hours=int(span[1]) * _HOURS[span[2]])
    return moment_of(parse_moment(text, now, end=True))


def sign_approval(statement: ApprovalStatement, key: str) -> bytes:
    """Return the signed approval, to be written to a file. Raises ``AuditError`` if that fails."""
    payload = msgspec.json.encode(statement, order="sorted")
    return seal(payload, PAYLOAD_TYPE, key, APPROVALS)


def check_counts(signed: bytes, now: dt.datetime, config: GateConfig) -> None:
    """Refuse an approval that the gate will not take: of its own operator, of no allowed signer.

    Where the configuration at hand names no keys, only the gate can check. Raises ``UsageError``.
    """
    named = config.approvals
    if named.allowed_signers is None and named.servers is None:
        return
    try:
        with trusted(config) as signers:
            one = read_approval(signed, "approval", signers, now)
        request, names = one.statement.request, one.approval.principals
        if request.break_glass:
            why = refused_at_glass(one.approval, glass_terms(config))
        else:
            why = refused_person(names, operators=(request.operator,), authors=request.authors)
    except DocumentError as error:
        why = str(error)
    if why is not None:
        raise UsageError(
            f"No approval was written: by {named.allowed_signers or named.servers} it would not "
            f"count, as {why}.",
            hint="Another gate's configuration is named with --config.",
        )


def default_output(request: Path, signed: bytes) -> Path:
    """Name the approval after its request; approvals of several people lie side by side."""
    stem = request.name.removesuffix(".json").removesuffix(".request")
    return request.with_name(f"{stem}.{hashlib.sha256(signed).hexdigest()[:12]}.approval.json")


def write_approval(path: Path, signed: bytes) -> None:
    """Write the approval. Raises ``TfgateError``."""
    write_document(path, signed, "approval")


# --- What an approver is asked, as text: everything that will be signed, and nothing that is not.


_LONGEST = 2_000
"""Characters of a message that are shown."""
_BINDS = {
    "plan": "this plan alone: a new plan needs a new approval",
    "findings": "these findings, in any plan for this workspace and state",
}


def render_approval(
    statement: ApprovalStatement, *, width: int, color: bool, unicode: bool = True
) -> str:
    """Return what is approved, wrapped to ``width`` columns, with nothing a terminal would obey."""
    request = statement.request
    sheet = Sheet(width, color=color, unicode=unicode)
    rules = len({finding.rule for finding in request.findings})
    what = f"{len(request.findings):,} finding(s) of {rules:,} rule(s) are to be let through."
    head = ("BREAK GLASS", "deny") if request.break_glass else ("APPROVAL", "undecided")
    sheet.add(head, (f"  {what}", ""), hang=2)
    sheet.blank()
    for name, fact in _facts(statement).items():
        sheet.add((f"{name:<11}", "quiet"), (console(fact), ""), indent=2, hang=11)
    for _, findings in groupby(request.findings, key=lambda finding: finding.rule):
        sheet.blank()
        _rule(sheet, list(findings))
    sheet.blank()
    sheet.add(("reason     ", "quiet"), (console(statement.reason), ""), indent=2, hang=11)
    sheet.add(("until      ", "quiet"), (_minute(statement.expires), ""), indent=2, hang=11)
    return sheet.text()


def _facts(statement: ApprovalStatement) -> dict[str, str]:
    request = statement.request
    facts = {
        "workspace": _workspace(request),
        "operator": request.operator,
        "author": ", ".join(request.authors) or "not known",
        "plan file": request.plan.file_sha256 or "none: plan JSON was evaluated",
        "plan JSON": request.plan.json_sha256,
        "decision": f"{request.decision_id}, {_minute(request.created)}",
        "good for": _BINDS[request.bind],
    }
    return {name: clip(fact, _LONGEST) for name, fact in facts.items()}


def _workspace(request: ApprovalRequest) -> str:
    place = request.workspace
    if place.backend is None:
        return place.name
    state = "/".join(place.identity.values())
    return f"{place.name} in {place.backend} {state}".rstrip()


def _rule(sheet: Sheet, findings: list[ApprovedFinding]) -> None:
    first = findings[0]
    title = console(clip(first.title, 300))
    sheet.add((console(first.rule), "rule"), (f"  {title}", ""), indent=2, hang=4)
    level = f"{console(first.severity)} · {console(first.enforcement)}"
    sheet.add((level, "quiet"), indent=4)
    for finding in findings:
        deposed = "" if finding.deposed is None else f" (deposed {console(finding.deposed)})"
        action = "" if finding.action is None else f"  ({console(finding.action)})"
        name = (f"{console(finding.address)}{deposed}", "address")
        sheet.add(name, (action, "quiet"), indent=4, hang=2)
        unknown = "unknown until the apply: " if finding.outcome == "unknown" else ""
        message = console(clip(finding.message, _LONGEST))
        sheet.add((f"{unknown}{message}", ""), indent=6, hang=2)


def _minute(moment: dt.datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes").replace("+00:00", " UTC")


# --- ``tfgate approve``.


def now_utc() -> dt.datetime:
    """Return the time by which an approval is signed."""
    return dt.datetime.now(dt.timezone.utc)


@click.command(
    epilog="Example: tfgate approve p.request.json --key ~/.ssh/id_ed25519 --reason 'planned move'"
)
@click.argument("request", type=click.Path(path_type=Path))
@click.option(
    "--key",
    required=True,
    metavar="FILE",
    help="Your SSH key: private, or public with the private half in the agent. With --from: the "
    "job's, which approvals.servers names.",
)
@click.option(
    "--reason",
    metavar="TEXT",
    help="Why the plan may be applied. Default with --from: that it was reviewed.",
)
@click.option(
    "--from",
    "system",
    type=click.Choice(["github", "gitlab"]),
    help="Approve for those who approved the pull request, whose reviews the configuration counts.",
)
@click.option(
    "--repository",
    metavar="PATH",
    help="With --from: where it is, as in acme/infra. Default: what the job's variables say.",
)
@click.option(
    "--change",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="With --from: of the pull request. Default: the job's, or the one of the commit.",
)
@click.option(
    "--expires",
    metavar="WHEN",
    help="When it ends: 4h, 2d, a date, or RFC 3339. Default: the longest the gate allows.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File for the approval; with --from, a folder. Default: beside the request.",
)
@click.option(
    "--break-glass",
    is_flag=True,
    help="Let through what is hard-mandatory, as one of two people who may.",
)
@click.option("--yes", is_flag=True, help="Sign without asking.")
@click.option(
    "--config",
    metavar="FILE",
    help="Configuration with the gate's allowed signers (default: the nearest).",
)
def approve(
    request: Path,
    key: str,
    reason: str | None,
    system: str | None,
    repository: str | None,
    change: int | None,
    expires: str | None,
    output: Path | None,
    break_glass: bool,
    yes: bool,
    config: str | None,
) -> int:
    """Show what REQUEST asks for, and sign an approval of it.

    tfgate check --approval-request writes REQUEST. Hand the approval to whoever applies the plan
    (tfgate apply --approval FILE). An approval that the gate's allowed signers would not count is
    not written. Exit code 1: you did not answer yes, or no review counts.
    """
    now = now_utc()
    if system is None and (repository or change):
        raise UsageError("--repository and --change say where reviews are: add --from.")
    given = reason if reason is not None or system is None else "The change was reviewed."
    statement = statement_of(read_request(request), Approver(key, given or "", now, expires))
    if system is not None:
        gate = load_gate_config(Path.cwd(), os.environ, config=config)
        where = (repository, change, output or request.parent)
        return _approve_reviewed(system, statement, key, gate, where)
    _check_glass(statement.request, broken=break_glass)
    _show(statement)
    if not yes and not _confirmed():
        write_err("tfgate: Nothing was signed.")
        return 1
    signed = sign_approval(statement, key)
    check_counts(signed, now, load_gate_config(Path.cwd(), os.environ, config=config))
    path = output or default_output(request, signed)
    write_approval(path, signed)
    write_err(f"tfgate: Wrote {path}.")
    return 0


def _approve_reviewed(
    system: str,
    statement: ApprovalStatement,
    key: str,
    gate: GateConfig,
    where: tuple[str | None, int | None, Path],
) -> int:
    """Write an approval for each reviewer who counts. Exit code 1 where there is none."""
    from tfgate.approvals.from_reviews import review_statements, sign_for, what_to_ask

    repository, change, folder = where
    asked = what_to_ask(
        system, statement.request, gate, os.environ, repository=repository, change=change
    )
    found, left = review_statements(system, asked, statement)
    for sentence in left:
        write_err(f"tfgate: {sentence}")
    if not found:
        write_err("tfgate: No review counts, so nothing was signed.")
        return 1
    _show(statement)
    signed = [sign_for(one, key) for one in found]
    for one in signed:
        check_counts(one, statement.approved, gate)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    for one in signed:
        path = folder / f"review.{hashlib.sha256(one).hexdigest()[:12]}.approval.json"
        write_approval(path, one)
        write_err(f"tfgate: Wrote {path}.")
    return 0


def _check_glass(request: ApprovalRequest, *, broken: bool) -> None:
    """Have whoever breaks the glass say so. Raises ``UsageError``."""
    if request.break_glass and not broken:
        raise UsageError(
            "The request asks to let hard-mandatory failures through.",
            hint="That is an emergency: add --break-glass if it is one.",
        )
    if broken and not request.break_glass:
        raise UsageError(
            "Nothing in the request is hard-mandatory, so there is no glass to break.",
            hint="Leave --break-glass out.",
        )


def _show(statement: ApprovalStatement) -> None:
    write_out(render_approval(statement, **asdict(terminal())))


def _confirmed() -> bool:
    """Ask on the terminal; without one, nobody has seen what would be signed."""
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on.", hint="Add --yes to sign what is shown above."
        )
    click.echo("\nSign this?\n  Only 'yes' will be accepted.\n\n  Enter a value: ", nl=False)
    return sys.stdin.readline().strip() == "yes"
