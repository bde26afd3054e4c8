"""Questions to the trail: ``tfgate audit search`` and, in SQL, ``tfgate audit sql``."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tfgate.audit.record import decode
from tfgate.audit.search import Filters, Hit, Unread, parse_moment, read_lines, search_trail
from tfgate.audit.verifier import find_files
from tfgate.command.output import write_err, write_lines
from tfgate.errors import UsageError
from tfgate.gate.trail import Trail, find_trail
from tfgate.report.escape import console
from tfgate.report.layout import in_columns
from tfgate.trail.command import CONFIG

_COLUMNS = ("time", "event", "decision", "workspace", "operator", "id", "what")


def make_filters(
    given: Mapping[str, str | None],
    *,
    since: str | None,
    until: str | None,
    now: dt.datetime,
    unverified: bool = False,
) -> Filters:
    """Build the conditions; ``since`` and ``until`` are absolute or an age (``7d``).

    Raises ``UsageError`` for a time that cannot be understood.
    """
    return Filters(
        **given,
        unverified=unverified,
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
    ("--issuer", "issuer", "GLOB", "Who vouches for the operator, or for an approver."),
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
@click.option("--unverified", is_flag=True, help="Decisions whose operator was not proven.")
@click.option("--since", metavar="TIME", help="2026-01-31, 2026-01-31T12:00:00Z, or an age: 7d.")
@click.option("--until", metavar="TIME", help="Likewise; a day is meant to its end.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The newest N of them alone.")
@click.option("--json", "as_json", is_flag=True, help="Whole records, as JSON Lines.")
@CONFIG
def search(
    files: tuple[str, ...],
    unverified: bool,
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
    filters = make_filters(given, since=since, until=until, now=now, unverified=unverified)
    hits = find_hits(trail, filters, last=last, unread=unread)
    write_lines((as_json_lines if as_json else as_table)(hits))
    for sentence in unread.sentences():
        write_err(f"tfgate: {sentence}")


VIEWS = ("records", "decisions", "findings", "applies")

_PRAGMA = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*pragma\b", re.IGNORECASE | re.DOTALL)
"""What DuckDB before 2 takes for a SELECT as well."""

_MAX_LINE = 64 * 1024 * 1024
_DECISIONS = "SELECT * FROM records WHERE event = 'decision'"
_FINDINGS = """
SELECT r.seq, r.time, r.decision_id, r.workspace, r.operator, r.decision,
       f.value->>'rule' AS rule, f.value->>'ruleset' AS ruleset, f.value->>'address' AS address,
       f.value->>'type' AS type, f.value->>'outcome' AS outcome,
       f.value->>'enforcement' AS enforcement, f.value->>'message' AS message,
       CAST(f.value->'controls' AS VARCHAR) AS controls,
       f.value->'waiver'->>'owner' AS waived_by, f.value AS finding
FROM records AS r, json_each(r.record->'findings') AS f
WHERE r.event = 'decision' AND json_type(r.record->'findings') = 'ARRAY'
"""
_APPLIES = """
SELECT decision_id, any_value(workspace) AS workspace, any_value(operator) AS operator,
       min(time) FILTER (event = 'apply_started') AS started,
       max(time) FILTER (event IN ('apply_finished', 'apply_cancelled')) AS ended,
       max(CAST(record->>'exit_code' AS INTEGER)) FILTER (event = 'apply_finished') AS exit_code
FROM records WHERE event IN ('apply_started', 'apply_finished', 'apply_cancelled')
GROUP BY decision_id
"""
_RECORDS = """
SELECT CAST(json->>'seq' AS BIGINT) AS seq, CAST(json->>'time' AS TIMESTAMP) AS time,
       json->>'event' AS event, json->>'decision_id' AS decision_id,
       json->>'workspace' AS workspace, json->>'operator' AS operator,
       json->>'decision' AS decision, json->>'plan_sha256' AS plan_sha256,
       json->>'hash' AS hash, filename AS file, json AS record
