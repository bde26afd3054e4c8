"""``tfgate serve`` as a process that tests start, ask, kill and start again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.hcp import KEY, FakeHcp, post, sign

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef" * 4
OPERATOR = "operator-token-of-a-test"
POLICY = '[gate]\nrulesets = ["{rules}"]\nallow_empty = true\n[audit]\nlog = "audit.jsonl"\n'


class TaskServer:
    """One server on a folder of its own."""

    def __init__(self, folder: Path, hcp: FakeHcp, *, database: str | None = None) -> None:
        self.folder = folder
        self.hcp = hcp
        self.database = database
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.extra = ""
        self.policies = '[[policy]]\nconfig = "tfgate.toml"\n'
        self.env: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.rules("tfgate:core")

    def rules(self, *names: str) -> None:
        """Say by which rulesets plans are judged."""
        listed = '", "'.join(names)
        (self.folder / "tfgate.toml").write_text(POLICY.format(rules=listed))

    def write(self) -> Path:
        """Write the configuration."""
        api, archive = self.hcp.api, self.hcp.archive
        database = "" if self.database is None else f'database = "{self.database}"\n'
        path = self.folder / "server.toml"
        path.write_text(
            f'[server]\nlisten = "127.0.0.1:{self.port}"\nstate = "state"\n'
            f'url = "https://gate.example"\n{database}'
            f'[hcp]\nhosts = ["{api}"]\ndownload_hosts = ["{archive}"]\n'
            f'networks = ["127.0.0.0/8"]\nca = "{self.hcp.ca}"\n{self.extra}\n{self.policies}'
        )
        return path

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 60.0) -> TaskServer:
        """Start it and wait until it listens."""
        log = self.folder / "log"
        already = len(self.lines())
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "TFGATE_SERVER_SECRET": SECRET,
            "TFGATE_SERVER_HMAC_KEY": KEY,
            "TFGATE_SERVER_OPERATOR_TOKEN": OPERATOR,
            **self.env,
        }
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tfgate", "serve", "--config", str(self.write())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.lines()[already:]:
                if line.get("event") == "listening":
                    self.port = line["port"]
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {log.read_text()[-3000:]}")

    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines so far."""
        log = self.folder / "log"
        text = log.read_text() if log.exists() else ""
        return [
            json.loads(line) if line.startswith("{") else {"event": line}
            for line in text.splitlines()
        ]

    def submit(self, payload: dict[str, Any], *, key: str | None = KEY) -> tuple[int, Any]:
        """Send a request."""
        body = json.dumps(payload).encode()
        return post(f"{self.url}/run-task", body, None if key is None else sign(body, key))

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 60.0) -> int:
        """End it with SIGTERM and give its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self) -> None:
        """End it if a test left it running."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


def records(server: TaskServer, names: Sequence[str] = ("decision",)) -> list[dict[str, Any]]:
    """Return the records of the audit trail."""
    path = server.folder / "audit.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [r for r in map(json.loads, lines) if r["event"] in names]
