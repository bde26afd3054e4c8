"""Questions to the trail, and their answers as a table or as JSON Lines."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from tfgate.audit.canonical import decode
from tfgate.audit.filters import Filters
from tfgate.audit.moment import parse_moment
from tfgate.audit.search import search_trail
from tfgate.report.columns import in_columns
from tfgate.report.neutral import console

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from tfgate.app.trail import Trail
    from tfgate.audit.search import Hit

_COLUMNS = ("time", "event", "decision", "workspace", "operator", "id", "what")


def make_filters(
    given: Mapping[str, str | None], *, since: str | None, until: str | None, now: dt.datetime
) -> Filters:
    """Build the conditions; ``since`` and ``until`` are absolute or an age (``7d``).

    Raises ``UsageError`` for a time that cannot be understood.
    """
    return Filters(
        **given,
        since=None if since is None else parse_moment(since, now),
        until=None if until is None else parse_moment(until, now, end=True),
    )


def find_hits(
    trail: Trail, filters: Filters, *, last: int | None, skipped: list[str]
) -> Iterable[Hit]:
    """Give what matches, the ``last`` ones where asked for.

    Places of lines that are no record are added to ``skipped`` on the way.
    """
    hits = search_trail(
        trail.paths,
        filters,
        evidence=trail.evidence,
        skipped=lambda file, line: skipped.append(f"{file}:{line}"),
    )
    return hits if last is None else deque(hits, maxlen=last)


def as_json_lines(hits: Iterable[Hit]) -> Iterator[str]:
    """Write each hit as a JSON object: ``file``, ``line``, ``record``, ``findings``, ``complete``.

    ``findings`` are those that match, where findings were asked for.
    """
    for hit in hits:
        yield json.dumps(
            {
                "file": hit.file,
                "line": hit.line,
                "record": decode(hit.record.line),
                "findings": list(hit.findings),
                "complete": hit.complete,
            }
        )


def as_table(hits: Iterable[Hit]) -> Iterator[str]:
    """Write each hit as a line of a table, and the findings that match below it."""
    rows = [(hit, _row(hit)) for hit in hits]
    if not rows:
        return
    head, *lines = in_columns([_COLUMNS, *(row for _, row in rows)])
    yield head
    for (hit, _), line in zip(rows, lines, strict=True):
        yield line
        yield from _findings(hit)


def _row(hit: Hit) -> tuple[str, ...]:
    fields = hit.record.fields
    cells = (
        f"{hit.record.time[:19]}Z",
        hit.record.event,
        _text(fields.get("decision")),
        _text(fields.get("workspace")),
        _text(fields.get("operator")),
        _text(fields.get("decision_id")),
        _what(hit.record.event, fields),
    )
    return tuple(console(cell) for cell in cells)


def _what(event: str, fields: Mapping[str, Any]) -> str:
    if event == "decision":
        counts = fields.get("counts")
        known = counts.items() if isinstance(counts, dict) else ()
        return ", ".join(f"{number} {kind}" for kind, number in known if number)
    for name in ("reason", "error", "previous_file", "file"):
        if isinstance(fields.get(name), str):
            return str(fields[name])
    code = fields.get("exit_code")
    return f"exit code {code}" if isinstance(code, int) else ""


def _findings(hit: Hit) -> Iterator[str]:
    for finding in hit.findings:
        words = [_text(finding.get(name)) for name in ("outcome", "rule", "address", "message")]
        waiver = finding.get("waiver")
        if isinstance(waiver, dict):
            words.append(f"(waived by {_text(waiver.get('owner'))}: {_text(waiver.get('reason'))})")
        yield console("    " + "  ".join(word for word in words if word))
    if not hit.complete:
        yield "    … the record left findings out, and its evidence could not be read"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
