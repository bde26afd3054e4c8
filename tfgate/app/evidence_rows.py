"""Exceptions, rule changes and rulesets, gathered over decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.app.evidence_gather import dicts, to_utc
from tfgate.model.audit_report import ExceptionRow, RuleChangeRow, RulesetRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfgate.app.evidence_gather import Read, Scope
    from tfgate.model.audit_report import DecisionRow, Ref

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
        """Give the sum."""
        return replace(
            self._made,
            rules=tuple(self._rules),
            since=self._made.since or self._since,
            last=self._last,
            used=self._used,
            refs=tuple(self._refs),
        )


def exception_rows(read: Read) -> list[ExceptionRow]:
    """Give every waiver and override that let something through, by when it ends."""
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
    """Give every change of rules in force in these decisions that was made in the time, newest
    first; of rules that do not stand for the control nothing is said."""
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
    """Give every version of a ruleset that these decisions were made under, by id."""
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
