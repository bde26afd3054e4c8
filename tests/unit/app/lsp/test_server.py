"""The language server, spoken to over its standard streams as an editor does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("pygls", reason="the language server is in the extra lsp")

ROOT = Path(__file__).parents[4]
RULE = """\
id = "A-1"
title = "é 𝄞 counts as two"
severity = "low"
enforcement = "advisory"
message = "{address}"
match.types = ["aws_instance"]
on_unknown = "verify"
require = "after.monitorin == `true`"
"""


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

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        """Send a notification, or a request where there is a number."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Read one message."""
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ruleset of one rule."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "ruleset.toml").write_text(
        '[ruleset]\nid = "a"\nversion = "1.0.0"\ntitle = "A"\nowners = ["o"]\n'
    )
    (tmp_path / "rules" / "r.toml").write_text(RULE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """A client, shaken hands with."""
    client = Client(folder)
    client.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
    client.send("initialized", {})
    yield client
    client.ask("shutdown", None)
    client.send("exit", None)
    assert client.process.wait(10) == 0
    for stream in (client.process.stdin, client.process.stdout):
        assert stream is not None
        stream.close()


def test_a_session(client: Client, folder: Path) -> None:
    """Open, see a finding, complete, hover, mend, see none."""
    uri = (folder / "rules" / "r.toml").as_uri()
    document = {"uri": uri, "languageId": "toml", "version": 1, "text": RULE}
    client.send("textDocument/didOpen", {"textDocument": document})
    (found,) = client.diagnostics()
    assert found["code"] == "unknown-attribute"
    assert found["range"]["start"] == {"line": 7, "character": 17}
    assert found["range"]["end"] == {"line": 7, "character": 26}
    here = {"textDocument": {"uri": uri}, "position": {"line": 7, "character": 17}}
    offered = client.ask("textDocument/completion", here)
    assert "monitoring" in {item["label"] for item in offered["items"]}
    mended = RULE.replace("monitorin ", "monitoring ")
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": mended}]}
    client.send("textDocument/didChange", change)
    assert client.diagnostics() == []
    page = client.ask("textDocument/hover", here)
    assert "boolean" in page["contents"]["value"]
