"""The queue of tasks: DBOS, which records each step, and taking over from servers that are gone.

A task is a DBOS workflow of two steps on one queue. DBOS recovers what its own executor left; a
server that is gone for good is detected here: every server writes a heartbeat to the shared
database, and workflows of executors without one are put back into the queue by the public calls
``list_workflows`` and ``resume_workflows``. DBOS hands a queued workflow to one server alone, and
fences off the one that had it before: its later steps are refused.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID

from tfgate.server.background import Background
from tfgate.server.store import CONNECTIONS
from tfgate.server.work import Work

# A clock for the SQLite under DBOS, where SQLite's own is too old for it.
#
# On Python 3.12 and newer DBOS's tables ask for ``unixepoch('subsec')``, which SQLite has from 3.42
# on and answers with NULL before (https://sqlite.org/lang_datefunc.html). Python is built with
# whatever SQLite the system has: 3.40 on Debian 12.


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


QUEUE: Final = "tfgate"
BEAT_SECONDS: Final = 5.0
DEAD_SECONDS: Final = 30.0
_VERSION: Final = "1"
"""Of the workflow's steps: servers of different versions of tfgate share work while it is equal."""

_OVER: Final = ("SUCCESS", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED")

_work: Work | None = None
"""DBOS calls module-level functions after a restart, so what they work with stands here."""


class _Json(Serializer):
    """JSON instead of pickle: who can write to the database must not be able to run code."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = type(data).__name__
        return msgspec.json.encode(data).decode()

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - as DBOS has it
        return msgspec.json.decode(serialized_data)

    def name(self) -> str:
        return "tfgate_json"


@DBOS.step(name="_judge")
def _evaluate(key: str) -> bool:
    return _in_force().evaluate(key)


@DBOS.step(name="_answer")
def _answer(key: str) -> str:
    return _in_force().answer(key)


@DBOS.workflow(name="tfgate_run_task", max_recovery_attempts=None)
def _run_task(key: str) -> str:
    return _answer(key) if _evaluate(key) else "nothing"


def _in_force() -> Work:
    assert _work is not None, "the engine is started with its work"
    return _work


class Engine:
    """DBOS with the server's queue, and its watch over the other servers."""

    def __init__(self, work: Work, url: str, *, shared: bool) -> None:
        global _work
        _work = self._work = work
        self._background = Background(work.log)
        limits = work.settings.limits
        config: DBOSConfig = {
            "name": "tfgate",
            "system_database_url": url,
            "application_version": _VERSION,
            "executor_id": work.store.server,
            "serializer": _Json(),
            "log_level": "WARNING",
            "sys_db_pool_size": CONNECTIONS,
            "max_executor_threads": limits.tasks + 32,
            "scheduler_polling_interval_sec": 3600.0,
            "use_listen_notify": shared,
        }
        teach_sqlite()
        DBOS(config=config)

    def start(self) -> None:
        """Start working, on what an earlier process left as well."""
        work = self._work
        work.store.beat()
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=work.settings.limits.tasks,
            polling_interval_sec=0.2,
            on_conflict="always_update",
        )
        for key in work.store.open_tasks():
            self.submit(key)
        self._background.every(BEAT_SECONDS, self._watch)
        self._background.every(1.0, self._heartbeats)
        self._background.every(30.0, self._again)
        self._background.every(600.0, self._forget)

    def submit(self, key: str) -> None:
        """Put a task into the queue; a second time changes nothing."""
        with SetWorkflowID(key):
            DBOS.enqueue_workflow(QUEUE, _run_task, key)

    def stop(self, seconds: float) -> bool:
        """Finish what can be finished; whether nothing is left in work."""
        self._background.stop(5)
        DBOS.destroy(workflow_completion_timeout_sec=int(seconds))
        return not self._mine()

    def _mine(self) -> bool:
        return any(thread.name.startswith("dbos-executor") for thread in threading.enumerate())

    def _watch(self) -> None:
        """Record that this server lives, and take over from those that do not."""
        store = self._work.store
        store.beat()
        living = store.living(DEAD_SECONDS)
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        left = [w.workflow_id for w in running if w.executor_id not in living]
        if left:
            DBOS.resume_workflows(left, queue_name=QUEUE)
            self._work.metrics.adopted.inc(len(left))
            self._work.log.warning("adopted", tasks=len(left))
        store.adopt(living)

    def _again(self) -> None:
        """Queue open tasks whose workflow is missing or over: none is lost."""
        for key in self._work.store.open_tasks():
            known = DBOS.list_workflows(workflow_id_prefix=key, load_input=False, load_output=False)
            mine = [w for w in known if w.workflow_id.partition("~")[0] == key]
            if not mine:
                self.submit(key)
            elif all(w.status in _OVER for w in mine):
                self._work.log.warning("again", task=key, times=len(mine))
                with SetWorkflowID(f"{key}~{len(mine)}"):
                    DBOS.enqueue_workflow(QUEUE, _run_task, key)

    def _heartbeats(self) -> None:
        keys = self._work.store.due(self._work.settings.limits.heartbeat_seconds)
        if keys:
            # Side by side: one slow host must not let the other tasks run out of time.
            with ThreadPoolExecutor(min(len(keys), 16)) as pool:
                list(pool.map(self._work.beat, keys))

    def _forget(self) -> None:
        """Remove old decisions from the database; the audit trail keeps its records."""
        days = self._work.settings.pages.keep_days
        keys = self._work.store.forget(self._work.store.now() - days * 86400)
        if keys:
            DBOS.delete_workflows(keys)  # a second try, if any, is a few bytes
