"""What is known of each task, durably: tables in SQLite, or in PostgreSQL that servers share."""

from __future__ import annotations

import fcntl
import functools
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, ParamSpec, TypeVar

import msgspec
import sqlalchemy as sa

from tfgate.errors import TfgateError, UsageError
from tfgate.server.job import Evaluation, Finding, RunTask, read_kept
from tfgate.server.secrets import Vault
from tfgate.server.settings import Settings

# The tables beside the engine's own: tasks and servers.

metadata = sa.MetaData()

tasks = sa.Table(
    "tfgate_tasks",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("organization", sa.Text, nullable=False),
    sa.Column("project", sa.Text),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("workspace_id", sa.String(128), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),  # without the token
    sa.Column("token", sa.LargeBinary),  # encrypted; gone after the answer
    sa.Column("state", sa.String(16), nullable=False),  # open, answered, abandoned
    sa.Column("server", sa.String(128), nullable=False),
    sa.Column("accepted_at", sa.Float, nullable=False),
    sa.Column("beat_at", sa.Float, nullable=False),
    sa.Column("judged_at", sa.Float),
    sa.Column("closed_at", sa.Float),
    sa.Column("passed", sa.Boolean),
    sa.Column("undecided", sa.Boolean),
    sa.Column("message", sa.Text),
    sa.Column("decision_id", sa.String(128)),
    sa.Column("plan_sha256", sa.String(64)),
    sa.Column("obligations", sa.Integer),
    sa.Column("findings", sa.LargeBinary),  # JSON
    sa.Column("page", sa.LargeBinary),  # HTML, compressed
    sa.Index("tfgate_tasks_by_run", "run_id", "stage"),
    sa.Index("tfgate_tasks_by_state", "state", "server"),
    sa.Index("tfgate_tasks_by_time", "accepted_at"),
)

servers = sa.Table(
    "tfgate_servers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("beat_at", sa.Float, nullable=False),
)


# Where tasks are kept: SQLite in the server's folder, or PostgreSQL that servers share.

CONNECTIONS: Final = 8
"""To PostgreSQL, for the tables, and as many for the engine: it takes 100 by default in all, and
whoever comes after those is turned away."""


class Databases:
    """The addresses of the engine's database and of the server's tables, and the folder's lock."""

    def __init__(self, settings: Settings) -> None:
        """Take the folder. Raises ``TfgateError`` where another server has it."""
        self.state = settings.path(settings.server.state)
        try:
            self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _lock(self.state)
        except OSError as error:
            raise UsageError(
                f"The folder {self.state} cannot be used: {error.strerror}.",
                hint="server.state names another one.",
            ) from None
        self.shared = settings.server.database is not None
        if settings.server.database is None:
            self.engine_url = f"sqlite:///{self.state / 'engine.sqlite'}"
            self.tables_url = f"sqlite:///{self.state / 'tasks.sqlite'}"
        else:
            self.engine_url = self.tables_url = _postgres(settings.server.database)

    def open_tables(self) -> sa.Engine:
        """Open the tables, and make what is missing. Raises ``TfgateError``."""
        if not self.shared:
            _prepare(self.state / "engine.sqlite")
        engine = open_engine(self.tables_url)
        make_tables(engine, metadata)
        return engine

    def close(self) -> None:
        """Release the folder."""
        self._lock.close()


def make_tables(engine: sa.Engine, tables: sa.MetaData) -> None:
    """Make the tables that are missing. Raises ``TfgateError``."""
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                # Two servers that start at once would both make the tables.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7483921)"))
            tables.create_all(connection)
    except sa.exc.SQLAlchemyError as error:
        kind = type(error).__name__
        raise TfgateError(f"The database cannot be used ({kind}).") from None


def open_engine(url: str) -> sa.Engine:
    """Open a database with what each kind needs to be safe with several writers."""
    if not url.startswith("sqlite"):
        return sa.create_engine(
            url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=60, pool_pre_ping=True
        )
    engine = sa.create_engine(
        url, pool_size=20, max_overflow=20, connect_args={"check_same_thread": False}
    )
    sa.event.listen(engine, "connect", _sqlite_connection)
    return engine


