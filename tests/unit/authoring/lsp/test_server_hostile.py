"""The language server with documents, positions, addresses and frames that try to break it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pygls", reason="the language server is in the extra lsp")

from tests.support.crowd import rule_of, toml
from tests.support.fuzzing.limits import bounded_time
from tests.support.hostile import SAMPLES, invisible_in
from tests.support.lsp import Client
from tfgate.authoring.lsp.answers import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 5.0
"""Of a processor, for whatever is asked of one document; most take a hundredth of a second."""
MANIFEST = '[ruleset]\nid = "a"\nversion = "1.0.0"\ntitle = "A"\nowners = ["o"]\n'
HEAD = """\
id = "A-1"
title = "x"
severity = "low"
enforcement = "advisory"
message = "{address}"
match.types = ["aws_instance"]
on_unknown = "verify"
"""
MOST = LARGEST - 1_000
ENORMOUS = {
    "a line": HEAD + 'require = "' + "x" * MOST + '"',
    "an expression": HEAD + f'require = "{"after.a || " * 1_900}x"',
    "dots": HEAD + 'require = "after' + ".a" * (MOST // 2),
    "brackets": HEAD + 'require = "after' + "[" * MOST,
    "filters": HEAD + 'require = "after' + "[?a" * (MOST // 3),
    "quotes": HEAD + '"' * MOST,
    "lines": HEAD + "\n" * MOST,
    "comments": HEAD + "#\n" * (MOST // 2),
    "mistakes": HEAD + "x\n" * 200_000,
    "tables": HEAD + "[[tests]]\n" * 100_000,
    "rules": "[ruleset]\n" + "[[rules]]\n" * 100_000,
    "types": HEAD + 'match.types = ["' + '", "'.join(["aws_*"] * 50_000),
    "nested": HEAD + "x = " + "[" * 100_000,
    "wide characters": HEAD + 'require = "' + "\U0001d11e" * MOST + '"',
    "too large": HEAD + 'require = "' + "x" * 10_000_000 + '"',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ruleset of one rule."""
    folder = tmp_path_factory.mktemp("lsp")
    (folder / "rules").mkdir()
    (folder / "ruleset.toml").write_text(MANIFEST)
    (folder / "rules" / "r.toml").write_text(HEAD)
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """One server bears all of it, and ends as it should."""
    client = Client(folder)
    client.shake_hands(folder)
    yield client
    with bounded_time():
        assert client.close() == 0


@contextmanager
def bounded(client: Client) -> Iterator[None]:
    """Bound the time that the server takes for the block."""
    before = _used(client)
    with bounded_time(SECONDS):
        yield
    assert _used(client) - before < SECONDS


