"""No secret leaves by what sends and serves: sinks, `audit deliver`, the run-task server.

`test_secrets.py` has the same for all other commands.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("asyncpg", reason="This test needs tfgate[postgres].")
pytest.importorskip("boto3", reason="This test needs tfgate[s3].")
pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

import asyncpg

from tests.support import forked
from tests.support.hcp import KEY, TOKEN, FakeHcp, get
from tests.support.machine import locked_bucket, moto_server
from tests.support.parts import require_part
from tests.support.planted import files_with, found_in, needles, planted, secret
from tests.support.planted_box import ENVIRONMENT, GIVEN, build, write_rules
from tests.support.postgres import Postgres, documented_table
from tests.support.receiver import Receiver, receiving
from tests.support.task_server import OPERATOR, ROOT, SECRET, TaskServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.support.faults.box import Box

NEEDLES = needles()
OWN = {
    "TFGATE_SINK_T": "a-t0ken-that-nobody-may-see",
    "TFGATE_SINK_S": "whsec_bm90IGZvciBhbnlib2R5",
    "TFGATE_SINK_ID": "an-id-of-s3",
    "TFGATE_SINK_KEY": "a-key-of-s3-that-nobody-may-see",
}
"""The secrets of the sinks themselves."""
HTTP = """
[[sinks]]
name = "{name}"
type = "{type}"
url = "http://127.0.0.1:{port}/in"
timeout_seconds = 5
token_env = "TFGATE_SINK_T"
"""
OTHERS = """
[[sinks]]
name = "out"
type = "stdout"
[[sinks]]
name = "err"
type = "stderr"
"""
STORES = """
[[sinks]]
name = "vault"
type = "s3"
bucket = "acme-audit"
region = "us-east-1"
endpoint = "{cloud}"
access_key_env = "TFGATE_SINK_ID"
secret_key_env = "TFGATE_SINK_KEY"
[[sinks]]
name = "db"
type = "postgres"
dsn_env = "TFGATE_SINK_DSN"
"""


def told(data: bytes, *own: str) -> list[str]:
    """Say which secrets there are in what was said: planted ones, and these."""
    return [*found_in(data, NEEDLES), *(one for one in own if one.encode() in data)]


class Sending:
    """A box whose records go somewhere, and everything that a command of it says."""

    def __init__(self, box: Box, sinks: str, **env: str) -> None:
        self.box = box
        config = (box.gate / "tfgate.toml").read_text()
        (box.gate / "tfgate.toml").write_text(config + "sink_seconds = 5\n" + sinks)
        self.env = {**box.env, **ENVIRONMENT, **OWN, **env}

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> bytes:
        """Run a command with ``--debug``; give what it prints."""
        ran = forked.run(["--debug", *words], cwd=self.box.work, env=self.env)
        assert ran.code in codes, ran
        return ran.out + ran.err

    def live(self, *codes: int) -> bytes:
        """Judge plans, deliver, ask how it stands: give what was printed."""
        said = self.run("check", "good.json")
        said += self.run("check", "bad.json", codes=(1,))
        said += self.run(
            "check", "good.json", "-r", str(self.box.gate / "raising.toml"), codes=(1,)
        )
        said += self.run("audit", "deliver", codes=codes)
        for words in (("status",), ("status", "--json"), ("status", "--max-age", "0s")):
            said += self.run("audit", *words, codes=(0, 3))
        return said

    def left(self) -> list[str]:
        """Say which files hold a secret: trail, evidence, archive, what is known of sinks."""
        files = [path for path in self.box.gate.rglob("*") if path.is_file()]
        own = [f"{path.name}: {one}" for path in files for one in told(path.read_bytes(),
               *OWN.values()) if path.name not in GIVEN]  # fmt: skip
        return [*files_with(self.box.root, NEEDLES, GIVEN), *own]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A gate whose rules look at every secret of the plans that it judges."""
    return build(tmp_path_factory.mktemp("sent") / "box")


@pytest.fixture
def box(template: Box, tmp_path: Path) -> Box:
    """One to use up."""
    return template.copy(tmp_path / "box")


