"""The run-task server from its HTTP side: what gets in, and what is shown, had the key for it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.fuzzing.web import Kept, Silent
from tfgate.server.asgi import Intake, Rate, Site
from tfgate.server.monitoring import Metrics
from tfgate.server.peers import Allowed, read_origins
from tfgate.server.secrets import Links, Vault

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

KEY = "a-key-of-the-fuzzer"
TOKEN = "the-operators-token"
SECRET = "0123456789abcdef" * 4
MOMENT = 1_795_000_000.0
TASK = "taskrs-1"
OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json")
MOST = 4096
HOME = "https://gate.example"


class Store(Kept):
    """Keeps one task that has a page."""

    def counts(self) -> dict[str, int]:
        """Return no numbers."""
        return {}

    def now(self) -> float:
        """Return a fixed time."""
        return MOMENT

    def recent(self, _limit: int) -> list[Any]:
        """List nothing: whether it is listed is what counts."""
        return []

    def page(self, key: str) -> tuple[None, str] | None:
        """Show the page of the one task."""
        return (None, "<p>a decision</p>") if key == TASK else None


class Answer(NamedTuple):
    """What the server said."""

    status: int
    body: bytes


class Asked(NamedTuple):
    """A request, read from bytes: a line, headers, an empty line, the body."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> Asked:
        """Read it as a server in front of the application would, and take whatever comes."""
        head, _, body = data.partition(b"\n\n")
        first, *rest = head.split(b"\n")
        method, _, target = first.partition(b" ")
        path, _, query = target.decode("latin-1").partition("?")
        headers = [line.partition(b": ") for line in rest]
        pairs = tuple((name.lower(), value) for name, _, value in headers)
        return cls(method.decode("latin-1"), path, query, pairs, body)

    def header(self, name: bytes) -> bytes:
        """Return the first value of a header."""
        return next((value for found, value in self.headers if found == name), b"")


@functools.cache
def links() -> Links:
    """Return what signs links."""
    return Links(Vault([SECRET]), HOME, 1)


def site() -> tuple[Starlette, Store]:
    """Make the application, with nothing in it yet."""
    store = Store()
    allowed = Allowed(read_origins(["app.terraform.io"], "hcp.hosts"))
    intake = Intake((KEY,), allowed, store, lambda _key: None, Silent(), Rate(10**6))  # type: ignore[arg-type] # stand-ins
    made = Site(intake, store, links(), Metrics(), MOST, TOKEN, lambda: None)  # type: ignore[arg-type] # stand-ins
    return made.app(), store


def endpoint(data: bytes, _folder: Path) -> str:
    """Ask the server: 200 only for what is open to all, is signed, or has the token or the link."""
    asked = Asked.read(data)
    app, store = site()
    said = asyncio.run(_call(app, asked))
    assert said.status in (200, 307, 400, 401, 403, 404, 405, 413, 422, 429)
    if said.status == 200:
        assert _may(asked), f"{asked.method} is answered without a right to it"
    assert not store.tasks or said.status == 200
    return f"{asked.method[:8]} {said.status} {len(store.tasks)}"


def _may(asked: Asked) -> bool:
    """Whether this request may be answered, read naively."""
    if asked.method == "POST":
        wanted = hmac.new(KEY.encode(), asked.body, hashlib.sha512).hexdigest()
        return asked.header(b"x-tfc-task-signature").strip().lower() == wanted.encode()
    if asked.path == "/decisions":
        scheme, _, token = asked.header(b"authorization").partition(b" ")
        return scheme.lower() == b"bearer" and token.strip() == TOKEN.encode()
    if asked.path.startswith("/decisions/"):
        path, _, query = links().make(TASK, MOMENT).removeprefix(HOME).partition("?")
        return asked.path == path and all(part in asked.query for part in query.split("&"))
    return asked.path in OPEN


async def _call(app: Starlette, asked: Asked) -> Answer:
    """Call the application as a server does."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": asked.method, "path": asked.path, "raw_path": asked.path.encode("latin-1"),
        "root_path": "", "query_string": asked.query.encode("latin-1"),
        "headers": list(asked.headers), "client": ("192.0.2.1", 1), "server": ("gate.example", 80),
    }  # fmt: skip
    pieces = [asked.body[at : at + 1024] for at in range(0, len(asked.body), 1024)] or [b""]
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    await app(scope, receive, send)
    return Answer(status, body)


def seeds(task: dict[str, Any]) -> dict[str, bytes]:
    """Return good requests of each kind, by name."""
    body = json.dumps(task).encode()
    signature = hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()
    link = links().make(TASK, MOMENT).removeprefix(HOME)
    return {
        "task": f"POST /run-task\nx-tfc-task-signature: {signature}\n\n".encode() + body,
        "unsigned": b"POST /\ncontent-type: application/json\n\n" + body,
        "list": f"GET /decisions\nauthorization: Bearer {TOKEN}\n\n".encode(),
        "page": f"GET {link}\n\n".encode(),
        "health": b"GET /healthz\n\n",
        "metrics": b"GET /metrics\n\n",
    }
