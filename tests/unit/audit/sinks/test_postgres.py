"""The PostgreSQL sink, against a server of the system's binaries."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import trustme

from tests.support.postgres import Postgres, documented_table
from tests.support.sinks import Delivering
from tfgate.audit.sinks.deliver import State
from tfgate.audit.sinks.interface import SinkError
from tfgate.audit.sinks.make import make_sink
from tfgate.audit.sinks.postgres import tls_for
from tfgate.ruleset.sinks import SinkSpec, SinkType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for the server."""
    return trustme.CA()


@pytest.fixture(scope="module")
def postgres(authority: trustme.CA) -> Iterator[Postgres]:
    """A server whose database was prepared as the documentation says."""
    server = Postgres(authority.issue_cert("localhost"))
    ask(server.url, documented_table())
    yield server
    server.close()


@pytest.fixture
def delivering(postgres: Postgres, tmp_path: Path) -> Delivering:
    """A trail of five records, and an empty table."""
    ask(postgres.url, "TRUNCATE tfgate_audit")
    found = Delivering(tmp_path)
    found.write(5)
    return found


def ask(dsn: str, query: str) -> list[Any]:
    """Ask the database."""

    async def asked() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            if query.lstrip().upper().startswith("SELECT"):
                return [tuple(row) for row in await connection.fetch(query)]
            await connection.execute(query)
            return []
        finally:
            await connection.close()

    return asyncio.run(asked())


def writer(server: Postgres) -> str:
    """The connection string of the role that may insert and nothing else."""
    return server.url.replace("//tfgate@", "//tfgate_writer:p%40ss%20word@")


def sink(dsn: str, tmp_path: Path, **more: Any) -> Any:
    """The sink."""
    keys = {"name": "db", "type": SinkType.POSTGRES, "folder": tmp_path, "dsn_env": "TFGATE_SINK_D"}
    return make_sink(SinkSpec(**{**keys, **more}), {"TFGATE_SINK_D": dsn})


def test_records_become_rows(postgres: Postgres, delivering: Delivering, tmp_path: Path) -> None:
    """Byte for byte, by a role that may only insert; what is there already stays."""
    role = sink(writer(postgres), tmp_path)
    assert delivering.deliver(role, records=2).state is State.DONE
    delivering.file.path.unlink()
    delivering.write(1)
    assert delivering.deliver(role).sent == 6
    rows = ask(
        postgres.url,
        "SELECT seq, line, record->>'event', record->>'decision_id' FROM tfgate_audit ORDER BY seq",
    )
    assert [row[0] for row in rows] == list(range(6))
    assert "".join(f"{row[1]}\n" for row in rows).encode() == delivering.log.read_bytes()
    assert rows[0][2:] == ("decision", "d0")


@pytest.mark.parametrize("statement", ["SELECT 1 FROM", "DELETE FROM", "TRUNCATE"])
def test_the_role_of_the_documentation_may_insert_alone(postgres: Postgres, statement: str) -> None:
    """It can neither read nor remove what it wrote."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(writer(postgres), f"{statement} tfgate_audit")


def test_a_fork_of_the_trail_shows(
    postgres: Postgres, delivering: Delivering, tmp_path: Path
) -> None:
    """Two records of one number are two rows: the hash is the key."""
    role = sink(writer(postgres), tmp_path)
    delivering.deliver(role)
    lines = delivering.log.read_bytes().splitlines(keepends=True)
    delivering.log.write_bytes(b"".join(lines[:3]))
    delivering.write(1, size=77)
    delivering.file.path.unlink()
    delivering.deliver(role)
    query = "SELECT seq FROM tfgate_audit GROUP BY seq HAVING count(*) > 1"
    assert ask(postgres.url, query) == [(3,)]


def test_what_fails_says_why_and_no_password(
    postgres: Postgres, delivering: Delivering, tmp_path: Path
) -> None:
    """The password is in the connection string, which is quoted nowhere."""
    password = "s3cr3t-pass"
    base = postgres.url.replace("//tfgate@", f"//tfgate:{password}@")
    for dsn, table, reason in (
        (base, "nothing.here", "The database has no table nothing.here"),
        (base.replace("/postgres", "/none"), "x", "InvalidCatalogNameError"),
        (base.replace(str(postgres.port), "1"), "x", "The database cannot be reached"),
        (f"mysql://u:{password}@h/x", "x", "The connection string cannot be used"),
        (f"postgresql://u:{password}@localhost:port/x", "x", "cannot be used"),
    ):
        outcome = delivering.deliver(sink(dsn, tmp_path, table=table))
        assert outcome.state is State.FAILED
        assert reason in str(outcome.reason), dsn
        assert password not in str(outcome.reason)
        assert password not in delivering.file.path.read_text()


@pytest.mark.slow
def test_a_database_that_says_nothing_is_late(delivering: Delivering, tmp_path: Path) -> None:
    """All of it takes no longer than it may."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x"
        begun = time.monotonic()
        outcome = delivering.deliver(sink(dsn, tmp_path, timeout_seconds=1))
    assert outcome.reason == "The database did not answer within 1 s."
    assert time.monotonic() - begun < 10
    assert not [thread for thread in threading.enumerate() if "asyncio" in thread.name]


def test_tls_is_verified(
    postgres: Postgres, authority: trustme.CA, delivering: Delivering, tmp_path: Path
) -> None:
    """By the authority that ca_file names; a wrong authority and a wrong name are refused."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    url = postgres.url.replace("127.0.0.1", "localhost")
    for dsn, file in ((url, "other.pem"), (postgres.url, "ca.pem")):
        outcome = delivering.deliver(sink(dsn, tmp_path, ca_file=file))
        assert "The database's certificate is not to be trusted" in str(outcome.reason)
    assert delivering.deliver(sink(url, tmp_path, ca_file="ca.pem")).state is State.DONE
    with pytest.raises(SinkError, match="ca_file"):
        sink(url, tmp_path, ca_file="none.pem")


@pytest.mark.parametrize(
    ("dsn", "verified"),
    [
        ("postgresql://u@db.acme.example/x", True),
        ("postgresql://u@db1,db2/x", True),
        ("postgresql://u@/x?host=db", True),
        ("postgresql://u@db/x?sslmode=require", False),
        ("postgresql://u@localhost/x", False),
        ("postgresql:///x?host=/var/run/postgresql", False),
    ],
)
def test_remote_databases_must_prove_themselves(dsn: str, *, verified: bool) -> None:
    """Unless the connection string says otherwise: a driver goes on without TLS by itself."""
    assert (tls_for(dsn, None) is not None) is verified


def test_a_crash_of_the_database_loses_nothing(
    postgres: Postgres, delivering: Delivering, tmp_path: Path
) -> None:
    """What was delivered before it is there after it, and delivery goes on."""
    role = sink(writer(postgres), tmp_path)
    delivering.deliver(role)
    postgres.restart()
    delivering.write(3)
    assert delivering.deliver(role).sent == 3
    assert ask(postgres.url, "SELECT count(*) FROM tfgate_audit") == [(8,)]
