"""Peers that are slow, broken or malicious: the run gets a failure, the attacker gets nothing."""

from __future__ import annotations

import gzip
import http.server
import io
import json
import socket
import tarfile
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

from tests.support.hcp import TOKEN, FakeHcp, get, post, reply, sign
from tests.support.task_server import TaskServer, records

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANS = Path(__file__).parents[2] / "testdata" / "plans"
LIMITS = """
[limits]
plan_bytes = 2000000
configuration_bytes = 2000000
fetch_minutes = 0.05
http_seconds = 2.0
download_seconds = 4.0
judge_seconds = 20
body_bytes = 20000
requests_a_minute = 100000
"""


@pytest.fixture(scope="module")
def hcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHcp]:
    """Yield the other side."""
    fake = FakeHcp(tmp_path_factory.mktemp("hcp"))
    fake.plans["create.json"] = (PLANS / "create.json").read_bytes()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def server(hcp: FakeHcp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskServer]:
    """Yield a server with small limits."""
    server = TaskServer(tmp_path_factory.mktemp("gate"), hcp)
    server.extra = LIMITS
    server.start()
    yield server
    assert get(f"{server.url}/readyz")[0] == 200, "nothing of all this takes the server down"
    server.close()


class Elsewhere:
    """A host that is on no list and notes who comes."""

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                came.append(dict(self.headers))
                reply(self, 200, b"{}")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Yield a host that is on no list."""
    host = Elsewhere()
    yield host
    host.close()


def failed(server: TaskServer, hcp: FakeHcp, key: str, plan: str, **more: Any) -> str:
    """Submit, expect a failure, and give its message."""
    assert server.submit(hcp.payload(key, plan, **more))[0] == 200
    said = hcp.wait(key, 60)["attributes"]
    assert said["status"] == "failed"
    assert TOKEN not in said["message"]
    return str(said["message"])


@pytest.mark.parametrize(
    "target",
    [
        "{elsewhere}/plan",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:1/x",
        "file:///etc/passwd",
        "//evil.example/plan",
        "https://app.terraform.io@evil.example/plan",
        "gopher://127.0.0.1:1/",
        "https://127.0.0.1:99999/",
    ],
)
def test_redirects_elsewhere_are_not_followed(
    server: TaskServer, hcp: FakeHcp, elsewhere: Elsewhere, target: str
) -> None:
    """A redirect to a host that is not listed, or to a link-local address, goes nowhere."""
    target = target.format(elsewhere=elsewhere.url)
    key = f"taskrs-re{zlib.crc32(target.encode())}"
    hcp.pages[f"/plans/{key}"] = lambda request: reply(request, 307, b"", {"Location": target})
    assert failed(server, hcp, key, key).startswith("tfgate could not decide")
    assert elsewhere.came == []
    assert hcp.leaks == []


def test_redirects_without_end(server: TaskServer, hcp: FakeHcp) -> None:
    """A circle of redirects is left."""
    hcp.pages["/plans/circle"] = lambda request: reply(
        request, 302, b"", {"Location": f"{hcp.api}/plans/circle"}
    )
    assert "redirects" in failed(server, hcp, "taskrs-circle", "circle")


@pytest.mark.parametrize("field", ["task_result_callback_url", "plan_json_api_url"])
@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/x", "https://evil.example/x", "file:///etc/passwd", "https://["],
)
def test_addresses_that_are_not_listed_are_refused_at_once(
    server: TaskServer, hcp: FakeHcp, field: str, url: str
) -> None:
    """Where an address of the request itself is not listed, nothing is accepted."""
    payload = hcp.payload("taskrs-list", "create.json", **{field: url})
    assert server.submit(payload)[0] == 422


def test_endless_body(server: TaskServer, hcp: FakeHcp) -> None:
    """A body without end is read up to the limit."""

    def endless(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        try:
            while True:
                request.wfile.write(b" " * 65536)
        except OSError:
            return

    hcp.pages["/plans/endless"] = endless
    assert "larger than" in failed(server, hcp, "taskrs-endless", "endless")


def test_a_body_that_drips(server: TaskServer, hcp: FakeHcp) -> None:
    """A byte now and then does not hold the run beyond the time for a download."""

    def drip(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        try:
            for _ in range(300):
                request.wfile.write(b" ")
                request.wfile.flush()
                time.sleep(0.2)
        except OSError:
            return

    hcp.pages["/plans/drip"] = drip
    began = time.monotonic()
    assert "in time" in failed(server, hcp, "taskrs-drip", "drip")
    assert time.monotonic() - began < 30


def test_compressed_bomb(server: TaskServer, hcp: FakeHcp) -> None:
    """A small body that unpacks to much is stopped at the limit."""
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 1_000_000
    hcp.pages["/plans/bomb"] = lambda request: reply(
        request, 200, bomb, {"Content-Encoding": "gzip"}
    )
    assert "larger than" in failed(server, hcp, "taskrs-bomb", "bomb")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"not gzip"), ("gzip", gzip.compress(b"{}")[:-4]), ("br", b"x"), ("gzip, gzip", b"")],
)
def test_encodings(server: TaskServer, hcp: FakeHcp, encoding: str, body: bytes) -> None:
    """A broken or unasked encoding is a failure."""
    key = f"taskrs-enc{zlib.crc32(encoding.encode() + body)}"
    hcp.pages[f"/plans/{key}"] = lambda request: reply(
        request, 200, body, {"Content-Encoding": encoding}
    )
    failed(server, hcp, key, key)


@pytest.mark.parametrize(
    "plan",
    [b"", b"{}", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 200_000, b'{"format_version": "9.0"}'],
)
def test_plans_that_are_none(server: TaskServer, hcp: FakeHcp, plan: bytes) -> None:
    """What is not a plan is a failure, never a pass."""
    key = f"taskrs-bad{zlib.crc32(plan)}"
    hcp.plans[key] = plan
    failed(server, hcp, key, key)


def test_archives_that_lead_out(server: TaskServer, hcp: FakeHcp) -> None:
    """Names and links that lead out of the folder write nothing there."""
    victim = server.folder / "victim"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in (str(victim), "../../../victim", "a/../../../../victim"):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(server.folder)
        tar.addfile(link)
        inside = tarfile.TarInfo("link/victim")
        inside.size = 4
        tar.addfile(inside, io.BytesIO(b"evil"))
    hcp.plans["evil-tar"] = buffer.getvalue()
    url = f"{hcp.api}/plans/evil-tar"
    payload = hcp.payload(
        "taskrs-tar", None, stage="pre_plan", configuration_version_download_url=url
    )
    assert server.submit(payload)[0] == 200
    hcp.wait("taskrs-tar")
    assert not list(server.folder.rglob("victim"))


def test_an_archive_that_is_a_bomb(server: TaskServer, hcp: FakeHcp) -> None:
    """An archive is unpacked up to the limit."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("main.tf")
        member.size = 100_000_000
        tar.addfile(member, io.BytesIO(b"\n" * member.size))
    hcp.plans["bomb-tar"] = buffer.getvalue()
    url = f"{hcp.api}/plans/bomb-tar"
    payload = hcp.payload(
        "taskrs-tarbomb", None, stage="pre_plan", configuration_version_download_url=url
    )
    assert server.submit(payload)[0] == 200
    assert "larger than" in hcp.wait("taskrs-tarbomb")["attributes"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'"x"',
        b"\xff\xfe\x00",
        b"[" * 19_000,
        b'{"a":' * 3000,
        b'{"access_token": 1}',
        b'{"payload_version": 1e400}',
        b'{"stage": "\\ud800"}',
        b"NaN",
    ],
)
def test_malformed_json(server: TaskServer, body: bytes) -> None:
    """A signed body that is no run task is refused with a sentence."""
    status, said = post(f"{server.url}/run-task", body, sign(body))
    assert status == 400
    assert said["error"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payload_version", 2),
        ("payload_version", "1"),
        ("stage", "somewhen"),
        ("stage", None),
        ("access_token", None),
        ("access_token", "a\nb"),
        ("task_result_id", "../../etc"),
        ("task_result_id", ""),
        ("run_id", {}),
        ("workspace_name", "a\nb"),
        ("workspace_name", ""),
        ("plan_json_api_url", None),
        ("task_result_callback_url", 7),
    ],
)
def test_malformed_fields(server: TaskServer, hcp: FakeHcp, field: str, value: Any) -> None:
    """Each field is read strictly."""
    payload = hcp.payload("taskrs-field", "create.json", **{field: value})
    status, said = server.submit(payload)
    assert status == 400
    assert TOKEN not in json.dumps(said)