def _used(client: Client) -> float:
    with open(f"/proc/{client.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(client: Client, uri: str, text: str) -> list[dict[str, Any]]:
    """Open a document; give the diagnostics."""
    document = {"uri": uri, "languageId": "toml", "version": 1, "text": text}
    client.send("textDocument/didOpen", {"textDocument": document})
    return client.diagnostics()


def asked(client: Client, uri: str, line: int, character: int) -> list[Any]:
    """Ask for all that there is to ask of a place."""
    here = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
    return [client.ask(f"textDocument/{what}", here) for what in ("hover", "completion")]


def strings(value: Any) -> Iterator[str]:
    """Yield every text in an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def looked_at(client: Client, uri: str, text: str) -> list[Any]:
    """Open a document, ask of places in it, give all answers; ranges lie in the text."""
    found = opened(client, uri, text)
    lines = text.split("\n")
    for one in found:
        start, end = one["range"]["start"], one["range"]["end"]
        assert 0 <= start["line"] <= end["line"] < len(lines)
        wide = len(lines[end["line"]].encode("utf-16-le", "surrogatepass")) // 2
        assert end["line"] > start["line"] or start["character"] <= end["character"]
        assert 0 <= end["character"] <= wide
    last = len(lines) - 1
    answers: list[Any] = [found]
    for line in {min(7, last), last}:
        answers += asked(client, uri, line, len(lines[line]))
    return answers


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_answer_passes_on_what_an_editor_would_not_show(
    sample: str, client: Client, folder: Path
) -> None:
    """In every text of a rule, as TOML has it and as it is, in names and in expressions."""
    text = SAMPLES[sample]
    uri = (folder / "rules" / "r.toml").as_uri()
    written = toml(text)
    documents = (
        rule_of(0, text),
        f"{HEAD}require = {written}\nlet = {{ {written} = {written}, a = {written} }}\n",
        f'{HEAD}require = "var(\'"\n[let]\n{written} = {written}\n',
        f'{HEAD}require = "after.{text}"\n{text} = "{text}"\n{text}\n',
        f'{HEAD}require = "{text}(after.a)"\nmatch.types = [{written}]\n',
    )
    with bounded(client):
        found = [one for document in documents for one in looked_at(client, uri, document)]
    assert [one for part in strings(found) for one in invisible_in(part)] == []


@pytest.mark.parametrize("name", ENORMOUS)
def test_an_enormous_document_is_borne(name: str, client: Client, folder: Path) -> None:
    """Findings are few and short, and come soon; so does what is at its end."""
    uri = (folder / "rules" / "r.toml").as_uri()
    with bounded(client):
        found = looked_at(client, uri, ENORMOUS[name])
    assert max(map(len, strings(found)), default=0) < 10_000
    assert sum(map(len, strings(found))) < 3_000_000


def test_broken_files_beside_it_are_said(client: Client, folder: Path) -> None:
    """What is no UTF-8, no TOML, or a pipe, is a finding or none, not the end of the server."""
    path = folder / "rules" / "r.toml"
    manifest = folder / "ruleset.toml"
    try:
        for data in (b"\xff\xfe\x00[ruleset]", b"\xc3(", b"[" * 100_000, b"\xed\xa0\x80", b""):
            manifest.write_bytes(data)
            with bounded(client):
                looked_at(client, path.as_uri(), HEAD)
                opened(client, manifest.as_uri(), data.decode("utf-8", "replace"))
        manifest.unlink()
        os.mkfifo(manifest)
        with bounded(client):
            looked_at(client, path.as_uri(), HEAD)
    finally:
        manifest.unlink()
        manifest.write_text(MANIFEST)


ADDRESSES = (
    "untitled:Untitled-1", "file:///nowhere/rules/r.toml", "file://evil.example/x/r.toml",
    "javascript:alert(1)//r.toml", "file:///%00.toml", "file:///a%0a%1b[2J.toml", "", "%", "file:",
    "file:///proc/self/mem", "file:///dev/zero", "file:///" + "a" * 100_000 + ".toml",
    "file:///%ff%fe.toml", "\u202e.toml", "file:///" + "../" * 1000 + "etc/passwd",
)  # fmt: skip


@pytest.mark.parametrize("uri", ADDRESSES, ids=range(len(ADDRESSES)))
def test_odd_addresses_are_borne(uri: str, client: Client) -> None:
    """Of what is no file of a ruleset nothing is said, whatever the text is."""
    with bounded(client):
        assert opened(client, uri, f"{MANIFEST}[[rules]]\n{HEAD}") == []
        asked(client, uri, 0, 0)


PLACES = ((10**9, 0), (0, 10**9), (2**31 - 1, 2**31 - 1), (3, 10**6), (0, 0))


def test_places_beside_the_text_are_borne(client: Client, folder: Path) -> None:
    """Behind the end of a line, or of the text; what no editor sends is an error."""
    uri = (folder / "rules" / "r.toml").as_uri()
    with bounded(client):
        opened(client, uri, f'{HEAD}require = "after.')
        for line, character in PLACES:
            asked(client, uri, line, character)
        for number, odd in enumerate((-1, 2**70, "x", None, 1.5), 10_000):
            here = {"textDocument": {"uri": uri}, "position": {"line": odd, "character": odd}}
            client.send("textDocument/completion", here, number)
        never = {"textDocument": {"uri": "file:///never/opened.toml"},
                 "position": {"line": 0, "character": 0}}  # fmt: skip
        client.send("textDocument/hover", never, 20_000)
        asked(client, uri, 0, 0)


FRAMES = (
    b"", b"{", b"null", b"[]", b"1", b'"x"', b"\xff\xfe\xff", b"\xc3(", b'{"jsonrpc":"2.0"}',
    b'{"jsonrpc":"2.0","method":"textDocument/didOpen"}',
    b'{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":7}}',
    b'{"jsonrpc":"2.0","method":"\\u001b[2J","params":{}}',
    b'{"jsonrpc":"2.0","id":null,"method":"textDocument/hover","params":{}}',
    b'{"jsonrpc":"2.0","id":{},"method":"textDocument/hover","params":[]}',
    b'{"jsonrpc":"1.0","id":1,"result":{}}', b'{"id":99999,"jsonrpc":"2.0","result":1}',
    b"[" * 100_000, b'{"a":' * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES, ids=range(len(FRAMES)))
def test_a_broken_frame_ends_nothing(frame: bytes, client: Client, folder: Path) -> None:
    """What follows it is answered."""
    uri = (folder / "rules" / "r.toml").as_uri()
    with bounded(client):
        client.write(frame)
        assert opened(client, uri, HEAD)
        asked(client, uri, 0, 3)
