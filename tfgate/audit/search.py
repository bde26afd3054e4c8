"""Answers from a trail: records that match, and all that is known of one decision."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.decision import read_evidence
from tfgate.audit.filters import Filters, finding_matches, passes_match, record_matches
from tfgate.audit.read import Lines
from tfgate.audit.record import Record, decode, is_readable, record_of
from tfgate.audit.scan import evidence_digest
from tfgate.audit.verifier import find_files
from tfgate.errors import AuditError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    AnyPath = str | os.PathLike[str]
    Skipped = Callable[[str, int], None]


class Hit(msgspec.Struct, frozen=True):
    """A record that matches, and where it stands."""

    record: Record
    file: str
    line: int
    """1-based line in the file (uncompressed)."""
    findings: tuple[dict[str, Any], ...] = ()
    """The findings that match, where the filters ask about findings."""
    complete: bool = True
    """False where the record left findings out (``findings_truncated``) and the evidence, which has
    them all, could not be read: there may be more that match, or none."""


class Shown(msgspec.Struct, frozen=True):
    """All that a trail knows of one decision."""

    decision_id: str
    hits: tuple[Hit, ...]
    """Every record about it, in the order of the trail: decision, apply, obligations, …"""
    evidence: Any = None
    """Content of the evidence file, where it was found."""
    evidence_problem: str | None = None
    """Why there is no evidence, where a record names some."""

    @property
    def unfinished(self) -> bool:
        """True where an apply was started and no record says how it ended."""
        events = [hit.record.event for hit in self.hits]
        return events.count("apply_started") > events.count("apply_finished")


def search_trail(
    paths: Sequence[AnyPath],
    filters: Filters,
    *,
    evidence: AnyPath | None = None,
    skipped: Skipped | None = None,
) -> Iterator[Hit]:
    """Give the records that match, in the order of the trail, one at a time.

    Nothing is verified here. Lines that are no record are passed over; ``skipped(file, line)``
    hears of each. ``evidence`` is where to look for findings that a record left out. Raises
    ``AuditError`` where there is no file.
    """
    needles = filters.needles()
    for path in find_files(paths):
        for number, line in enumerate(Lines(path), 1):
            if all(needle in line for needle in needles):
                record = _decode(line)
                if record is None:
                    if skipped is not None:
                        skipped(str(path), number)
                elif record_matches(filters, record):
                    yield from _hit(filters, record, line, str(path), number, evidence)


def show(paths: Sequence[AnyPath], decision_id: str, *, evidence: AnyPath | None = None) -> Shown:
    """Give every record about a decision, and its evidence from the directory ``evidence``.

    ``decision_id`` may be shortened as long as it names one decision. Raises ``AuditError`` where
    it names none, or several.
    """
    hits = [*search_trail(paths, Filters(decision_id=decision_id))]
    if not hits:
        hits = [*search_trail(paths, Filters(decision_id=f"{decision_id}*"))]
    ids = sorted({str(hit.record.fields["decision_id"]) for hit in hits})
    if len(ids) != 1:
        found = "No decision" if not ids else f"More than one decision ({len(ids)} of them)"
        raise AuditError(
            f"{found} in this trail has an id that begins like that.",
            hint="`tfgate audit search` lists them.",
        )
    value, problem = None, None
    digests = [digest for hit in hits if (digest := evidence_digest(hit.record.fields))]
    if digests and evidence is not None:
        try:
            value = read_evidence(evidence, digests[0])
        except AuditError as error:
            problem = error.message
    return Shown(ids[0], tuple(hits), value, problem)


def read_records(
    path: AnyPath, *, decision_id: str | None = None, last: int | None = None
) -> list[dict[str, Any]]:
    """Give whole records as plain JSON data, oldest first: those of a decision, the ``last`` ones.

    ``decision_id`` may be shortened, as for ``show``. Raises ``AuditError`` where there is no
    trail, or no such decision.
    """
    if decision_id is not None:
        return [decode(hit.record.line) for hit in show([path], decision_id).hits]
    newest: deque[dict[str, Any]] = deque()
    for file in reversed(find_files([path])):
        # Only lines that may be wanted are decoded: of a million, the last ones.
        room = None if last is None else last - len(newest)
        tail = deque(Lines(file), maxlen=room)
        records = [record for line in tail if (record := _decode(line)) is not None]
        newest.extendleft(reversed(records))
    return [*newest]


def orphans(paths: Sequence[AnyPath]) -> list[Hit]:
    """Give the ``apply_started`` records of applies whose end no record tells."""
    open_: dict[str, Hit] = {}
    for hit in search_trail(paths, Filters(event="apply_*")):
        decision = str(hit.record.fields.get("decision_id"))
        if hit.record.event == "apply_started":
            open_[decision] = hit
        elif hit.record.event == "apply_finished":
            open_.pop(decision, None)
    return [*open_.values()]


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        record = decode(line)
    except ValueError:
        return None
    return record if is_readable(record) else None


def _hit(
    filters: Filters,
    record: dict[str, Any],
    line: bytes,
    file: str,
    number: int,
    evidence: AnyPath | None,
) -> Iterator[Hit]:
    whole = record_of(record, line)
    if not filters.of_findings:
        yield Hit(whole, file, number)
        return
    findings, complete = _findings(record, evidence)
    matching = tuple(finding for finding in findings if finding_matches(filters, finding))
    if matching or passes_match(filters, record) or not complete:
        yield Hit(whole, file, number, matching, complete)


def _findings(
    record: dict[str, Any], evidence: AnyPath | None
) -> tuple[list[dict[str, Any]], bool]:
    """Give a record's findings, and whether they are all of them."""
    kept = record.get("findings")
    findings = [f for f in kept if isinstance(f, dict)] if isinstance(kept, list) else []
    if not record.get("findings_truncated"):
        return findings, True
    digest = evidence_digest(record)
    if digest is None or evidence is None:
        return findings, False
    try:
        value = read_evidence(evidence, digest)
    except AuditError:
        return findings, False
    whole = _findings_in(value)
    return (findings, False) if whole is None else (whole, True)


def _findings_in(evidence: Any) -> list[dict[str, Any]] | None:
    """Find the list of findings in an evidence file, directly or in its ``decision``."""
    if not isinstance(evidence, dict):
        return None
    nested = evidence.get("decision")
    for place, name in ((evidence, "findings"), (nested, "outcomes")):
        found = place.get(name) if isinstance(place, dict) else None
        if isinstance(found, list):
            return [item for item in found if isinstance(item, dict)]
    return None
