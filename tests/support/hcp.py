"""HCP Terraform as run tasks see it, written from its documentation: real sockets, TLS, own CA."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "run-token-of-a-test"
KEY = "hmac-key-of-a-test"


class Call(NamedTuple):
    """One request that the fake got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    protocol_version = "HTTP/1.1"


class FakeHcp:
    """Serves plans by redirect, as HCP Terraform does, and takes results.

    ``plans`` maps a path below ``/plans/`` to what is served. ``pages`` maps a path to a function
    that answers itself. A second host, ``archive``, is where redirects lead.
    """

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self.results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.plans: dict[str, bytes] = {}
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.refusals: dict[str, list[int]] = {}
        self.leaks: list[str] = []
        self._lock = threading.Lock()
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self.api = self._start(is_archive=False)
        self.archive = self._start(is_archive=True)

    def _start(self, *, is_archive: bool) -> str:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake._got(self, b"", is_archive=is_archive)

            def do_PATCH(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                fake._got(self, self.rfile.read(length), is_archive=is_archive)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = _Server(("127.0.0.1", 0), Handler)
        server.socket = self._context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        setattr(self, "_archive_server" if is_archive else "_api_server", server)
        return f"https://127.0.0.1:{server.server_address[1]}"

    def close(self) -> None:
        """Stop both hosts."""
        for server in (self._archive_server, self._api_server):  # type: ignore[attr-defined]
            server.shutdown()
            server.server_close()

    def _got(self, request: BaseHTTPRequestHandler, body: bytes, *, is_archive: bool) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.calls.append(Call(request.command, request.path, headers, body))
            if is_archive and "authorization" in headers:
                self.leaks.append(request.path)
        if request.path in self.pages:
            self.pages[request.path](request)
        elif is_archive:
            self._serve_plan(request)
        elif headers.get("authorization") != f"Bearer {TOKEN}":
            reply(request, 401, b"{}")
        elif request.command == "PATCH":
            self._take_result(request, headers, body)
        elif request.path.startswith("/plans/"):
            target = self.archive + request.path
            reply(request, 307, b"", {"Location": target})
        else:
            reply(request, 404, b"{}")

    def _serve_plan(self, request: BaseHTTPRequestHandler) -> None:
        data = self.plans.get(request.path.removeprefix("/plans/"))
        if data is None:
            reply(request, 404, b"{}")
        elif "gzip" in request.headers.get("accept-encoding", ""):
            reply(request, 200, gzip.compress(data, 1), {"Content-Encoding": "gzip"})
        else:
            reply(request, 200, data)

    def _take_result(
        self, request: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes
    ) -> None:
        key = request.path.rsplit("/", 2)[-2]
        with self._lock:
            refusals = self.refusals.get(key)
            refused = refusals.pop(0) if refusals else None
        if refused is not None:
            reply(request, refused, b"{}")
            return
        assert headers["content-type"] == "application/vnd.api+json"
        document = json.loads(body)
        assert document["data"]["type"] == "task-results"
        with self._lock:
            self.results[key].append({**document["data"], "size": len(body)})
        reply(request, 200, b"{}")

    def payload(self, key: str, plan: str | None = None, **more: Any) -> dict[str, Any]:
        """Return the body of a request."""
        return {
            "payload_version": 1,
            "stage": "post_plan",
            "access_token": TOKEN,
            "capabilities": {"outcomes": True},
            "configuration_version_download_url": None,
            "configuration_version_id": "cv-1",
            "is_speculative": False,
            "organization_name": "acme",
            "plan_json_api_url": None if plan is None else f"{self.api}/plans/{plan}",
            "run_app_url": f"{self.api}/app/acme/ws/runs/run-{key}",
            "run_created_at": "2026-11-01T00:00:00Z",
            "run_created_by": "jane",
            "run_id": f"run-{key}",
            "run_message": "test",
            "task_result_callback_url": f"{self.api}/api/v2/task-results/{key}/callback",
            "task_result_enforcement_level": "mandatory",
            "task_result_id": key,
            "vcs_branch": None,
            "workspace_app_url": f"{self.api}/app/acme/ws",
            "workspace_id": "ws-1",
            "workspace_name": "prod-net",
            "workspace_working_directory": "",
            "something_newer": {"is": ["ignored"]},
            **more,
        }

    def finals(self, key: str) -> list[dict[str, Any]]:
        """Return the final answers to a task."""
        with self._lock:
            return [
                r for r in self.results[key] if r["attributes"]["status"] in ("passed", "failed")
            ]

    def wait(self, key: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the final answer to a task."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.finals(key):
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"{key} was not answered in {seconds} s: {self.results[key]}")


def reply(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    """Answer with a body."""
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def sign(body: bytes, key: str = KEY) -> str:
    """Sign a body as HCP Terraform does."""
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def post(url: str, body: bytes, signature: str | None) -> tuple[int, dict[str, Any]]:
    """Send a request to the server; give status and answer."""
    headers = {"Content-Type": "application/json"}
    if signature is not None:
        headers["X-TFC-Task-Signature"] = signature
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    return _open(request)


def get(url: str, **headers: str) -> tuple[int, str]:
    """Get a page; give status and text."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _open(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
