"""The tables of the audit report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.report.audit_cells import (
    cell,
    links_cell,
    record_cell,
    safe,
    short_time,
    small,
    table,
    word,
)
from tfgate.report.html_findings import tag
from tfgate.report.neutral import html_text, link

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.audit_report import (
        AuditReport,
        DecisionRow,
        ExceptionRow,
        RuleChangeRow,
        RulesetRow,
    )

MAX_ROWS = 1_000
"""Decisions in the page. Those that an auditor looks at first come first."""
_FINDINGS = 8


def shown_decisions(report: AuditReport) -> list[DecisionRow]:
    """Give the decisions that have a row in the page."""
    ordered = [row for _, rows in _groups(report.decisions) for row in rows]
    return ordered[:MAX_ROWS]


def decision_tables(report: AuditReport) -> Iterator[str]:
    """Write a table for each kind of decision."""
    if not report.decisions:
        yield "<p>There is no decision in this time.</p>"
    left = MAX_ROWS
    for title, rows in _groups(report.decisions):
        chosen = rows[:left]
        left -= len(chosen)
        hidden = len(rows) - len(chosen)
        more = f"; {hidden:,} of them in the JSON alone" if hidden else ""
        if chosen:
            yield tag("h3", f"{title} ({len(rows):,}{more})")
            yield from table(
                "",
                ("record", "time", "decision", "workspace", "who asked", "what was found", "then"),
                map(_decision, chosen),
                (row.ref.anchor for row in chosen),
            )


def _groups(rows: Sequence[DecisionRow]) -> Iterator[tuple[str, Sequence[DecisionRow]]]:
    def kind(row: DecisionRow) -> str:
        if row.decision == "deny":
            return "Denied"
        if row.decision != "allow":
            return "Could not be decided"
        return "Allowed with exceptions" if row.exceptions else "Allowed"

    for title in ("Denied", "Could not be decided", "Allowed with exceptions", "Allowed"):
        of_kind = [row for row in rows if kind(row) == title]
        if of_kind:
            yield title, of_kind


def _decision(row: DecisionRow) -> Iterator[str]:
    yield record_cell(row.ref)
    yield cell(short_time(row.time), "time", row.decision_id)
    yield word(row.decision)
    yield cell(row.workspace)
    yield cell(row.operator, "who", "proven" if row.verified else "not proven")
    yield f'<td class="wide">{_found(row)}</td>'
    yield f"<td>{safe(row.applied or 'no apply recorded')}{_run(row)}</td>"


def _found(row: DecisionRow) -> str:
    shown = row.findings[:_FINDINGS]
    parts = [safe(text) for text in shown or (row.reasons if row.decision != "allow" else ())]
    left = len(row.findings) - len(shown) + row.findings_left_out
    counts = ", ".join(f"{number:,} {kind}" for kind, number in row.counts.items())
    more = f"{left:,} further finding(s); " if left else ""
    return "<br>".join(parts) + small(f"{more}all rules: {counts}" if counts else more.rstrip("; "))


def _run(row: DecisionRow) -> str:
    url = link(row.url)
    shown = html_text(row.url)
    made = f'<a href="{shown}" rel="noreferrer noopener">CI run</a>' if url else ""
    commit = f"commit {row.commit[:12]}" if row.commit else ""
    plan = f"plan {row.plan_sha256[:12]}" if row.plan_sha256 else ""
    return small(", ".join(part for part in (plan, commit) if part)) + made


def exception_table(rows: Sequence[ExceptionRow], anchors: frozenset[str]) -> Iterator[str]:
    """Write what let something through that rules would have stopped."""
    if not rows:
        yield "<p>No waiver and no override was used in this time.</p>"
        return
    yield "<p>Waivers are reviewed with the code that they stand in; overrides are signed by their "
    yield "approvers for one plan. What ends first comes first.</p>"
    yield from table(
        "",
        ("kind", "rules", "for", "owner", "approved by", "reason", "ends", "used", "records"),
        (_exception(row, anchors) for row in rows),
    )


def _exception(row: ExceptionRow, anchors: frozenset[str]) -> Iterator[str]:
    yield cell(row.kind, note=row.state)
    yield cell(", ".join(row.rules))
    yield cell(row.address or "the plan that was signed", note=row.source)
    yield cell(row.owner, "who")
    yield cell(", ".join(row.approvers) or "the review of the file", "who")
    yield cell(row.reason, "wide", row.ticket)
    yield cell(row.expires[:10], "time", _age(row))
    yield cell(f"{row.used:,}", note=f"last {row.last[:10]}" if row.last else "never")
    yield links_cell(row.refs, anchors)


def _age(row: ExceptionRow) -> str:
    if not row.since:
        return ""
    return f"{'signed' if row.kind == 'override' else 'since'} {row.since[:10]}"


def unused_table(rows: Sequence[ExceptionRow]) -> Iterator[str]:
    """Write the waivers of the configuration that nothing needed."""
    if not rows:
        yield "<p>None is known: each waiver of the configuration that was looked at was used, or"
        yield " there is none.</p>"
        return
    yield "<p>These stand in the configuration in force, and let nothing through in this time. What"
    yield " ends first comes first.</p>"
    yield from table(
        "", ("rule", "for", "owner", "reason", "ends", "where"), (_unused(row) for row in rows)
    )


def _unused(row: ExceptionRow) -> Iterator[str]:
    yield cell(", ".join(row.rules))
    yield cell(row.address)
    yield cell(row.owner, "who")
    yield cell(row.reason, "wide", row.ticket)
    yield cell(row.expires, "time", row.state)
    yield cell(row.source)


def change_table(rows: Sequence[RuleChangeRow], anchors: frozenset[str]) -> Iterator[str]:
    """Write who changed rules, and who approved that."""
    if not rows:
        yield "<p>No change of these rules in this time is on record.</p>"
        return
    yield from table(
        "",
        ("when", "ruleset", "rules", "changed by", "approved by", "commit", "decisions under it"),
        (_change(row, anchors) for row in rows),
    )


def _change(row: RuleChangeRow, anchors: frozenset[str]) -> Iterator[str]:
    yield cell(short_time(row.time), "time")
    yield cell(row.ruleset, note=row.version)
    yield cell(", ".join(row.rules), "wide")
    yield cell(", ".join(row.authors), "who")
    if row.approvers:
        yield cell(", ".join(row.approvers), "who")
    else:
        yield '<td class="denied"><span class="word">nobody else</span></td>'
    yield cell(row.commit[:12], "hash")
    yield links_cell(row.refs, anchors).replace("<td>", f"<td>{row.decisions:,}: ", 1)


def ruleset_table(report: AuditReport, anchors: frozenset[str]) -> Iterator[str]:
    """Write every version of the rules that decisions were made under."""
    yield from table(
        "Each digest is over all files of a ruleset",
        ("ruleset", "from", "owners", "commit", "digest", "decisions (first, last)"),
        (_ruleset(row, anchors) for row in report.rulesets),
    )


def _ruleset(row: RulesetRow, anchors: frozenset[str]) -> Iterator[str]:
    yield cell(row.id, note=row.version)
    yield cell(row.source)
    yield cell(", ".join(row.owners))
    state = {True: "as committed", False: "with uncommitted changes", None: ""}[row.clean]
    yield cell(row.commit[:12] or "not in a checkout", note=state)
    yield cell(row.digest, "wide hash")
    yield links_cell(row.refs, anchors).replace("<td>", f"<td>{row.decisions:,}: ", 1)
