"""Read what a report is about out of a trail, in one pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tfgate.audit.record import moment_of
from tfgate.audit.search import Filters, Hit, Unread, search_trail
from tfgate.engine.context import Context
from tfgate.gate.duties import planner_of
from tfgate.gate.gather import gather_sources, load_config
from tfgate.gate.request import Request
from tfgate.gate.trail import Trail
from tfgate.model.audit_report import DecisionRow, ExceptionRow, Ref, RuleChangeRow, RulesetRow
from tfgate.model.decision import Waiver
from tfgate.model.text import glob_matches

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
    unread: Unread = field(default_factory=Unread)


def read_decisions(trail: Trail, scope: Scope) -> Read:
    """Read the decisions that ``scope`` is about, each with what became of it.

    The end of an apply is looked for after ``until`` too. Raises ``AuditError`` without a trail.
    """
    found = Read()
    events: dict[str, list[Hit]] = {}
    wanted = Filters(workspace=scope.workspace, since=scope.since)
    chosen: list[tuple[Hit, dict[str, Any]]] = []
    for hit in search_trail(trail.paths, wanted, unread=found.unread):
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
    """Return whether one of ``{framework: [ids]}`` is the control that the report is about."""
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
    """Return the fields with the findings that the report is about, ``None`` for another decision.

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
        break_glass=any(event.record.event == "break_glass" for event in events),
        planned=planner_of(events),
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
    """Return what became of a decision, by the last event about it."""
    ended = [event for event in events if event.record.event in APPLY]
    if not ended:
        return ""
    last = ended[-1].record
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
    """Yield the objects in what should be a list of them."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


_WAIVER = ("rule", "address", "owner", "reason", "expires", "ticket", "source")


class _Uses:
    """What one exception let through, as it is counted."""

    def __init__(self, made: ExceptionRow) -> None:
        self._made = made
        self._rules = dict.fromkeys(made.rules)
        self._refs: dict[Ref, None] = {}
        self._used = 0
        self._since = self._last = ""

    def add(self, row: DecisionRow, rule: str) -> None:
        """Count one finding of a decision; decisions come in the order of the trail."""
        if self._made.kind == "override":
            self._rules[rule] = None
        self._refs[row.ref] = None
        self._used += 1
        self._since = self._since or row.time
        self._last = row.time

    def row(self) -> ExceptionRow:
        """Return the sum."""
        return replace(
            self._made,
            rules=tuple(self._rules),
            since=self._made.since or self._since,
            last=self._last,
            used=self._used,
            refs=tuple(self._refs),
        )


def exception_rows(read: Read) -> list[ExceptionRow]:
    """Return every waiver and override that let something through, by when it ends."""
    found: dict[tuple[str, ...], _Uses] = {}
    for row, fields in read.decisions:
        for finding in fields["findings"]:
            for key, made in _of_finding(finding, row):
                uses = found.get(key)
                if uses is None:
                    uses = found[key] = _Uses(made)
                uses.add(row, str(finding.get("rule")))
    rows = [uses.row() for uses in found.values()]
    return sorted(rows, key=lambda item: (item.expires, item.rules, item.address))


def _of_finding(
    finding: Mapping[str, Any], row: DecisionRow
) -> Iterator[tuple[tuple[str, ...], ExceptionRow]]:
    waiver = finding.get("waiver")
    if isinstance(waiver, dict) and finding.get("outcome") == "waived":
        yield _of_waiver(waiver)
    override = finding.get("override")
    approvals = [*dicts(override.get("approvals"))] if isinstance(override, dict) else []
    if approvals:
        yield _of_approvals(approvals, row)


def _of_waiver(waiver: Mapping[str, Any]) -> tuple[tuple[str, ...], ExceptionRow]:
    text = {name: str(waiver.get(name) or "") for name in _WAIVER}
    made = ExceptionRow(
        kind="waiver",
        rules=(text["rule"],),
        address=text["address"],
        owner=text["owner"],
        approvers=(),
        reason=text["reason"],
        expires=text["expires"],
        source=text["source"],
        ticket=text["ticket"],
    )
    return ("waiver", *(text[name] for name in _WAIVER)), made


def _of_approvals(
    approvals: Sequence[Mapping[str, Any]], row: DecisionRow
) -> tuple[tuple[str, ...], ExceptionRow]:
    """Make one row of the approvals that together let something through."""
    digests = [str(approval.get("digest")) for approval in approvals]
    made = ExceptionRow(
        kind="override",
        rules=(),
        address="",
        owner=row.operator,
        approvers=tuple(dict.fromkeys(str(item.get("approver")) for item in approvals)),
        reason="; ".join(dict.fromkeys(str(item.get("reason") or "") for item in approvals)),
        expires=min(str(item.get("expires") or "") for item in approvals),
        since=min(str(item.get("approved") or "") for item in approvals),
        source=", ".join(dict.fromkeys(str(item.get("key")) for item in approvals)),
    )
    return ("override", row.operator, *digests), made


def change_rows(read: Read, scope: Scope) -> list[RuleChangeRow]:
    """Return every change of rules in force in these decisions that was made in the time, newest
    first, and of the control's rules alone."""
    found: dict[tuple[str, str], RuleChangeRow] = {}
    for row, fields in read.decisions:
        for ruleset in dicts(fields.get("rulesets")):
            for change in dicts(ruleset.get("changes")):
                made = _change(ruleset, change, row.ref, read, scope)
                if made is not None:
                    key = (made.ruleset, made.commit)
                    found[key] = _seen(found.get(key, made), row.ref)
    return sorted(found.values(), key=lambda change: (change.time, change.ruleset), reverse=True)