def test_large_bodies(server: TaskServer) -> None:
    """A body beyond the limit is refused, said or not how long it is."""
    body = b'{"x": "' + b"a" * 30_000 + b'"}'
    assert post(f"{server.url}/run-task", body, sign(body))[0] == 413


def test_slow_requests_hold_nobody(server: TaskServer) -> None:
    """A hundred half-sent requests leave the server answering."""
    sockets = []
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"POST /run-task HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        sockets.append(connection)
    began = time.monotonic()
    assert get(f"{server.url}/healthz")[0] == 200
    assert time.monotonic() - began < 5
    for connection in sockets:
        connection.close()


def test_text_of_the_request_writes_no_log_lines(server: TaskServer, hcp: FakeHcp) -> None:
    """Whatever a request says stays inside one JSON line."""
    payload = hcp.payload("taskrs-log", "create.json", run_created_by='x"\n{"event": "forged"}\x1b')
    assert server.submit(payload)[0] == 200
    hcp.wait("taskrs-log")
    assert not [line for line in server.lines() if line.get("event") == "forged"]


def test_the_rate_of_an_organisation(hcp: FakeHcp, tmp_path: Path) -> None:
    """Beyond its rate an organisation is asked to come again, and others are not."""
    server = TaskServer(tmp_path / "gate", hcp)
    server.extra = "[limits]\nrequests_a_minute = 3\n"
    server.start()
    try:
        said = [
            server.submit(hcp.payload(f"taskrs-rate{number}", "create.json"))[0]
            for number in range(5)
        ]
        assert said == [200, 200, 200, 429, 429]
        other = hcp.payload("taskrs-other", "create.json", organization_name="other")
        assert server.submit(other)[0] == 200
    finally:
        server.close()