def _sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _prepare(path: Path) -> None:
    """Have the engine's file keep a write-ahead log: readers and the writer do not wait then."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.close(descriptor)
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _lock(state: Path) -> IO[str]:
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise TfgateError(
            f"Another server uses the folder {state}.",
            hint="Each server needs a folder of its own, also where they share a database.",
        ) from None
    return file


def _postgres(url: str) -> str:
    scheme, colon, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not colon:
        raise UsageError("server.database is not a postgresql:// address.")
    return f"postgresql+psycopg://{rest}"


# What is written and read.

ACCEPT_SECONDS = 8.0
"""How long a request waits for a database that is away, before the sender is turned away."""
OPEN, ANSWERED, ABANDONED = "open", "answered", "abandoned"
_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
P = ParamSpec("P")
R = TypeVar("R")


def patient(act: Callable[P, R]) -> Callable[P, R]:
    """Wait for a database that is away: what a task has reached must not be lost with it."""

    @functools.wraps(act)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        wait = 0.2
        while True:
            try:
                return act(*args, **kwargs)
            except _AWAY:  # noqa: PERF203 - a retry
                time.sleep(wait)
                wait = min(wait * 2, 5.0)

    return tried


class Task(NamedTuple):
    """One task in work."""

    id: str
    request: RunTask
    token: str | None
    state: str
    accepted_at: float
    evaluated: bool
    passed: bool
    message: str
    findings: tuple[Finding, ...]
    decision_id: str | None


class Earlier(NamedTuple):
    """What an earlier stage of the same run came to."""

    decision_id: str | None
    plan_sha256: str | None
    obligations: int


class Listed(NamedTuple):
    """One line of the list of decisions, or the head of its page."""

    id: str
    run_id: str
    organization: str
    project: str | None
    workspace: str
    stage: str
    state: str
    accepted_at: float
    passed: bool | None
    undecided: bool | None
    message: str | None
    decision_id: str | None


_LISTED = [tasks.c[name] for name in Listed._fields]


class Store:
    """Reads and writes the tables."""

    def __init__(self, engine: sa.Engine, vault: Vault, server: str) -> None:
        self._engine = engine
        self._vault = vault
        self.server = server
        self._shared = engine.dialect.name == "postgresql"

    @patient
    def now(self) -> float:
        """Return the time that all servers agree on: that of the shared database."""
        return self._now()

    def _now(self) -> float:
        if not self._shared:
            return time.time()
        with self._engine.connect() as connection:
            value = connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())"))
            return float(value.scalar_one())

    def accept(self, key: str, task: RunTask) -> bool:
        """Store a request; whether it is a new one. When this returns, it is on the disk."""
        end = time.monotonic() + ACCEPT_SECONDS
        while True:
            try:
                return self._accept(key, task)
            except _AWAY:
                if time.monotonic() > end:
                    raise
            time.sleep(0.3)

    def _accept(self, key: str, task: RunTask) -> bool:
        now = self._now()
        row = {
            "id": key,
            "run_id": task.run_id,
            "organization": task.organization_name,
            "project": task.project_name,
            "workspace": task.workspace_name,
            "workspace_id": task.workspace_id,
            "stage": task.stage.value,
            "request": task.without_token(),
            "token": self._vault.seal(task.access_token),
            "state": OPEN,
            "server": self.server,
            "accepted_at": now,
            "beat_at": now,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(tasks).values(**row))
        except sa.exc.IntegrityError:
            return False
        return True

    @patient
    def read(self, key: str) -> Task | None:
        """Return a task with its token."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(tasks).where(tasks.c.id == key)).one_or_none()
        if row is None:
            return None
        found: tuple[Finding, ...] = ()
        if row.findings:
            found = msgspec.json.decode(row.findings, type=tuple[Finding, ...])
        return Task(
            id=row.id,
            request=read_kept(row.request),
            token=None if row.token is None else self._vault.open(row.token),
            state=row.state,
            accepted_at=row.accepted_at,
            evaluated=row.judged_at is not None,
            passed=bool(row.passed),
            message=row.message or "",
            findings=found,
            decision_id=row.decision_id,
        )

    @patient
    def state(self, key: str) -> str | None:
        """Return a task's state; ``None`` where there is no such task."""
        with self._engine.connect() as connection:
            query = sa.select(tasks.c.state).where(tasks.c.id == key)
            return connection.execute(query).scalar_one_or_none()

    def take(self, key: str) -> None:
        """Record that this server works on a task, and so sends its heartbeats."""
        self._change(key, {"server": self.server})

    def evaluated(self, key: str, evaluation: Evaluation) -> None:
        """Store the result."""
        page = evaluation.page
        self._change(
            key,
            {
                "judged_at": self.now(),
                "passed": evaluation.passed,
                "undecided": evaluation.undecided,
                "message": evaluation.message,
                "decision_id": evaluation.decision_id,
                "plan_sha256": evaluation.plan_sha256,
                "obligations": evaluation.obligations,
                "findings": msgspec.json.encode(evaluation.findings),
                "page": None if page is None else zlib.compress(page.encode(), 6),
            },
        )

    def close(self, key: str, state: str) -> None:
        """Record that the answer was taken (or given up), and delete the token."""
        self._change(key, {"state": state, "token": None, "closed_at": self.now()})

    @patient
    def _change(self, key: str, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(tasks).where(tasks.c.id == key, tasks.c.state == OPEN).values(**values)
            )

    def due(self, seconds: float) -> list[str]:
        """Return this server's open tasks whose last heartbeat is that old."""
        with self._engine.connect() as connection:
            query = sa.select(tasks.c.id).where(
                tasks.c.state == OPEN,
                tasks.c.server == self.server,
                tasks.c.beat_at < self.now() - seconds,
            )
            return list(connection.execute(query).scalars())

    def beaten(self, key: str) -> None:
        """Record a heartbeat."""
        self._change(key, {"beat_at": self.now()})

    def open_tasks(self) -> list[str]:
        """Return every task without an answer, oldest first."""
        with self._engine.connect() as connection:
            query = sa.select(tasks.c.id).where(tasks.c.state == OPEN).order_by(tasks.c.accepted_at)
            return list(connection.execute(query).scalars())

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in each state."""
        with self._engine.connect() as connection:
            query = sa.select(tasks.c.state, sa.func.count()).group_by(tasks.c.state)
            return {row[0]: row[1] for row in connection.execute(query)}

    @patient
    def earlier(self, run_id: str, stages: Sequence[str]) -> Earlier | None:
        """Return the last decision of the same run at one of the stages."""
        with self._engine.connect() as connection:
            query = (
                sa.select(tasks.c.decision_id, tasks.c.plan_sha256, tasks.c.obligations)
                .where(
                    tasks.c.run_id == run_id,
                    tasks.c.stage.in_(stages),
                    tasks.c.decision_id.is_not(None),
                )
                .order_by(tasks.c.judged_at.desc())
                .limit(1)
            )
            row = connection.execute(query).one_or_none()
        return None if row is None else Earlier(row[0], row[1], row[2] or 0)

    def recent(self, limit: int, before: float | None = None) -> list[Listed]:
        """Return the latest tasks, newest first."""
        query = sa.select(*_LISTED).order_by(tasks.c.accepted_at.desc()).limit(limit)
        if before is not None:
            query = query.where(tasks.c.accepted_at < before)
        with self._engine.connect() as connection:
            return [Listed(*row) for row in connection.execute(query)]

    def page(self, key: str) -> tuple[Listed, str | None] | None:
        """Return a task's head and its page."""
        query = sa.select(*_LISTED, tasks.c.page).where(tasks.c.id == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        page = None if row.page is None else zlib.decompress(row.page).decode()
        return Listed(*row[:-1]), page

    def forget(self, older_than: float) -> list[str]:
        """Remove closed tasks accepted before a time; give their ids."""
        old = sa.and_(tasks.c.state != OPEN, tasks.c.accepted_at < older_than)
        with self._engine.begin() as connection:
            query = sa.select(tasks.c.id).where(old).limit(500)
            keys = list(connection.execute(query).scalars())
            connection.execute(sa.delete(tasks).where(tasks.c.id.in_(keys)))
        return keys

    def check(self) -> None:
        """Check that the database answers. Raises what SQLAlchemy raises."""
        with self._engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))

    def beat(self) -> None:
        """Record that this server lives."""
        now = self._now()
        with self._engine.begin() as connection:
            mine = servers.c.id == self.server
            done = connection.execute(sa.update(servers).where(mine).values(beat_at=now))
            if done.rowcount == 0:
                connection.execute(sa.insert(servers).values(id=self.server, beat_at=now))

    def living(self, seconds: float) -> set[str]:
        """Return the servers with a recent heartbeat; delete those long without one."""
        now = self.now()
        with self._engine.begin() as connection:
            connection.execute(sa.delete(servers).where(servers.c.beat_at < now - 100 * seconds))
            query = sa.select(servers.c.id).where(servers.c.beat_at >= now - seconds)
            return set(connection.execute(query).scalars())

    def leave(self) -> None:
        """Record that this server is gone, so that others need not wait to find out."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(servers).where(servers.c.id == self.server))

    def adopt(self, living: set[str]) -> None:
        """Take over the open tasks of servers that are gone, to send their heartbeats."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(tasks)
                .where(tasks.c.state == OPEN, tasks.c.server.not_in(living))
                .values(server=self.server)
            )