def _change(
    ruleset: Mapping[str, Any], change: Mapping[str, Any], ref: Ref, read: Read, scope: Scope
) -> RuleChangeRow | None:
    time = to_utc(str(change.get("time") or ""))
    if (scope.since and time < scope.since) or (scope.until and time > scope.until):
        return None
    rules = tuple(str(rule) for rule in change.get("rules") or ())
    if scope.control is not None:
        rules = tuple(rule for rule in rules if rule in read.rules)
        if not rules:
            return None
    return RuleChangeRow(
        ruleset=str(ruleset.get("id")),
        version=str(ruleset.get("version")),
        commit=str(change.get("landed") or change.get("commit")),
        time=time,
        authors=tuple(map(str, change.get("authors") or ())),
        approvers=tuple(map(str, change.get("approvers") or ())),
        rules=rules,
    )


def _seen(row: RuleChangeRow, ref: Ref) -> RuleChangeRow:
    return replace(row, decisions=row.decisions + 1, refs=_ends(row.refs, ref))


def ruleset_rows(read: Read) -> list[RulesetRow]:
    """Return every version of a ruleset that these decisions were made under, by id."""
    found: dict[tuple[str, str, str], RulesetRow] = {}
    for row, fields in read.decisions:
        for ruleset in dicts(fields.get("rulesets")):
            commit = str(ruleset.get("commit") or "")
            key = (str(ruleset.get("id")), str(ruleset.get("digest")), commit)
            before = found.get(key) or _ruleset(ruleset, commit)
            found[key] = replace(
                before, decisions=before.decisions + 1, refs=_ends(before.refs, row.ref)
            )
    return sorted(found.values(), key=lambda one: (one.id, one.refs[0].seq))


def _ruleset(ruleset: Mapping[str, Any], commit: str) -> RulesetRow:
    clean = ruleset.get("clean")
    return RulesetRow(
        id=str(ruleset.get("id")),
        version=str(ruleset.get("version")),
        digest=str(ruleset.get("digest")),
        source=str(ruleset.get("source")),
        owners=tuple(map(str, ruleset.get("owners") or ())),
        commit=commit,
        clean=clean if isinstance(clean, bool) else None,
    )


def _ends(refs: tuple[Ref, ...], ref: Ref) -> tuple[Ref, ...]:
    """Keep the first and the last."""
    return (refs[0], ref) if refs else (ref,)


@dataclass(frozen=True)
class ListedWaiver:
    """One waiver, or a comment that was meant to be one."""

    source: str
    state: str
    """``holds``, ``ends soon``, ``expired``, ``unknown rule``, ``not permitted``, ``not valid``."""
    waiver: Waiver | None = None
    problem: str = ""
    """What is wrong with a comment that is no waiver."""


def list_waivers(request: Request) -> tuple[ListedWaiver, ...]:
    """List the waivers of the configuration, of waiver files and of comments.

    Raises ``ConfigError``.
    """
    gathered = gather_sources(replace(request, reading=True), load_config(request))
    rules = {rule.id for ruleset in gathered.effective.rulesets for rule in ruleset.rules}
    return tuple(_listed(gathered.context, rules))


def _listed(context: Context, rules: set[str]) -> Iterator[ListedWaiver]:
    today = context.now.astimezone(dt.timezone.utc).date()
    for waiver in context.waivers:
        yield ListedWaiver(waiver.source, _state(waiver, context, rules, today), waiver)
    for problem in context.waiver_problems:
        yield ListedWaiver(str(problem.location), "not valid", None, problem.message)


def _state(waiver: Waiver, context: Context, rules: set[str], today: dt.date) -> str:
    if waiver.expires < today:
        return "expired"
    if not any(glob_matches(waiver.rule, rule) for rule in rules):
        return "unknown rule"
    is_glob = "*" in waiver.rule or "?" in waiver.rule
    if waiver.kind == "comment" and is_glob and not context.comment_waiver_globs:
        return "not permitted"
    soon = today + dt.timedelta(days=context.waiver_notice_days)
    return "ends soon" if waiver.expires <= soon else "holds"
