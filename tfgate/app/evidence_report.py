"""``tfgate audit report``: evidence for an auditor, out of the trail."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tfgate._version import __version__
from tfgate.app.evidence_gather import read_decisions, to_utc
from tfgate.app.evidence_rows import change_rows, exception_rows, ruleset_rows
from tfgate.model.audit_report import AuditReport, ExceptionRow, Figure, Integrity, Ref
from tfgate.model.glob import glob_matches
from tfgate.opening import open_file

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.app.evidence_gather import Read, Scope
    from tfgate.app.trail import Trail
    from tfgate.app.waiver_list import ListedWaiver
    from tfgate.app.waiver_origin import Key, WaiverOrigin
    from tfgate.audit.result import VerifyResult
    from tfgate.model.audit_report import DecisionRow, RuleChangeRow

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
        figures=tuple(_figures(decisions, exceptions, changes)),
        decisions=decisions,
        exceptions=tuple(used),
        unused=tuple(_with_approvers(row, known) for row in unused),
        changes=tuple(changes),
        rulesets=tuple(ruleset_rows(read)),
        integrity=_integrity(verified, read),
    )


def _figures(
    decisions: Sequence[DecisionRow],
    exceptions: Sequence[ExceptionRow],
    changes: Sequence[RuleChangeRow],
) -> Iterator[Figure]:
    groups = {
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
    waivers: Sequence[ListedWaiver],
    exceptions: Sequence[ExceptionRow],
    scope: Scope,
    read: Read,
) -> Iterator[ExceptionRow]:
    """Give the waivers in force that let nothing through, those that end first at the head."""
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
    notes = [f"{note.file}: {note.text}" for note in verified.notes]
    if read.skipped:
        shown = ", ".join(read.skipped[:3])
        notes.append(f"{len(read.skipped)} line(s) that are no record were passed over: {shown}")
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
