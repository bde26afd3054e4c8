"""Answers from a trail: records that match, and all that is known of one decision."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.decision import read_evidence
from tfgate.audit.filters import Filters, finding_matches, passes_match, record_matches
from tfgate.audit.read import Lines
from tfgate.audit.record import Record, decode, is_readable, record_of
from tfgate.audit.rotation import log_of
from tfgate.audit.scan import evidence_digest
from tfgate.audit.verifier import find_files
from tfgate.errors import AuditError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    AnyPath = str | os.PathLike[str]


class Unread(msgspec.Struct):
    """What a reader of a trail could not read. Whoever reads a trail reports it."""

    lines: list[str] = []
    """``file:line`` of each line that is no record."""
    files: list[str] = []
    """A sentence for each file that cannot be read to its end."""

    def sentences(self) -> list[str]:
        """Return what to report, the files first."""
        if not self.lines:
            return self.files
        more = f" and {len(self.lines) - 3} more" if len(self.lines) > 3 else ""
        text = f"{len(self.lines)} line(s) that are no record of this version were passed over: "
        return [*self.files, f"{text}{', '.join(self.lines[:3])}{more}."]


def read_lines(path: Path, unread: Unread | None = None) -> Iterator[bytes]:
    """Read the lines of a trail's file; what of it cannot be read goes into ``unread``.

    Raises ``AuditError`` instead where there is no ``unread``. The unfinished last line of a log is
    no damage: a writer may be at work.
    """
    lines, number = Lines(path), 0
    for number, line in enumerate(lines, 1):  # noqa: B007 - the number of the last one
        yield line
    cut = lines.tail and log_of(path) != path
    reason = lines.damage or ("its last line is unfinished" if cut else None)
    if reason is None:
        return
    text = f"Only {number} line(s) of {path} can be read: {reason}."
    if unread is None:
        raise AuditError(text, hint="Run `tfgate audit verify`.")
    if text not in unread.files:
        unread.files.append(text)


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
    unread: Unread | None = None,
) -> Iterator[Hit]:
    """Yield the records that match, in the order of the trail, one at a time.

    Nothing is verified here. Lines that are no record are passed over and added to ``unread``, as
    is every file that cannot be read to its end. ``evidence`` is where to look for findings that a
    record left out. Raises ``AuditError`` where there is no file, and for a damaged one where
    there is no ``unread``.
    """
    needles = filters.needles()
    for path in find_files(paths):
        for number, line in enumerate(read_lines(path, unread), 1):
            if all(needle in line for needle in needles):
                record = _decode(line)
                if record is None:
                    if unread is not None:
                        unread.lines.append(f"{path}:{number}")
                elif record_matches(filters, record):
                    yield from _hit(filters, record, line, str(path), number, evidence)


def show(
    paths: Sequence[AnyPath],
    decision_id: str,
    *,
    evidence: AnyPath | None = None,
    unread: Unread | None = None,
) -> Shown:
    """Return every record about a decision, and its evidence from the directory ``evidence``.

    ``decision_id`` may be shortened as long as it names one decision. Raises ``AuditError`` where
    it names none, or several.
    """
    hits = [*search_trail(paths, Filters(decision_id=decision_id), unread=unread)]
    if not hits:
        hits = [*search_trail(paths, Filters(decision_id=f"{decision_id}*"), unread=unread)]
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
    path: AnyPath,
    *,
    decision_id: str | None = None,
    last: int | None = None,
    unread: Unread | None = None,
) -> list[dict[str, Any]]:
    """Return whole records as JSON data, oldest first: those of a decision, or the ``last`` ones.

    ``decision_id`` may be shortened, as for ``show``. Raises ``AuditError`` where there is no
    trail, or no such decision.
    """
    if decision_id is not None:
        return [decode(hit.record.line) for hit in show([path], decision_id, unread=unread).hits]
    newest: deque[dict[str, Any]] = deque()
    for file in reversed(find_files([path])):
        # Only lines that may be wanted are decoded: of a million, the last ones.
        room = None if last is None else last - len(newest)
        tail = deque(read_lines(file, unread), maxlen=room)
        records = [record for line in tail if (record := _decode(line)) is not None]
        newest.extendleft(reversed(records))
    return [*newest]


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