def _endpoints(http: Receiver, otel: Receiver) -> str:
    return HTTP.format(name="siem", type="http", port=http.port) + HTTP.format(
        name="otel", type="otel", port=otel.port
    )


def _sent(*receivers: Receiver) -> bytes:
    return b"".join(
        request.body + request.path.encode() + "".join(
            value for name, value in request.headers.items() if name != "authorization"
        ).encode()
        for receiver in receivers
        for request in receiver.requests
    )  # fmt: skip


def test_no_endpoint_is_told_a_secret(box: Box) -> None:
    """Nor does a command tell one, on the way or when asked how it stands."""
    with receiving() as http, receiving() as otel:
        sending = Sending(box, _endpoints(http, otel) + OTHERS)
        said = sending.live(0)
        sent = _sent(http, otel)
    assert sent.count(b"S-PLAN") >= 3, "the records that came are of rules that looked"
    assert told(sent, *OWN.values()) == []
    assert told(said, *OWN.values()) == []
    assert sending.left() == []


@pytest.mark.parametrize("status", [401, 500])
def test_no_failing_endpoint_makes_one_known(box: Box, status: int) -> None:
    """Though it says back whatever it got, headers included."""

    class Echo(Receiver):
        def handle(self, handler: BaseHTTPRequestHandler) -> None:
            body = handler.rfile.read(int(handler.headers["content-length"]))
            self.body = str(handler.headers).encode() + body
            handler.rfile.read = lambda *_: b""  # type: ignore[method-assign]
            self.answers = [status]
            super().handle(handler)

    with receiving(receiver=Echo()) as http, receiving(receiver=Echo()) as otel:
        sending = Sending(box, _endpoints(http, otel))
        said = sending.live(3)
    assert str(status).encode() in said
    assert told(said, *OWN.values()) == []
    assert sending.left() == []


def test_no_bucket_or_table_is_told_a_secret(box: Box) -> None:
    """What S3 and PostgreSQL keep."""
    require_part("moto")
    database = Postgres()
    try:
        asyncio.run(_ask(database.url, documented_table()))
        with moto_server() as cloud:
            client = locked_bucket(cloud, "acme-audit")
            sending = Sending(
                box, STORES.format(cloud=cloud), TFGATE_SINK_DSN=database.url
            )  # fmt: skip
            said = sending.live(0)
            listed = client.list_objects_v2(Bucket="acme-audit")["Contents"]
            objects = [client.get_object(Bucket="acme-audit", Key=one["Key"]) for one in listed]
            stored = [repr(one["Metadata"]).encode() + one["Body"].read() for one in objects]
            client.close()
        stored += [repr(row).encode() for row in asyncio.run(_rows(database.url))]
    finally:
        database.close()
    assert sum(one.count(b"S-PLAN") for one in stored) >= 6
    assert [told(one, *OWN.values()) for one in stored if told(one, *OWN.values())] == []
    assert told(said, *OWN.values()) == []
    assert sending.left() == []


