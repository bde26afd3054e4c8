"""Every waiver and override, with who answers for it, how old it is, and what it was used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tfgate.app.evidence_gather import Scope, read_decisions
from tfgate.app.evidence_rows import exception_rows
from tfgate.app.trail import find_trail
from tfgate.app.waiver_list import list_waivers
from tfgate.app.waiver_origin import key_of, waiver_origins
from tfgate.errors import AuditError
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.app.request import Request
    from tfgate.app.waiver_list import ListedWaiver
    from tfgate.app.waiver_origin import WaiverOrigin
    from tfgate.model.audit_report import ExceptionRow


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
    """Give what the trail in force knows of exceptions; ``None`` where there is no trail."""
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
