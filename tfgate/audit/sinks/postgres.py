"""A table of a PostgreSQL database as a sink."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg

from tfgate.audit.record import moment_of
from tfgate.audit.sinks.interface import Batch, Secrets, Sink, SinkError

TABLE: Final = "tfgate_audit"

# No conflict target: one asks for the right to read, and this needs that of inserting alone. A
# hash stands for all of a record, so what is there already is the record.
_INSERT: Final = """
INSERT INTO {table} (chain, seq, hash, time, event, line)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
ON CONFLICT DO NOTHING
"""


_HERE: Final = (None, "localhost", "127.0.0.1", "::1")


class PostgresSink(Sink):
    """Inserts records into a table that somebody made (docs/sinks.md), one statement a batch."""

    def __init__(
        self,
        dsn: str,
        secrets: Secrets,
        *,
        table: str = TABLE,
        seconds: float,
        ca_file: Path | None = None,
    ) -> None:
        self._dsn = dsn
        self._secrets = secrets
        self._table = table
        self._seconds = seconds
        self._insert = _INSERT.format(table=".".join(f'"{part}"' for part in table.split(".")))
        self._tls = tls_for(dsn, ca_file)
        _add_password(dsn, secrets)

    def send(self, batch: Batch) -> None:
        """Insert what is not there yet; when this returns, it is committed."""
        loop = _Loop()
        try:
            loop.run_until_complete(asyncio.wait_for(self._send(batch), self._seconds))
        except asyncpg.UndefinedTableError:
            raise SinkError(
                f"The database has no table {self._table}.",
                hint="docs/sinks.md has the statements that make it.",
            ) from None
        except asyncpg.PostgresError as error:
            text = self._secrets.hide(str(error.args[0]) if error.args else "")
            raise SinkError(f"The database refused ({type(error).__name__}): {text}") from None
        except (asyncio.TimeoutError, TimeoutError):
            raise SinkError(f"The database did not answer within {self._seconds:g} s.") from None
        except ssl.SSLCertVerificationError as error:
            raise SinkError(
                f"The database's certificate is not to be trusted: {error.verify_message}.",
                hint="Let ca_file name the authority that vouches for it.",
            ) from None
        except OSError as error:
            raise SinkError(
                f"The database cannot be reached: {self._secrets.hide(_reason(error))}."
            ) from None
        except (asyncpg.InterfaceError, ValueError) as error:  # they quote the connection string
            raise SinkError(
                f"The connection string cannot be used ({type(error).__name__})."
            ) from None
        finally:
            loop.finish()

    async def _send(self, batch: Batch) -> None:
        options: dict[str, Any] = {} if self._tls is None else {"ssl": self._tls}
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._seconds,
            # A pooler in between gives each statement another connection.
            statement_cache_size=0,
            **options,
        )
        try:
            await self._write(connection, batch)
            await connection.close()
        finally:
            connection.terminate()  # nothing, where it is closed

    async def _write(self, connection: asyncpg.Connection, batch: Batch) -> None:
        records = batch.records
        async with connection.transaction():
            # What the database forgets in a crash was not delivered.
            await connection.execute("SET LOCAL synchronous_commit = on")
            await connection.execute(
                self._insert,
                batch.chain,
                [record.seq for record in records],
                [record.hash for record in records],
                [moment_of(record.time) for record in records],
                [record.event for record in records],
                [record.line.decode() for record in records],
            )


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in its own thread: the end of the process waits for those of a pool."""

    async def getaddrinfo(self, *args: Any, **options: Any) -> Any:
        return socket.getaddrinfo(*args, **options)

    def finish(self) -> None:
        """Close it; connections that were refused get a moment to say goodbye."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.run_until_complete(asyncio.sleep(0.05))
        self.close()


def tls_for(dsn: str, ca_file: Path | None) -> ssl.SSLContext | None:
    """Return how the database is to prove itself; ``None`` where the connection string says how.

    Left alone, drivers go on without TLS where the other side has none.
    """
    try:
        parts = urlsplit(dsn)
        host, query = parts.hostname, parse_qs(parts.query)
    except ValueError:  # several hosts
        host, query = "?", {}
    stated = "sslmode" in query or "PGSSLMODE" in os.environ
    hosts = query.get("host", [host])
    here = all(each in _HERE or str(each).startswith("/") for each in hosts)
    if ca_file is None and (stated or here):
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SinkError(f"The file {ca_file} (ca_file) cannot be used: {_reason(error)}.") from None


def _add_password(dsn: str, secrets: Secrets) -> None:
    try:
        parts = urlsplit(dsn)
        passwords = [parts.password, *parse_qs(parts.query).get("password", ())]
    except ValueError:
        return
    for password in passwords:
        if password:
            secrets.add(password)


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its host has no address"
    return error.strerror or str(error) or type(error).__name__