FROM read_json_objects([{files}], format = 'newline_delimited', filename = true,
                       ignore_errors = true, maximum_object_size = {size})
WHERE json_type(json) = 'OBJECT' AND (json->>'hash') IS NOT NULL
"""


class Answer:
    """Rows of a query, with the names of their columns."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.columns = tuple(columns)
        self.rows = rows

    def as_json_lines(self) -> Iterator[str]:
        """Return each row as an object."""
        for row in self.rows:
            yield json.dumps(dict(zip(self.columns, map(_plain, row), strict=True)))

    def as_table(self) -> Iterator[str]:
        """Return the rows as a table of text."""
        cells = [self.columns, *([_cell(value) for value in row] for row in self.rows)]
        yield from in_columns([[console(cell) for cell in row] for row in cells])


def ask(trail: Trail, query: str) -> Answer:
    """Answer an SQL query over the views ``records``, ``decisions``, ``findings``, ``applies``.

    Raises ``UsageError`` without DuckDB, for a query that is wrong, and for one that is not
    allowed; ``AuditError`` where there is no trail, or a file of it cannot be read to its end.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "SQL needs DuckDB, which is not installed.",
            hint="Install the extra: pip install 'tfgate[audit]'. tfgate audit search needs none.",
        ) from None
    paths = []
    for file in find_files(trail.paths):
        deque(read_lines(file), maxlen=0)  # raises where DuckDB might count what is left
        paths.append(str(file.absolute()))
    connection = duckdb.connect(":memory:")
    try:
        _prepare(connection, paths)
        result = connection.execute(_only_select(duckdb, connection, query))
        columns = [column[0] for column in result.description or ()]
        return Answer(columns, result.fetchall() if columns else [])
    except duckdb.Error as error:
        # It may quote a value, which may be megabytes.
        text = str(error).strip().split("\n\n")[0][:1_000]
        raise UsageError(
            f"The query cannot be answered: {text}.", hint=f"The views are {', '.join(VIEWS)}."
        ) from None
    finally:
        connection.close()


def _only_select(duckdb: Any, connection: Any, query: str) -> Any:
    """Return the one statement that ``query`` is, if it can do nothing but read.

    DuckDB knows paths that may be used, and not that they may only be read: a COPY could write over
    the trail.
    """
    statements = connection.extract_statements(query)
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT] or _PRAGMA.match(query):
        raise UsageError(
            "The query must be one SELECT: nothing can be written here.",
            hint=f"The views are {', '.join(VIEWS)}.",
        )
    return statements[0]


def _prepare(connection: Any, paths: Sequence[str]) -> None:
    """Define the views, and let nothing but the trail's files be reached after that."""
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute("SET TimeZone = 'UTC'")
    records = _RECORDS.format(files=files, size=_MAX_LINE)
    connection.execute(f"SET allowed_paths = [{files}]")
    connection.execute(f"CREATE VIEW records AS {records}")
    for name, text in (("decisions", _DECISIONS), ("findings", _FINDINGS), ("applies", _APPLIES)):
        connection.execute(f"CREATE VIEW {name} AS {text}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET lock_configuration = true")


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else str(value)


@click.command(
    "sql",
    epilog='Example: tfgate audit sql "SELECT operator, count(*) FROM decisions '
    "WHERE decision = 'deny' GROUP BY ALL\"",
)
@click.argument("query")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE|DIR",
    help="Trail to ask (default: the one in force). Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Each row as a JSON object.")
@CONFIG
def sql(query: str, files: tuple[str, ...], as_json: bool, config: str | None) -> None:
    """Answer an SQL QUERY with DuckDB (the extra audit), on the trail's files where they lie.

    Views: records (seq, time, event, decision_id, workspace, operator, decision, plan_sha256,
    hash, file, record), decisions (of these), findings (one row for each, with rule, address,
    outcome, controls), applies (begin, end and exit code). record and finding are JSON:
    record->>'input'. Nothing else can be read, and nothing written.
    """
    trail = find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    answer = ask(trail, query)
    write_lines(answer.as_json_lines() if as_json else answer.as_table())
