"""``tfgate audit sql``: DuckDB over the trail's files where they lie.

Nothing can be written: a query is one SELECT, the database is in memory, and DuckDB is shut off
from all files but the trail's, from the network and from extensions; its configuration is locked
(https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfgate.audit.search import read_lines
from tfgate.audit.verifier import find_files
from tfgate.command.output import write_lines
from tfgate.errors import UsageError
from tfgate.gate.trail import find_trail
from tfgate.report.escape import console
from tfgate.report.layout import in_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.gate.trail import Trail


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
        """Give each row as an object."""
        for row in self.rows:
            yield json.dumps(dict(zip(self.columns, map(_plain, row), strict=True)))

    def as_table(self) -> Iterator[str]:
        """Give the rows as a table of text."""
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
    """Give the one statement that ``query`` is, if it can do nothing but read.

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


# --- ``tfgate audit sql``: questions in SQL.


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
@click.option("--config", metavar="FILE", help="Configuration that says where the trail is.")
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
