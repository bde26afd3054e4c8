"""``tfgate serve`` with a fault in it: its database, its sockets, its jobs."""

from __future__ import annotations

import contextlib
import shutil
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.faults.run import NONE, Call, Fault, Ran, read_calls
from tests.support.faults.sweep import Broken
from tests.support.hcp import FakeHcp
from tests.support.task_server import TaskServer, records
from tfgate.audit.verifier import verify

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

PLAN = Path(__file__).parents[3] / "testdata" / "plans" / "create.json"
KINDS = {
    "open": "EACCES", "write": "ENOSPC", "fsync": "EIO", "rename": "EIO", "exec": "EACCES",
    "connect": "ECONNREFUSED", "send": "EPIPE", "read": "EIO", "mkdir": "ENOSPC", "lock": "ENOLCK",
}  # fmt: skip
"""Classes that a server has calls of, and how they fail."""


class ServedTasks:
    """Servers on folders of their own, each with one fault, one task, and a restart without."""

    def __init__(self, shim: Path, folder: Path, chance: random.Random) -> None:
        self._shim = shim
        self._folder = folder
        self._chance = chance
        self.rounds = 0
        self.came = 0
        self._hcp = FakeHcp(folder)
        self._hcp.plans[PLAN.name] = PLAN.read_bytes()
        self._calls: tuple[Call, ...] = ()

    def close(self) -> None:
        """End the other side."""
        self._hcp.close()

    def round(self) -> Iterator[Broken]:
        """Let one call fail, once or from then on, or kill the server at it."""
        if not self._calls:
            self._calls = self._served(NONE)[1]
        kind = self._chance.choice([one for one in KINDS if self._count(one)])
        how = self._chance.choice(["once", "once", "ever", "before", "after"])
        number = self._chance.randrange(1, self._count(kind) + 1)
        fault = Fault(kind, number, how, KINDS[kind])
        found, calls = self._served(fault)
        self.rounds += 1
        self.came += Ran(0, "", "", calls).reached(fault)
        for what in found:
            yield Broken("serve", fault, what, Ran(0, "", "", calls))

    def _count(self, kind: str) -> int:
        return sum(call.kind == kind for call in self._calls)

    def _served(self, fault: Fault) -> tuple[list[str], tuple[Call, ...]]:
        """Serve a task with a fault, then without; say what was broken."""
        folder, log = self._folder / "served", self._folder / "served.log"
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
        key = f"taskrs-{self.rounds}-{self._chance.randrange(10**9)}"
        server = TaskServer(folder, self._hcp)
        server.env = {
            "LD_PRELOAD": str(self._shim), "FAULTS_SPEC": fault.spec, "FAULTS_LOG": str(log),
            "FAULTS_UNDER": str(folder),
        }  # fmt: skip
        found: list[str] = []
        taken = False
        try:
            # It may not start with a fault; that it says nothing is what must not be.
            with contextlib.suppress(AssertionError):
                server.start(20)
                with contextlib.suppress(OSError, HTTPException):
                    taken = server.submit(self._hcp.payload(key, PLAN.name))[0] == 200
                with contextlib.suppress(AssertionError):
                    self._hcp.wait(key, 10)
            server.close()
            found += self._judged(server, key)
            server.env = {}
            server.start()
            if taken:
                self._hcp.wait(key, 60)
            found += self._judged(server, key)
        except AssertionError as error:
            found.append(f"without a fault: {str(error)[-300:]}")
        finally:
            server.close()
        return found, tuple(read_calls(log))

    def _judged(self, server: TaskServer, key: str) -> Iterator[str]:
        """Check that a task that passed has its allow on record, and that the trail holds."""
        statuses = {one["attributes"]["status"] for one in self._hcp.finals(key)}
        if len(statuses) > 1:
            yield f"answered in two ways: {sorted(statuses)}"
        if "passed" in statuses:
            allows = [one for one in records(server) if one["decision"] == "allow"]
            if not allows:
                yield "passed without a record"
        log = server.folder / "audit.jsonl"
        if log.exists() and not (result := verify([log])).ok:
            yield f"the trail does not hold: {result.problems[0].text}"
        # Of what its libraries say the log has the first line.
        own = "".join(str(line) for line in server.lines() if line["event"] != "library")
        if "Traceback" in own:
            yield f"a traceback in the log: {own[own.index('Traceback') :][:300]}"
