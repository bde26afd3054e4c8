"""An audit report as one table for a spreadsheet: RFC 4180, UTF-8, one kind of row in `section`.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@`` (some: as wide characters
too), tab or return for a formula, whatever quotes it stands in (OWASP, CSV Injection). Such a cell
gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tfgate.report.neutral import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.model.audit_report import AuditReport, ExceptionRow, Ref

COLUMNS = (
    "section", "time", "what", "workspace", "who", "approved_by", "rules", "address", "detail",
    "reason", "expires", "count", "applied", "decision_id", "plan_sha256", "commit", "records",
    "record_hashes",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(report: AuditReport) -> str:
    """Give the table, with a first line of names."""
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
            "section": "decision",
            "time": row.time,
            "what": row.decision,
            "workspace": row.workspace,
            "who": row.operator,
            "detail": "; ".join(row.findings),
            "reason": "; ".join(row.reasons),
            "count": str(row.exceptions),
            "decision_id": row.decision_id,
            "plan_sha256": row.plan_sha256,
            "commit": row.commit,
            "applied": row.applied,
            **_refs((row.ref, *row.related)),
        }
    for one in report.exceptions:
        yield {**_exception(one), "section": "exception"}
    for one in report.unused:
        yield {**_exception(one), "section": "unused waiver"}
    for change in report.changes:
        yield {
            "section": "rule change",
            "time": change.time,
            "what": f"{change.ruleset} {change.version}",
            "who": "; ".join(change.authors),
            "approved_by": "; ".join(change.approvers),
            "rules": "; ".join(change.rules),
            "count": str(change.decisions),
            "commit": change.commit,
            **_refs(change.refs),
        }
    proof = report.integrity
    yield {
        "section": "integrity",
        "what": "the trail holds" if proof.holds else "the trail does NOT hold",
        "count": str(proof.records),
        "detail": "; ".join(proof.problems),
        "reason": "; ".join(proof.notes),
        "record_hashes": "; ".join(digest for _, _, digest in proof.chains),
    }


def _exception(row: ExceptionRow) -> dict[str, str]:
    return {
        "time": row.since,
        "what": row.kind,
        "who": row.owner,
        "approved_by": "; ".join(row.approvers),
        "rules": "; ".join(row.rules),
        "address": row.address,
        "detail": "; ".join(part for part in (row.state, row.source, row.ticket) if part),
        "reason": row.reason,
        "expires": row.expires,
        "count": str(row.used),
        **_refs(row.refs),
    }


def _refs(refs: tuple[Ref, ...]) -> dict[str, str]:
    return {
        "records": "; ".join(str(ref.seq) for ref in refs),
        "record_hashes": "; ".join(ref.hash for ref in refs),
    }
