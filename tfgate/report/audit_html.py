"""An audit report as one page to hand to an auditor. No script, nothing loaded, prints well.

Every figure leads to the records behind it: to the rows of the tables, which bear the number and
the hash of their record, and to the list of records at the end.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tfgate.report.audit_cells import (
    cell,
    lines,
    person_list,
    record_links,
    short_time,
    table,
)
from tfgate.report.audit_style import STYLE
from tfgate.report.audit_tables import (
    change_table,
    decision_tables,
    exception_table,
    ruleset_table,
    shown_decisions,
    unused_table,
)
from tfgate.report.html_findings import code, tag
from tfgate.report.neutral import html_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.model.audit_report import AuditReport

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")
MAX_REFS = 400
"""Records that are listed behind one figure; the JSON lists all of them."""


def render(report: AuditReport) -> str:
    """Give the page."""
    body = "\n".join(_body(report))
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html_text(_title(report))} - tfgate</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    parts = ("default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'")
    return "; ".join((*parts, "form-action 'none'"))


def _title(report: AuditReport) -> str:
    return f"Audit evidence for {report.control}" if report.control else "Audit evidence"


def _body(report: AuditReport) -> Iterator[str]:
    anchors = frozenset(row.ref.anchor for row in shown_decisions(report))
    yield from _header(report)
    yield "<main>"
    yield from _contents()
    yield from _summary(report)
    for number, (anchor, title, part) in enumerate(_sections(report, anchors), 1):
        yield f'<section aria-labelledby="{anchor}">'
        yield f'<h2 id="{anchor}">{number}. {html_text(title)}</h2>'
        yield from part
        yield "</section>"
    yield "</main>"


_TITLES = (
    ("decisions", "Decisions"),
    ("exceptions", "Exceptions"),
    ("unused", "Waivers that were never used"),
    ("changes", "Changes of rules"),
    ("rulesets", "Rules in force"),
    ("integrity", "Proof of integrity"),
    ("records", "Records behind each figure"),
    ("check", "How to check this page"),
)


def _sections(
    report: AuditReport, anchors: frozenset[str]
) -> Iterator[tuple[str, str, Iterator[str]]]:
    parts = (
        decision_tables(report),
        exception_table(report.exceptions, anchors),
        unused_table(report.unused),
        change_table(report.changes, anchors),
        ruleset_table(report, anchors),
        _integrity(report),
        _records(report, anchors),
        _check(report),
    )
    for (anchor, title), part in zip(_TITLES, parts, strict=True):
        yield anchor, title, part


def _header(report: AuditReport) -> Iterator[str]:
    begin = short_time(report.since) if report.since else "the beginning"
    end = short_time(report.until) if report.until else "now"
    where = f" in workspaces {report.workspace}" if report.workspace else ""
    yield "<header>"
    yield tag("h1", _title(report))
    yield tag("p", f"Decisions of the Terraform gate from {begin} to {end} (UTC){where}.")
    yield tag("p", f"Written {report.generated} by tfgate {report.tfgate}.", "tags")
    yield "</header>"
    proof = report.integrity
    css, word = ("allowed", "holds") if proof.holds else ("denied", "does NOT hold")
    yield f'<div class="proof {css}">'
    yield (
        f"<p><strong>The audit trail {word}.</strong> "
        f'<a href="#integrity">{html_text(_proof_words(report))}</a></p>'
    )
    yield "</div>"


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


def _contents() -> Iterator[str]:
    yield '<nav aria-label="Contents"><ol>'
    yield from (f'<li><a href="#{anchor}">{html_text(title)}</a></li>' for anchor, title in _TITLES)
    yield "</ol></nav>"


def _summary(report: AuditReport) -> Iterator[str]:
    yield '<section aria-labelledby="summary"><h2 id="summary">Summary</h2>'
    if report.control:
        count = len(report.rules)
        rules = ", ".join(map(code, report.rules[:100]))
        yield f"<p>The control is enforced by {count} rule(s) that were evaluated: {rules}.</p>"
    yield '<ul class="figures">'
    for number, figure in enumerate(report.figures):
        value = f"<b>{figure.value:,}</b>"
        if figure.refs:
            value = f'<b><a href="#figure-{number}">{figure.value:,}</a></b>'
        yield f"<li>{value}{html_text(figure.name)}</li>"
    yield "</ul></section>"


def _integrity(report: AuditReport) -> Iterator[str]:
    proof = report.integrity
    yield "<p>Each record holds the hash of the one before it. Whoever changes, removes, adds or "
    yield "moves a record breaks that chain; a signed checkpoint that is kept elsewhere shows when "
    yield "its end was cut off.</p>"
    yield tag("p", f"{proof.records:,} records from {proof.first_time} to {proof.last_time}.")
    for first, last, digest in proof.chains:
        yield (
            f"<p>Records {first:,} to {last:,}; hash of the last one: "
            f'<span class="hash">{html_text(digest)}</span></p>'
        )
    checked = f"Evidence files checked: {proof.evidence:,}."
    yield tag("p", f"{checked} Checkpoints by allowed signers that agree: {proof.checkpoints:,}.")
    for title, sentences in (("Problems", proof.problems), ("Worth knowing", proof.notes)):
        if sentences:
            yield tag("h3", title)
            yield f"<ul>{''.join(tag('li', sentence) for sentence in sentences)}</ul>"
    yield from table(
        "Files, as they were read",
        ("file", "SHA-256"),
        ((cell(name), cell(digest, "wide hash")) for name, digest in proof.files),
    )


def _records(report: AuditReport, anchors: frozenset[str]) -> Iterator[str]:
    yield "<p>Numbers are those of records in the trail. Each is linked to its row above, and bears"
    yield " the beginning of its hash where there is none.</p>"
    rows = (
        (
            f'<td id="figure-{number}">{html_text(figure.name)}</td>',
            cell(f"{figure.value:,}"),
            f'<td class="wide">{record_links(figure.refs, anchors, MAX_REFS)}</td>',
        )
        for number, figure in enumerate(report.figures)
    )
    yield from table("Figures of the summary", ("figure", "value", "records"), rows)


def _check(report: AuditReport) -> Iterator[str]:
    files = " ".join(_argument(file) for file, _ in report.integrity.files) or "audit.jsonl"
    commands = lines(
        "# the trail holds, and its evidence and checkpoints agree with it",
        f"tfgate audit verify {files} --evidence evidence --allowed-signers allowed_signers",
        "# one decision with all that is known of it, to be verified without tfgate",
        "tfgate audit export --decision ID --output bundle.zip",
        "# a single record: its own hash, computed anew",
        "sed -n LINEp FILE | jq -cSj 'del(.hash)' | sha256sum",
    )
    yield "<p>This page is made of the trail's records. To see for yourself:</p>"
    yield f"<pre>{commands}</pre>"
    people = person_list(sorted({who for one in report.exceptions for who in one.approvers}))
    if people:
        yield f"<p>Approvers of overrides are named by the keys that signed: {people}.</p>"


def _argument(text: str) -> str:
    """Quote a path as a shell needs it (shlex.quote, whose module no other report needs)."""
    plain = text and not set(text) - _PLAIN
    return text if plain else "'" + text.replace("'", "'\"'\"'") + "'"
