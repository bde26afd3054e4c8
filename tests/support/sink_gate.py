"""The gate as a program, with sinks: a configuration, plans that pass and that do not, a trail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.plans import HEADER, change, plan_bytes
from tests.support.record_schema import check_records

if TYPE_CHECKING:
    from tests.support.receiver import Received

ROOT = Path(__file__).parents[2]
RULES = (
    HEADER
    + """
[[rules]]
id = "T-ACL"
title = "Buckets are private"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["aws_s3_bucket"] }
require = "after.acl == 'private'"
message = "{address} is not private"
"""
)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float


class SinkGate:
    """A directory with ``tfgate.toml``, ``good.json``, ``bad.json`` and ``audit.jsonl``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "audit.jsonl"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        (folder / "rules.toml").write_text(RULES)
        for name, acl in (("good", "private"), ("bad", "public-read")):
            plan = plan_bytes(change("aws_s3_bucket.a", after={"acl": acl}))
            (folder / f"{name}.json").write_bytes(plan)
        self.configure()

    def configure(self, sinks: str = "", **audit: Any) -> None:
        """Write the configuration."""
        keys = "".join(f"{name} = {json.dumps(value)}\n" for name, value in audit.items())
        (self.folder / "tfgate.toml").write_text(
            f'[gate]\nrulesets = ["rules.toml"]\n[audit]\nlog = "audit.jsonl"\n{keys}\n{sinks}'
        )

    def run(self, *arguments: str, **env: str) -> Ended:
        """Run ``tfgate`` and wait for its end."""
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tfgate", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        seconds = time.monotonic() - begun
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start ``tfgate``."""
        return subprocess.Popen(
            [sys.executable, "-m", "tfgate", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, plan: str = "good", **env: str) -> Ended:
        """Judge a plan."""
        return self.run("check", f"{plan}.json", "-w", "prod", **env)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the trail, each as it must be."""
        records = [json.loads(line) for line in self.log.read_bytes().splitlines()]
        check_records(records)
        return records

    def status(self, **env: str) -> dict[str, Any]:
        """Return the status of the one sink."""
        ended = self.run("audit", "status", "--json", **env)
        assert ended.code == 0, ended
        (found,) = json.loads(ended.out)
        return dict(found)

    def cursors(self) -> str:
        """Return everything that is remembered of sinks."""
        files = (self.folder / "sinks").rglob("*")
        return "\n".join(path.read_text() for path in files if path.is_file())


def http_sink(port: int, *more: str, name: str = "siem") -> str:
    """Return the table of an HTTP sink on this machine."""
    lines = [
        "[[sinks]]", f'name = "{name}"', 'type = "http"', f'url = "http://127.0.0.1:{port}/in"',
        *more,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def in_order(requests: list[Received]) -> list[int]:
    """Return the numbers of the records that came, doubles left out; a gap or a step back fails.

    At least once means that a batch may come again; then it is the last one, the same.
    """
    seen: list[int] = []
    for request in requests:
        numbers = [record["seq"] for record in request.records]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        if numbers[0] == len(seen):
            seen += numbers
        else:
            assert numbers == seen[-len(numbers) :], "a double is of the batch before"
    return seen
