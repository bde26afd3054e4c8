"""An audit report as one page to hand to an auditor. No script, nothing loaded, prints well.

Every figure leads to the records behind it: to the rows of the tables, which bear the number and
the hash of their record, and to the list of records at the end. The template is ``audit.html``.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.report.escape import clip, link, visible
from tfgate.report.page import render_page

if TYPE_CHECKING:
    from tfgate.model.audit_report import AuditReport, DecisionRow, ExceptionRow, PersonRow, Ref


_MOST_DECISIONS: Final = 1_000
"""Decisions in the page. Those that an auditor looks at first come first."""
_MOST_FINDINGS: Final = 8
_LONGEST: Final = 600
_KINDS: Final = (
    "Allowed by breaking the glass",
    "Denied",
    "Could not be decided",
    "Allowed with exceptions",
    "Allowed",
)


def render(report: AuditReport) -> str:
    """Render the page."""
    groups = _decision_groups(report.decisions)
    files = " ".join(shlex.quote(file) for file, _ in report.integrity.files)
    return render_page(
        "tfgate.trail",
        "audit.html",
        styles=("report.css", "audit.css"),
        report=report,
        title=f"Audit evidence for {report.control}" if report.control else "Audit evidence",
        period=_period(report),
        proof_words=_proof_words(report),
        decision_groups=groups,
        duties=report.duties[:_MOST_DECISIONS],
        source_of=_source,
        anchors=frozenset(row.ref.anchor for group in groups for row in group.rows),
        files=files or "audit.jsonl",
        people=sorted({who for one in report.exceptions for who in one.approvers}),
        clip=lambda text: clip(text, _LONGEST),
        link=link,
        short_time=short_time,
        findings_of=_findings,
        counts_of=_counts,
        code_of=_code,
        age_of=_age,
    )


def short_time(time: str) -> str:
    """Write ``2026-01-31T12:00:00.000000Z`` as ``2026-01-31 12:00:00``."""
    return time[:19].replace("T", " ")


def _period(report: AuditReport) -> str:
    begin = short_time(report.since) if report.since else "the beginning"
    end = short_time(report.until) if report.until else "now"
    where = f" in workspaces {report.workspace}" if report.workspace else ""
    return f"Decisions of the Terraform gate from {begin} to {end} (UTC){where}."


def _proof_words(report: AuditReport) -> str:
    proof = report.integrity
    if not proof.holds:
        return f"{len(proof.problems)} problem(s) were found in {proof.records:,} records"
    parts = [f"All {proof.records:,} records are as they were written, in their order"]
    if proof.evidence:
        parts.append(f"{proof.evidence:,} evidence files are unchanged")
    if proof.checkpoints:
        parts.append(f"{proof.checkpoints:,} signed checkpoints agree")
    return "; ".join(parts)


class _Group(NamedTuple):
    title: str
    number: int
    rows: Sequence[DecisionRow]

    @property
    def hidden(self) -> int:
        """How many have no row."""
        return self.number - len(self.rows)


def _decision_groups(decisions: Sequence[DecisionRow]) -> list[_Group]:
    """Sort decisions by kind, in the order of `_KINDS`, as many as the page has room for."""
    groups, left = [], _MOST_DECISIONS
    for title in _KINDS:
        of_kind = [row for row in decisions if _kind(row) == title]
        chosen = of_kind[:left]
        left -= len(chosen)
        if chosen:
            groups.append(_Group(title, len(of_kind), chosen))
    return groups


def _kind(row: DecisionRow) -> str:
    if row.break_glass:
        return "Allowed by breaking the glass"
    if row.decision == "deny":
        return "Denied"
    if row.decision != "allow":
        return "Could not be decided"
    return "Allowed with exceptions" if row.exceptions else "Allowed"


def _findings(row: DecisionRow) -> Sequence[str]:
    shown = row.findings[:_MOST_FINDINGS]
    reasons = row.reasons if row.decision != "allow" or row.break_glass else ()
    return (*reasons, *shown) if row.break_glass else (shown or reasons)


def _counts(row: DecisionRow) -> str:
    left = max(len(row.findings) - _MOST_FINDINGS, 0) + row.findings_left_out
    more = f"{left:,} further finding(s)" if left else ""
    counts = ", ".join(f"{number:,} {kind}" for kind, number in row.counts.items())
    return "; ".join(part for part in (more, f"all rules: {counts}" if counts else "") if part)


def _source(person: PersonRow) -> str:
    """Say whether a person is proven, and by whom, or where the name comes from."""
    by = " ".join(part for part in (person.source, person.subject) if part)
    return f"{'proven' if person.proven else 'claimed'}{': ' if by else ''}{by}"


def _code(row: DecisionRow) -> str:
    """Name the plan and the commit that a decision is about."""
    plan = f"plan {row.plan_sha256[:12]}" if row.plan_sha256 else ""
    commit = f"commit {row.commit[:12]}" if row.commit else ""
    return ", ".join(part for part in (plan, commit) if part)


def _age(row: ExceptionRow) -> str:
    if not row.since:
        return ""
    return f"{'signed' if row.kind == 'override' else 'since'} {row.since[:10]}"


COLUMNS = (
    "section", "time", "what", "workspace", "who", "approved_by", "rules", "address", "detail",
    "reason", "expires", "count", "applied", "decision_id", "plan_sha256", "commit", "records",
    "record_hashes", "proven", "planned_by", "same_person",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render_csv(report: AuditReport) -> str:
    """Return the table, with a first line of names."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: plain(text) for name, text in row.items()})
    return buffer.getvalue()


