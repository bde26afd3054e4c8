"""A clock for the SQLite under DBOS, where SQLite's own is too old for it.

On Python 3.12 and newer DBOS's tables ask for ``unixepoch('subsec')``, which SQLite has from 3.42
on and answers with NULL before (https://sqlite.org/lang_datefunc.html). Python is built with
whatever SQLite the system has: 3.40 on Debian 12.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from typing import Any

import sqlalchemy as sa

_FIRST = (3, 42, 0)


def teach_sqlite() -> None:
    """Let every connection to SQLite that is made from now on know the time in fractions."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < _FIRST:
        sa.event.listen(sa.Engine, "connect", _teach)


def _teach(connection: Any, _record: Any) -> None:
    driver = getattr(connection, "driver_connection", connection)
    if isinstance(driver, sqlite3.Connection):
        driver.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(asked: object) -> float | None:
    """Answer as SQLite does for ``'subsec'``; nothing else is asked for."""
    return int(time.time() * 1000) / 1000 if asked == "subsec" else None
