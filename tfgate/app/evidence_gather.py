"""Read what a report is about out of a trail, in one pass."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tfgate.audit.filters import Filters, glob_matches
from tfgate.audit.pipeline import moment_of
from tfgate.audit.search import search_trail
from tfgate.model.audit_report import DecisionRow, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.app.trail import Trail
    from tfgate.audit.search import Hit

APPLY = ("apply_started", "apply_finished", "apply_cancelled")
MAX_EVENTS = 100
"""Records about one decision that are kept: an apply and its obligations are about five."""
MAX_FINDINGS = 200
"""Findings of one decision that a report lists."""


@dataclass(frozen=True)
class Scope:
    """What a report is about."""

    control: str | None = None
    """``framework`` or ``framework:control``, a glob."""
    since: str | None = None
    until: str | None = None
    workspace: str | None = None


@dataclass
class Read:
    """What the records say."""

    decisions: list[tuple[DecisionRow, dict[str, Any]]] = field(default_factory=list)
    """Each with the fields of its record, ``findings`` those that the report is about."""
    rules: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    """Lines that are no records."""


def read_decisions(trail: Trail, scope: Scope) -> Read:
    """Read the decisions that ``scope`` is about, each with what became of it.

    The end of an apply is looked for after ``until`` too. Raises ``AuditError`` without a trail.
    """
    found = Read()
    events: dict[str, list[Hit]] = {}
    wanted = Filters(workspace=scope.workspace, since=scope.since)
    chosen: list[tuple[Hit, dict[str, Any]]] = []

    def skipped(file: str, line: int) -> None:
        found.skipped.append(f"{file}:{line}")

    for hit in search_trail(trail.paths, wanted, skipped=skipped):
        record = hit.record
        if record.event in ("decision", "undecided"):
            fields = _about(scope, record.event, record.fields)
            if fields is not None and (scope.until is None or record.time <= scope.until):
                chosen.append((hit, fields))
        elif isinstance(record.fields.get("decision_id"), str):
            _add_event(events.setdefault(record.fields["decision_id"], []), hit)
    for hit, fields in chosen:
        found.rules |= _rules(scope, fields)
        row = _row(hit, fields, events.get(str(fields.get("decision_id")), []))
        found.decisions.append((row, fields))
    return found


def _add_event(events: list[Hit], hit: Hit) -> None:
    """Keep a record about a decision; of very many, the first ones and the last."""
    if len(events) < MAX_EVENTS:
        events.append(hit)
    else:
        events[-1] = hit


def ref_of(hit: Hit) -> Ref:
    """Name a record."""
    return Ref(hit.record.seq, hit.record.hash, hit.file, hit.line)


def controls_of(scope: Scope, controls: object) -> bool:
    """Say whether one of ``{framework: [ids]}`` is the control that the report is about."""
    if scope.control is None:
        return True
    if not isinstance(controls, dict):
        return False
    names = [
        name
        for framework, ids in controls.items()
        for name in (framework, *(f"{framework}:{i}" for i in ids if isinstance(i, str)))
    ]
    return any(glob_matches(scope.control, name) for name in names)


def _about(scope: Scope, event: str, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the fields with the findings that the report is about, ``None`` for another decision.

    A decision that could not be made has no rules, and is no evidence for a control.
    """
    findings = [item for item in fields.get("findings") or () if isinstance(item, dict)]
    if scope.control is None:
        return {**fields, "findings": findings}
    if event == "undecided":
        return None
    about = [item for item in findings if controls_of(scope, item.get("controls"))]
    if not about and not _evaluated(scope, fields):
        return None
    return {**fields, "findings": about}


def _evaluated(scope: Scope, fields: Mapping[str, Any]) -> set[str]:
    """Name the rules of the control that a decision has evaluated."""
    controls = fields.get("rule_controls")
    if not isinstance(controls, dict):
        return set()
    return {rule for rule, frameworks in controls.items() if controls_of(scope, frameworks)}


def _rules(scope: Scope, fields: Mapping[str, Any]) -> set[str]:
    if scope.control is None:
        counted = fields.get("rules")
        return {*counted} if isinstance(counted, dict) else set()
    named = {str(item.get("rule")) for item in fields["findings"]}
    return named | _evaluated(scope, fields)


def _row(hit: Hit, fields: Mapping[str, Any], events: list[Hit]) -> DecisionRow:
    run = fields.get("run") or {}
    facts = fields.get("operator_facts") or {}
    undecided = hit.record.event == "undecided" or bool(fields.get("undecided"))
    findings = fields["findings"]
    reasons = fields.get("reasons") or [fields.get("error")]
    return DecisionRow(
        ref=ref_of(hit),
        decision_id=_text(fields.get("decision_id")),
        time=hit.record.time,
        decision="undecided" if undecided else _text(fields.get("decision")),
        workspace=_text(fields.get("workspace")),
        operator=_text(fields.get("operator")),
        verified=bool(facts.get("verified")),
        plan_sha256=_text(fields.get("plan_sha256")),
        commit=_text(run.get("commit")),
        url=_text(run.get("url")),
        counts=_counts(fields),
        findings=tuple(_finding(item) for item in findings[:MAX_FINDINGS]),
        findings_left_out=max(0, len(findings) - MAX_FINDINGS)
        + _number(fields.get("findings_truncated")),
        reasons=tuple(_text(reason) for reason in reasons if reason),
        applied=_applied(events),
        exceptions=sum(1 for item in findings if item.get("waiver") or item.get("override")),
        evidence_sha256=_text(fields.get("evidence_sha256")),
        related=tuple(ref_of(event) for event in events),
    )


def _counts(fields: Mapping[str, Any]) -> dict[str, int]:
    counts = fields.get("counts")
    known = counts.items() if isinstance(counts, dict) else ()
    return {str(kind): number for kind, number in known if isinstance(number, int) and number}


def _finding(item: Mapping[str, Any]) -> str:
    words = (_text(item.get(name)) for name in ("outcome", "rule", "address"))
    return " ".join(word for word in words if word)


def _applied(events: list[Hit]) -> str:
    """Say what became of a decision, by the last word on it."""
    told = [event for event in events if event.record.event in APPLY]
    if not told:
        return ""
    last = told[-1].record
    if last.event == "apply_started":
        return "no end recorded"
    if last.event == "apply_cancelled":
        return "not applied"
    code = last.fields.get("exit_code")
    if code is None:
        return "not applied"
    return "applied" if code == 0 else f"apply failed ({code})"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def to_utc(time: str) -> str:
    """Write an RFC 3339 time with any offset in UTC, as records do; other texts as they are."""
    try:
        moment = moment_of(time)
    except ValueError:
        return time
    if moment.tzinfo is None:
        return time
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """Give the objects in what should be a list of them."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
