"""The language server, spoken to over its standard streams as an editor does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.lsp import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("pygls", reason="the language server is in the extra lsp")

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
    client.shake_hands(folder)
    yield client
    assert client.close() == 0


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