def plain(text: str) -> str:
    """Make a cell that no spreadsheet computes, and that has no character one cannot see."""
    # First: what comes before the apostrophe could be cut off by the reader as white space.
    shown = visible(text)
    return f"'{shown}" if text.lstrip().startswith(_FORMULA) or text[:1] in _FORMULA else shown


def _rows(report: AuditReport) -> Iterator[dict[str, str]]:
    for figure in report.figures:
        yield {"section": "figure", "what": figure.name, "count": str(figure.value),
               **_refs(figure.refs)}  # fmt: skip
    for row in report.decisions:
        yield {
            "section": "decision", "time": row.time, "what": row.decision,
            "workspace": row.workspace, "who": row.operator, "detail": "; ".join(row.findings),
            "reason": "; ".join(row.reasons), "count": str(row.exceptions),
            "decision_id": row.decision_id, "plan_sha256": row.plan_sha256, "commit": row.commit,
            "applied": row.applied, "proven": _yes(proven=row.verified),
            **_refs((row.ref, *row.related)),
        }  # fmt: skip
    for duty in report.duties:
        yield {
            "section": "apply", "time": duty.time,
            "what": "break glass" if duty.break_glass else "", "workspace": duty.workspace,
            "who": duty.applied_by.name, "detail": _source(duty.applied_by),
            "approved_by": "; ".join(f"{one.name} ({_source(one)})" for one in duty.approved_by),
            "applied": duty.applied, "decision_id": duty.decision_id,
            "proven": _yes(proven=duty.applied_by.proven),
            "planned_by": f"{duty.planned_by.name} ({_source(duty.planned_by)})",
            "same_person": "; ".join(duty.same), **_refs((duty.ref,)),
        }  # fmt: skip
    for one in report.exceptions:
        yield {**_exception(one), "section": "exception"}
    for one in report.unused:
        yield {**_exception(one), "section": "unused waiver"}
    for change in report.changes:
        yield {
            "section": "rule change", "time": change.time,
            "what": f"{change.ruleset} {change.version}", "who": "; ".join(change.authors),
            "approved_by": "; ".join(change.approvers), "rules": "; ".join(change.rules),
            "count": str(change.decisions), "commit": change.commit, **_refs(change.refs),
        }  # fmt: skip
    proof = report.integrity
    yield {
        "section": "integrity",
        "what": "the trail holds" if proof.holds else "the trail does NOT hold",
        "count": str(proof.records), "detail": "; ".join(proof.problems),
        "reason": "; ".join(proof.notes),
        "record_hashes": "; ".join(digest for _, _, digest in proof.chains),
    }  # fmt: skip


def _yes(*, proven: bool) -> str:
    return "yes" if proven else "no"


def _exception(row: ExceptionRow) -> dict[str, str]:
    return {
        "time": row.since, "what": row.kind, "who": row.owner,
        "approved_by": "; ".join(row.approvers), "rules": "; ".join(row.rules),
        "address": row.address, "reason": row.reason, "expires": row.expires,
        "detail": "; ".join(part for part in (row.state, row.source, row.ticket) if part),
        "count": str(row.used), **_refs(row.refs),
    }  # fmt: skip


def _refs(refs: tuple[Ref, ...]) -> dict[str, str]:
    return {
        "records": "; ".join(str(ref.seq) for ref in refs),
        "record_hashes": "; ".join(ref.hash for ref in refs),
    }
