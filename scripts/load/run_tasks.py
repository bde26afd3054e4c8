#!/usr/bin/env python3
"""Load on the run-task server: many tasks at once, and many in sequence.

scripts/load/run_tasks.py [--at-once 200] [--in-sequence 5000] [--plan FILE] [--servers 1]

Starts ``tfgate serve`` and a fake HCP Terraform on 127.0.0.1 and talks to nothing else. With more
than one server a PostgreSQL is started as well, and requests go to the servers in turn. Exits 1
where an answer is missing, wrong or there twice, or where memory is not flat.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.hcp import FakeHcp  # noqa: E402 - the checkout is put on the path first
from tests.support.postgres import Postgres  # noqa: E402
from tests.support.task_server import TaskServer  # noqa: E402


def main() -> int:
    """Run the load and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--in-sequence", type=int, default=5000)
    parser.add_argument("--plan", type=Path, default=ROOT / "testdata/plans/aws-s3.json")
    parser.add_argument("--servers", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tfgate-load-"))
    postgres = Postgres() if options.servers > 1 else None
    hcp = FakeHcp(folder)
    hcp.plans["good"] = options.plan.read_bytes()
    hcp.plans["bad"] = (ROOT / "testdata/plans/errored.json").read_bytes()
    url = None if postgres is None else postgres.url
    servers = [TaskServer(folder / f"{n}", hcp, database=url) for n in range(options.servers)]
    try:
        for server in servers:
            server.extra = "[limits]\nrequests_a_minute = 100000\n"
            server.start()
        good = at_once(hcp, servers, options.at_once)
        return 0 if in_sequence(hcp, servers, options.in_sequence) and good else 1
    finally:
        for server in servers:
            server.close()
        hcp.close()
        if postgres is not None:
            postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


def at_once(hcp: FakeHcp, servers: list[TaskServer], number: int) -> bool:
    """Submit all at the same time; say how long until the last answer."""
    tasks = {f"taskrs-once{n}": "bad" if n % 10 == 9 else "good" for n in range(number)}
    began = time.monotonic()
    with ThreadPoolExecutor(min(number, 100) or 1) as pool:
        codes = list(
            pool.map(lambda t: _submit(hcp, servers[t[0] % len(servers)], t[1]), _numbered(tasks))
        )
    taken = time.monotonic() - began
    for key in tasks:
        hcp.wait(key, 600)
    total = time.monotonic() - began
    wrong = _wrong(hcp, tasks)
    print(
        f"{number} at once: taken in {taken:.1f} s, answered in {total:.1f} s "
        f"({number / total:.1f} a second); wrong, missing or twice: {wrong}"
    )
    return wrong == 0 and set(codes) <= {200}


def in_sequence(hcp: FakeHcp, servers: list[TaskServer], number: int) -> bool:
    """Submit one after the other; say how long, and how memory went."""
    began, sizes = time.monotonic(), []
    tasks = {f"taskrs-seq{n}": "bad" if n % 10 == 9 else "good" for n in range(number)}
    for count, task in enumerate(tasks.items()):
        _submit(hcp, servers[count % len(servers)], task)
        hcp.wait(task[0], 60)
        if count % max(1, number // 10) == 0:
            sizes.append(sum(_resident(server) for server in servers))
            hcp.calls.clear()
    total = time.monotonic() - began
    sizes.append(sum(_resident(server) for server in servers))
    wrong = _wrong(hcp, tasks)
    shown = ", ".join(f"{size:.0f}" for size in sizes)
    print(f"{number} in sequence: {total:.0f} s ({1000 * total / max(1, number):.0f} ms each)")
    print(f"  memory of server and host (MB): {shown}; wrong, missing or twice: {wrong}")
    settled = sizes[len(sizes) // 3 :]
    return wrong == 0 and max(settled) <= min(settled) * 1.15 + 10


def _numbered(tasks: dict[str, str]) -> list[tuple[int, tuple[str, str]]]:
    return list(enumerate(tasks.items()))


def _submit(hcp: FakeHcp, server: TaskServer, task: tuple[str, str]) -> int:
    payload: dict[str, Any] = hcp.payload(*task)
    return server.submit(payload)[0]


def _wrong(hcp: FakeHcp, tasks: dict[str, str]) -> int:
    """Count tasks whose answers are not exactly the one that is right."""
    verdicts = {"good": "passed", "bad": "failed"}
    return sum(
        [r["attributes"]["status"] for r in hcp.finals(key)] != [verdicts[plan]]
        for key, plan in tasks.items()
    )


def _resident(server: TaskServer) -> float:
    """Return the resident memory of a server and its judging host, in MB."""
    assert server.process is not None
    pids = [server.process.pid]
    children = Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split()
    total = 0
    for pid in [*pids, *map(int, children)]:
        status = Path(f"/proc/{pid}/status").read_text()
        total += next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS"))
    return total / 1024


if __name__ == "__main__":
    sys.exit(main())