def test_no_key_configured(hcp: FakeHcp, tmp_path: Path) -> None:
    """Without a key: unsigned requests where that is asked for, signed ones never."""
    server = TaskServer(tmp_path / "gate", hcp)
    server.env = {"TFGATE_SERVER_HMAC_KEY": "", "TFGATE_SERVER_HCP_UNSIGNED": "true"}
    server.start()
    try:
        payload = hcp.payload("taskrs-unsigned", "create.json")
        assert server.submit(payload)[0] == 400
        assert server.submit(payload, key=None)[0] == 200
        hcp.wait("taskrs-unsigned")
        (record,) = records(server)
        assert "verified" not in record["operator_facts"], "nobody vouches for who started it"
    finally:
        server.close()


def test_an_authority_that_is_not_trusted(hcp: FakeHcp, tmp_path: Path) -> None:
    """A certificate of another authority is not believed, whatever it serves."""
    other = FakeHcp(tmp_path)
    other.plans["create.json"] = hcp.plans["create.json"]
    server = TaskServer(tmp_path / "gate", hcp)
    server.extra = LIMITS
    server.start()
    server.close()
    text = (server.folder / "server.toml").read_text().replace(hcp.api, other.api)
    assert other.api in text
    server.hcp = other
    ca, other.ca = other.ca, hcp.ca
    try:
        server.start()
        assert server.submit(other.payload("taskrs-tls", "create.json"))[0] == 200
        time.sleep(5)
        assert other.calls == []
        assert ca != hcp.ca
    finally:
        server.close()
        other.close()
