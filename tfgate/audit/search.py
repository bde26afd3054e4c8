"""Search a trail: which records match, and all that is known of one decision."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tfgate.audit.decision import read_evidence
from tfgate.audit.record import Record, canonical, decode, is_readable, record_of, timestamp
from tfgate.audit.scan import evidence_digest
from tfgate.audit.trail_files import Lines, log_of
from tfgate.audit.verifier import find_files
from tfgate.errors import AuditError, UsageError
from tfgate.model.text import glob_matches

AnyPath = str | os.PathLike[str]


class Filters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Conditions that must all hold. Texts are globs: ``*`` and ``?``; ``[`` stands for itself.

    The conditions on a finding (``rule``, ``address``, ``type``, ``control``, ``outcome``,
    ``waiver``) must hold of one and the same finding.
    """

    event: str | None = None
    decision_id: str | None = None
    workspace: str | None = None
    operator: str | None = None
    decision: str | None = None
    """``allow`` or ``deny``."""
    plan: str | None = None
    """Beginning of the SHA-256 of the plan file or of its JSON."""
    ruleset: str | None = None
    """``id`` or ``id@version``."""
    commit: str | None = None
    """Beginning of the commit of the configuration, or of a ruleset."""
    approver: str | None = None
    issuer: str | None = None
    """Who vouches for the operator, or for an approver."""
    unverified: bool = False
    """Only decisions whose operator was not proven."""
    rule: str | None = None
    """Also matches decisions in which the rule passed, unless ``outcome`` says otherwise."""
    address: str | None = None
    type: str | None = None
    control: str | None = None
    """``framework`` or ``framework:control``: ``soc2:CC8.1``."""
    outcome: str | None = None
    waiver: str | None = None
    """Rule, owner, ticket or source of a waiver; ``*`` for any."""
    since: str | None = None
    """As a record's ``time`` is written; ``parse_moment`` gives it."""
    until: str | None = None

    @property
    def of_findings(self) -> bool:
        """Whether any condition is on a finding."""
        asked = (self.rule, self.address, self.type, self.control, self.outcome, self.waiver)
        return any(condition is not None for condition in asked)

    def needles(self) -> list[bytes]:
        """Return bytes that every matching line has: a cheap test before decoding."""
        exact = (self.event, self.decision_id, self.workspace, self.operator, self.decision)
        return [canonical(text) for text in exact if text is not None and not _is_glob(text)]


def record_matches(filters: Filters, record: dict[str, Any]) -> bool:
    """Whether the conditions on the record itself hold."""
    time = record["time"]
    if (filters.since and time < filters.since) or (filters.until and time > filters.until):
        return False
    return (
        _one(filters.event, record["event"])
        and _one(filters.decision_id, record.get("decision_id"))
        and _one(filters.workspace, record.get("workspace"))
        and _one(filters.operator, record.get("operator"))
        and _one(filters.decision, record.get("decision"))
        and _begins(filters.plan, _plans(record))
        and _any(filters.ruleset, _rulesets(record))
        and _begins(filters.commit, _commits(record))
        and _any(filters.approver, _approvers(record))
        and _any(filters.issuer, _issuers(record))
        and not (filters.unverified and _is_proven(record))
    )


def finding_matches(filters: Filters, finding: dict[str, Any]) -> bool:
    """Whether the conditions on a finding hold of this one."""
    return (
        _one(filters.rule, finding.get("rule"))
        and _one(filters.address, finding.get("address"))
        and _one(filters.type, finding.get("type"))
        and _one(filters.outcome, finding.get("outcome"))
        and _any(filters.control, _controls(finding.get("controls")))
        and _any(filters.waiver, _waiver(finding.get("waiver")))
    )


def passes_match(filters: Filters, record: dict[str, Any]) -> bool:
    """Whether a rule that passed matches: records count passes per rule, without addresses."""
    if filters.outcome not in (None, "pass"):
        return False
    if any(asked is not None for asked in (filters.address, filters.type, filters.waiver)):
        return False
    controls = _table(record.get("rule_controls"))
    return any(
        _table(counts).get("pass")
        and _one(filters.rule, rule)
        and _any(filters.control, _controls(controls.get(rule)))
        for rule, counts in _table(record.get("rules")).items()
    )


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def _one(pattern: str | None, value: object) -> bool:
    return pattern is None or (isinstance(value, str) and glob_matches(pattern, value))


def _any(pattern: str | None, values: Iterable[str]) -> bool:
    return pattern is None or any(glob_matches(pattern, value) for value in values)


def _begins(start: str | None, values: Iterable[object]) -> bool:
    return start is None or any(isinstance(v, str) and v.startswith(start) for v in values)


def _plans(record: dict[str, Any]) -> Iterator[object]:
    plan = _table(record.get("plan"))
    yield from (record.get("plan_sha256"), plan.get("json_sha256"), plan.get("file_sha256"))


def _rulesets(record: dict[str, Any]) -> Iterator[str]:
    for ruleset in _tables(record.get("rulesets")):
        yield str(ruleset.get("id"))
        yield f"{ruleset.get('id')}@{ruleset.get('version')}"


def _commits(record: dict[str, Any]) -> Iterator[object]:
    yield _table(record.get("run")).get("commit")
    for ruleset in _tables(record.get("rulesets")):
        yield ruleset.get("commit")


def _approvers(record: dict[str, Any]) -> Iterator[str]:
    yield from _texts(record.get("approvers"))
    yield from _texts([record.get("approver")])
    for override in _tables(record.get("overrides")):
        yield from _texts([override.get("approver"), override.get("subject")])
    for ruleset in _tables(record.get("rulesets")):
        yield from _texts(ruleset.get("approvers"))


def _issuers(record: dict[str, Any]) -> Iterator[str]:
    operator = _table(record.get("operator_facts"))
    vouched = (operator, record, *_tables(record.get("overrides")))
    yield from _texts([one.get("issuer") for one in vouched])


def _is_proven(record: dict[str, Any]) -> bool:
    """Whether the operator of a decision was proven; what is no decision names none."""
    operator = record.get("operator_facts")
    return not isinstance(operator, dict) or operator.get("verified") is True


def _controls(controls: object) -> Iterator[str]:
    for framework, names in _table(controls).items():
        yield framework
        yield from (f"{framework}:{name}" for name in _texts(names))


def _waiver(waiver: object) -> Iterator[str]:
    yield from _texts([_table(waiver).get(part) for part in ("rule", "owner", "ticket", "source")])


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: dt.datetime, *, end: bool = False) -> str:
    """Return ``text`` as a record's ``time``: RFC 3339, UTC, six decimals.

    Understands RFC 3339 (``2026-01-31T12:00:00Z``), a day in UTC (its beginning, or with ``end``
    its last microsecond), and an age before ``now``: ``30m``, ``24h``, ``7d``, ``2w``. Raises
    ``UsageError`` for anything else.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return timestamp(now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        if _DAY.fullmatch(text):
            day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)
            last = dt.timedelta(days=1, microseconds=-1)
            return timestamp(day + last if end else day)
        # Python 3.10 reads fractions of three or six digits alone, and no "Z".
        whole = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", text)
        moment = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", whole))
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"The time {text!r} cannot be understood.",
        hint="Write it as 2026-01-31T12:00:00Z, as a day (2026-01-31), or as an age (24h, 7d).",
    )


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
    """Return a record's findings, and whether they are all of them."""
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
