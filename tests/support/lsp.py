"""An editor: it speaks to the language server over its standard streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Client:
    """A minimal client: JSON-RPC in frames with a Content-Length."""

    def __init__(self, cwd: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tfgate", "lsp"],
            cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.number = 0

    def shake_hands(self, folder: Path) -> None:
        """Begin."""
        asked = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}
        self.ask("initialize", asked)
        self.send("initialized", {})

    def close(self) -> int:
        """End as an editor does; give the exit code."""
        self.ask("shutdown", None)
        self.send("exit", None)
        code = self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        return code

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        """Send a notification, or a request where there is a number."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self.write(json.dumps(message).encode())

    def write(self, body: bytes) -> None:
        """Send a frame, whatever is in it."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Read one message."""
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            assert name in (b"Content-Length", b"Content-Type"), line
            if name == b"Content-Length":
                length = int(value)
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        assert message["jsonrpc"] == "2.0"
        return message

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and give the result, whatever else comes in between."""
        self.number += 1
        self.send(method, params, self.number)
        while (message := self.receive()).get("id") != self.number:
            pass
        assert "error" not in message, message
        return message["result"]

    def diagnostics(self) -> list[dict[str, Any]]:
        """Wait for the next diagnostics."""
        while (message := self.receive()).get("method") != "textDocument/publishDiagnostics":
            pass
        found: list[dict[str, Any]] = message["params"]["diagnostics"]
        return found
