"""Where tasks are kept: SQLite in the server's folder, or PostgreSQL that servers share."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from typing import IO, TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from tfgate.errors import TfgateError, UsageError
from tfgate.web.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.web.settings import Settings

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
        try:
            with engine.begin() as connection:
                if self.shared:
                    # Two servers that start at once would both make the tables.
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(7483921)"))
                metadata.create_all(connection)
        except sa.exc.SQLAlchemyError as error:
            kind = type(error).__name__
            raise TfgateError(f"The database cannot be used ({kind}).") from None
        return engine

    def close(self) -> None:
        """Give the folder back."""
        self._lock.close()


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
