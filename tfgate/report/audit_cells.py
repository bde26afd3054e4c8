"""Cells and tables of the audit report. Every text goes through ``html_text``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.report.neutral import clip, html_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.model.audit_report import Ref

_LONGEST = 600


def cell(text: str, css: str = "", note: str = "") -> str:
    """Write a cell of a table, and a note in small below its text."""
    attribute = f' class="{css}"' if css else ""
    return f"<td{attribute}>{safe(text)}{small(note)}</td>"


def safe(text: str) -> str:
    """Make a text safe and not longer than a cell should be."""
    # Cut first: what follows could end in the middle of an escape.
    return html_text(clip(text, _LONGEST))


def small(note: str) -> str:
    """Write a note in small, nothing for an empty one."""
    return f'<span class="note">{safe(note)}</span>' if note else ""


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Iterable[str]], ids: Iterable[str] = ()
) -> Iterator[str]:
    """Write a table of cells; ``ids`` are anchors of its rows."""
    anchors = iter(ids)
    yield '<div class="scroll"><table>'
    if caption:
        yield f"<caption>{html_text(caption)}</caption>"
    columns = "".join(f'<th scope="col">{html_text(head)}</th>' for head in heads)
    yield f"<thead><tr>{columns}</tr></thead>"
    yield "<tbody>"
    for row in rows:
        anchor = next(anchors, None)
        attribute = f' id="{html_text(anchor)}"' if anchor else ""
        yield f"<tr{attribute}>{''.join(row)}</tr>"
    yield "</tbody></table></div>"


def record_cell(ref: Ref) -> str:
    """Write the cell that says which record a row is."""
    where = f"{ref.hash[:12]}, line {ref.line}"
    return f'<td class="record"><strong>{safe(str(ref.seq))}</strong>{small(where)}</td>'


def record_links(refs: Sequence[Ref], anchors: frozenset[str], most: int) -> str:
    """Write links to records that have a row in the page, and the others by number and hash."""
    parts = [
        f'<a href="#{html_text(ref.anchor)}">{safe(str(ref.seq))}</a>'
        if ref.anchor in anchors
        else f'{safe(str(ref.seq))} <span class="hash">{html_text(ref.hash[:8])}</span>'
        for ref in refs[:most]
    ]
    if len(refs) > most:
        parts.append(f"and {len(refs) - most:,} more, which the JSON has")
    return ", ".join(parts) or "none"


def links_cell(refs: Sequence[Ref], anchors: frozenset[str], most: int = 20) -> str:
    """Write them as a cell."""
    return f"<td>{record_links(refs, anchors, most)}</td>"


def word(text: str) -> str:
    """Write a decision as a cell, in its colour and in its word."""
    css = {"allow": "allowed", "deny": "denied"}.get(text, "undecided")
    shown = {"allow": "allowed", "deny": "denied"}.get(text, "not decided")
    return f'<td class="{css}"><span class="word">{shown}</span></td>'


def person_list(people: Sequence[str]) -> str:
    """Write names behind each other."""
    return ", ".join(map(safe, people))


def short_time(time: str) -> str:
    """Write ``2026-01-31T12:00:00.000000Z`` as ``2026-01-31 12:00:00``."""
    return time[:19].replace("T", " ")


def lines(*texts: str) -> str:
    """Write lines of a ``pre``, each made safe."""
    return "\n".join(map(html_text, texts))
