"""The clock that SQLite lacks on some machines, and DBOS needs."""

from __future__ import annotations

import time

import pytest

sa = pytest.importorskip("sqlalchemy")


def test_connections_know_the_time_in_fractions() -> None:
    """As SQLite 3.42 has it, whatever this one's version: milliseconds since 1970."""
    from tfgate.server import queue as sqlite_clock

    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "connect", sqlite_clock._teach)
    with engine.connect() as connection:
        made = (
            "CREATE TABLE t (a INTEGER, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))"
        )
        connection.execute(sa.text(made))
        connection.execute(sa.text("INSERT INTO t (a) VALUES (1)"))
        noted = connection.execute(sa.text("SELECT at FROM t")).scalar_one()
    engine.dispose()
    assert abs(noted / 1000 - time.time()) < 60
