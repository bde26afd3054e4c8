"""Questions to the trail, and their answers as a table or as JSON Lines."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tfgate.audit.filters import Filters, parse_moment
from tfgate.audit.record import decode
from tfgate.audit.search import Unread, search_trail
from tfgate.command.output import tell, write_lines
from tfgate.gate.trail import find_trail
from tfgate.report.escape import console
from tfgate.report.layout import in_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tfgate.audit.search import Hit
    from tfgate.gate.trail import Trail


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


def find_hits(trail: Trail, filters: Filters, *, last: int | None, unread: Unread) -> Iterable[Hit]:
    """Return what matches, the ``last`` ones where asked for; ``unread`` is filled on the way."""
    hits = search_trail(trail.paths, filters, evidence=trail.evidence, unread=unread)
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


# --- ``tfgate audit search``: records that match.


F = TypeVar("F", bound="Callable[..., Any]")

_FILTERS = (
    ("--event", "event", "GLOB", "decision, undecided, apply_started, apply_*, checkpoint, …"),
    ("--id", "decision_id", "GLOB", "Id of the decision."),
    ("--workspace", "workspace", "GLOB", "Workspace."),
    ("--operator", "operator", "GLOB", "Who asked for the apply."),
    ("--decision", "decision", "WORD", "allow or deny."),
    ("--plan", "plan", "HASH", "Beginning of the SHA-256 of the plan file or of its JSON."),
    ("--ruleset", "ruleset", "GLOB", "Ruleset: ID or ID@VERSION."),
    ("--commit", "commit", "HASH", "Beginning of the commit of the configuration or of a ruleset."),
    ("--approver", "approver", "GLOB", "Who approved an override, or a rule that took part."),
    ("--rule", "rule", "GLOB", "Rule that was evaluated."),
    ("--address", "address", "GLOB", "Address that a finding is about."),
    ("--type", "type", "GLOB", "Resource type that a finding is about."),
    ("--control", "control", "GLOB", "FRAMEWORK or FRAMEWORK:CONTROL, as in soc2:CC8.1."),
    ("--outcome", "outcome", "GLOB", "pass, fail, unknown, error or waived."),
    ("--waiver", "waiver", "GLOB", "Rule, owner, ticket or place of a waiver; * for any."),
)  # fmt: skip


def filter_options(command: F) -> F:
    """Add an option for every condition of a search."""
    for option, name, metavar, text in reversed(_FILTERS):
        command = click.option(option, name, metavar=metavar, help=text)(command)
    return command


@click.command(
    "search", epilog="Example: tfgate audit search --workspace 'prod-*' --decision deny --since 7d"
)
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@filter_options
@click.option("--since", metavar="TIME", help="2026-01-31, 2026-01-31T12:00:00Z, or an age: 7d.")
@click.option("--until", metavar="TIME", help="Likewise; a day is meant to its end.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The newest N of them alone.")
@click.option("--json", "as_json", is_flag=True, help="Whole records, as JSON Lines.")
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
def search(
    files: tuple[str, ...],
    since: str | None,
    until: str | None,
    last: int | None,
    as_json: bool,
    config: str | None,
    **given: str | None,
) -> None:
    """Find records, oldest first; all conditions must hold.

    Texts are globs (* and ?). Conditions on findings (rule, address, type, control, outcome,
    waiver) must hold of one and the same finding. Nothing is verified: see tfgate audit verify.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    now = dt.datetime.now(dt.timezone.utc)
    unread = Unread()
    filters = make_filters(given, since=since, until=until, now=now)
    hits = find_hits(trail, filters, last=last, unread=unread)
    write_lines((as_json_lines if as_json else as_table)(hits))
    for sentence in unread.sentences():
        tell(f"tfgate: {sentence}")