async def _ask(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    await connection.execute(statements)
    await connection.close()


async def _rows(dsn: str) -> list[Any]:
    connection = await asyncpg.connect(dsn, timeout=10)
    rows = await connection.fetch("SELECT * FROM tfgate_audit")
    await connection.close()
    return [tuple(row.items()) for row in rows]


FAILING = '''
"""Loaded by every Python of the server: some functions fail with a secret in their hands."""
import importlib, sys

SECRET = {secret!r}


def failing(module, name, when):
    real = getattr(importlib.import_module(module), name)

    def deep(*arguments, **named):
        local = SECRET
        if when(arguments):
            raise ValueError(SECRET) from KeyError(local)
        return real(*arguments, **named)

    setattr(sys.modules[module], name, deep)


if sys.argv[:1] == ["-m"] and "pip" not in sys.argv:
    failing("tfgate.gate.check", "evaluate", lambda a: a[2].workspace.name == "judge-fails")
    failing("tfgate.server.evaluation", "_review",
            lambda a: a[0].result.plan_name == "run run-page-fails")
    failing("tfgate.server.work", "_compared",
            lambda a: a[0].request.workspace_name == "server-fails")
    failing("tfgate.server.work", "_status", lambda a: a[0].request.workspace_name == "step-fails")
'''


@pytest.fixture(scope="module")
def hcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHcp]:
    """Yield the other side, with planted plans."""
    fake = FakeHcp(tmp_path_factory.mktemp("hcp"))
    for name, owner in (("good", "me"), ("bad", None)):
        fake.plans[name] = json.dumps(planted(owner)).encode()
    fake.plans["cut"] = fake.plans["good"][:-40]
    fake.plans["odd"] = fake.plans["good"].replace(
        b'"resource_changes"', b'"resource_changes":1,"x"'
    )
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def server(hcp: FakeHcp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskServer]:
    """Yield a server whose rules look at every secret, and parts of which fail."""
    server = TaskServer(tmp_path_factory.mktemp("server") / "gate", hcp)
    write_rules(server.folder)
    more = server.folder / "python"
    more.mkdir()
    (more / "sitecustomize.py").write_text(FAILING.format(secret=secret("local")))
    server.rules("./secret.toml")
    server.policies = (
        '[[policy]]\nconfig = "tfgate.toml"\norganization = "acme"\n'
        '[[policy]]\nconfig = "tfgate.toml"\norganization = "raising"\n'
        'rulesets = ["./secret.toml", "./raising.toml"]\n'
    )
    server.env = {**ENVIRONMENT, "TFGATE_DEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    server.env["PYTHONPATH"] = f"{more}:{ROOT}"
    server.start()
    yield server
    server.close()


RUNS = {
    "allowed": ("good", {}),
    "denied": ("bad", {}),
    "raising": ("good", {"organization_name": "raising"}),
    "cut": ("cut", {}),
    "odd": ("odd", {}),
    "judge-fails": ("good", {"workspace_name": "judge-fails"}),
    "page-fails": ("good", {}),
    "server-fails": ("good", {"workspace_name": "server-fails"}),
}


def test_the_run_task_server_makes_no_secret_known(server: TaskServer, hcp: FakeHcp) -> None:
    """Neither in answers, pages, metrics and logs, nor in its files and its database."""
    for key, (plan, more) in RUNS.items():
        assert server.submit(hcp.payload(key, plan, **more))[0] == 200
    assert server.submit(hcp.payload("step", "good", workspace_name="step-fails"))[0] == 200
    said = {key: hcp.wait(key)["attributes"] for key in RUNS}
    assert said["allowed"]["status"] == "passed"
    for key in ("raising", "cut", "odd", "judge-fails", "page-fails", "server-fails"):
        assert said[key]["status"] == "failed", said[key]
    pages = [get(one["url"].replace("https://gate.example", server.url)) for one in said.values()]
    asked = {"Authorization": f"Bearer {OPERATOR}"}
    pages += [get(f"{server.url}{path}", **asked) for path in
              ("/metrics", "/decisions", "/readyz", "/openapi.json", "/nowhere")]  # fmt: skip
    assert pages[0][0] == 200
    assert any("aws_s3_bucket.logs" in text for _, text in pages)
    _wait_for_the_step(server)
    own = (TOKEN, KEY, SECRET, OPERATOR)
    assert told("".join(text for _, text in pages).encode(), *own) == []
    assert told(b"".join(call.body + call.path.encode() for call in hcp.calls), *own) == []
    given = GIVEN | {"sitecustomize.py"}
    assert files_with(server.folder, NEEDLES, given) == []
    for path in server.folder.rglob("*"):
        if path.is_file() and path.name not in given:
            assert [one for one in own if one.encode() in path.read_bytes()] == [], path


def _wait_for_the_step(server: TaskServer) -> None:
    """A step that fails is a matter of the library's, which logs and stores it."""
    end = time.monotonic() + 30
    while not any(line.get("event") == "library" for line in server.lines()):
        assert time.monotonic() < end, server.lines()
        time.sleep(0.1)
