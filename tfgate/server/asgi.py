"""The HTTP side: routes, limits of a request, and who may see what."""

from __future__ import annotations

import datetime as dt
import hmac
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tfgate._version import __version__
from tfgate.report.page import asset, content_policy, render_page
from tfgate.server.http import HEADERS, problem_answer, read_body
from tfgate.server.job import PayloadError, RunTask, is_verification, read_task
from tfgate.server.monitoring import Log, Metrics, about
from tfgate.server.peers import Allowed, PeerError
from tfgate.server.secrets import Links, is_signed
from tfgate.server.store import Listed, Store

# The interface of the server as an OpenAPI 3.1 document, published at ``/openapi.json``.


_TEXT: Final = {"text/html": {"schema": {"type": "string"}}}


def _describe() -> dict[str, Any]:
    schemas: dict[str, Any]
    (task,), schemas = msgspec.json.schema_components(
        [RunTask], ref_template="#/components/schemas/{name}"
    )
    schemas = {name: _portable(schema) for name, schema in schemas.items()}
    schemas["Problem"] = _object("error")
    schemas["Status"] = _object("status")
    return {
        "openapi": "3.1.0",
        "info": {"title": "tfgate run tasks", "version": __version__},
        "components": {"schemas": schemas},
        "paths": {
            "/run-task": {"post": _run_task(task)},
            "/healthz": {"get": _get("Whether the process answers", _status())},
            "/readyz": {"get": _get("Whether requests are taken", _status(), "503")},
            "/metrics": {
                "get": _get("Numbers for Prometheus", {"text/plain": {"schema": _STRING}})
            },
            "/decisions": {"get": _get("The latest decisions", _TEXT, "401")},
            "/decisions/{key}": {"get": {**_get("One decision", _TEXT, "403", "404"), **_LINK}},
            "/openapi.json": {
                "get": _get("This document", {"application/json": {"schema": {"type": "object"}}})
            },
        },
    }


_STRING: Final = {"type": "string"}
_LINK: Final = {
    "parameters": [
        {"name": "key", "in": "path", "required": True, "schema": _STRING},
        {"name": "expires", "in": "query", "schema": _STRING},
        {"name": "signature", "in": "query", "schema": _STRING},
    ]
}


def _run_task(task: Any) -> dict[str, Any]:
    answers = {"200": {"description": "Taken: it will be answered", "content": _status()}}
    answers |= {code: _problem() for code in ("400", "401", "413", "422", "429", "503")}
    return {
        "operationId": "run_task",
        "summary": "Take a run task in",
        "parameters": [{"name": "X-TFC-Task-Signature", "in": "header", "schema": _STRING}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": task}}},
        "responses": answers,
    }


def _get(summary: str, content: dict[str, Any], *problems: str) -> dict[str, Any]:
    answers = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": {**answers, **{c: _problem() for c in problems}}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Why not", "content": {"application/json": {"schema": schema}}}


def _status() -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}


def _object(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: _STRING}}


def _portable(schema: Any) -> Any:
    """Write Python's ``\\Z`` as JSON Schema's ``$``."""
    if isinstance(schema, dict):
        return {
            key: value.replace("\\Z", "$") if key == "pattern" else _portable(value)
            for key, value in schema.items()
        }
    return [_portable(one) for one in schema] if isinstance(schema, list) else schema


DESCRIPTION: Final = _describe()


# Pages of the server itself: the list of decisions, and a decision without a page of its own.


_PACKAGE = "tfgate.server"
_STYLES = ("server.css",)


def page_policy() -> str:
    """Return the content security policy of these pages, for their HTTP header."""
    return content_policy("".join(asset(_PACKAGE, name) for name in _STYLES))


def status_word(task: Listed) -> str:
    """Return what became of a task, in a word or two."""
    if task.passed is None:
        return "in work"
    word = "passed" if task.passed else "undecided, failed" if task.undecided else "failed"
    return word if task.state != "abandoned" else f"{word}, not taken"


def list_page(listed: Sequence[Listed], link: Callable[[str], str]) -> str:
    """Render the list of decisions, newest first."""
    return render_page(
        _PACKAGE, "decisions.html", styles=_STYLES,
        tasks=listed, link=link, status_word=status_word, time_of=_time,
    )  # fmt: skip


def _time(task: Listed) -> str:
    return f"{dt.datetime.fromtimestamp(task.accepted_at, dt.timezone.utc):%Y-%m-%d %H:%M:%S}Z"


def short_page(task: Listed) -> str:
    """Render a task that has no review: undecided, in work, or after the apply."""
    facts = {
        "Verdict": status_word(task),
        "Message": task.message or "",
        "Stage": task.stage,
        "Organization": task.organization,
        "Workspace": task.workspace,
        "Run": task.run_id,
        "Decision": task.decision_id or "",
    }
    return render_page(_PACKAGE, "task.html", styles=_STYLES, task=task, facts=facts)


_LIST = 200
Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class Site:
    """What the routes need."""

    intake: Intake
    store: Store
    links: Links
    metrics: Metrics
    body_bytes: int
    operator_token: str | None
    ready: Callable[[], str | None]
    """Why the server is not ready, ``None`` where it is."""
    run_tasks: bool = True
    """Whether run tasks are taken: not where there is no policy to evaluate them by."""
    more: Sequence[Route] = ()
    """Routes of approvals."""

    def app(self) -> Starlette:
        """Return the ASGI application."""
        tasks = [
            Route("/run-task", self.run_task, methods=["POST"]),
            Route("/", self.run_task, methods=["POST"]),
        ]
        return Starlette(
            routes=[
                *(tasks if self.run_tasks else ()),
                *self.more,
                Route("/healthz", self.health, methods=["GET"]),
                Route("/readyz", self.readiness, methods=["GET"]),
                Route("/metrics", self.numbers, methods=["GET"]),
                Route("/decisions", self.decisions, methods=["GET"]),
                Route("/decisions/{key}", self.decision, methods=["GET"]),
                Route("/openapi.json", self.openapi, methods=["GET"]),
            ],
            exception_handlers={404: _no_such_page, 405: _wrong_method, 500: _unexpected},
        )

    async def run_task(self, request: Request) -> Response:
        """Take a run task in."""
        body = await read_body(request, self.body_bytes)
        if body is None:
            self.metrics.requests.labels("too large").inc()
            return problem_answer(413, "The body is too large.")
        signature = request.headers.get("x-tfc-task-signature", "")
        try:
            taken = await run_in_threadpool(self.intake.take, body, signature)
        except Exception as error:
            # Not kept, so not taken: the other side asks again.
            self.intake.log.error("intake", error=type(error).__name__)
            self.metrics.requests.labels("unavailable").inc()
            text = "The request could not be stored; try again."
            return problem_answer(503, text, {"Retry-After": "5"})
        self.metrics.requests.labels(taken.result).inc()
        if taken.status == 200:
            return JSONResponse({"status": taken.result}, headers=HEADERS)
        retry = {"Retry-After": "10"} if taken.status == 429 else None
        return problem_answer(taken.status, taken.detail, retry)

    async def health(self, _request: Request) -> Response:
        """Answer that the process runs."""
        return JSONResponse({"status": "ok"}, headers=HEADERS)

    async def readiness(self, _request: Request) -> Response:
        """Whether requests can be kept and evaluated."""
        problem = await run_in_threadpool(self.ready)
        if problem is not None:
            return problem_answer(503, problem)
        return JSONResponse({"status": "ready"}, headers=HEADERS)

    async def numbers(self, _request: Request) -> Response:
        """Return the metrics."""
        counts = await run_in_threadpool(self.store.counts)
        self.metrics.open.set(counts.get("open", 0))
        media = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self.metrics.text(), media_type=media, headers=HEADERS)

    async def decisions(self, request: Request) -> Response:
        """List the latest decisions, for those with the operator's token."""
        if not self._is_operator(request):
            realm = {"WWW-Authenticate": 'Bearer realm="tfgate"'}
            return problem_answer(401, "The operator's token is needed.", realm)
        listed = await run_in_threadpool(self.store.recent, _LIST)
        now = await run_in_threadpool(self.store.now)
        text = list_page(listed, lambda key: self.links.make(key, now))
        return _own_page(text)

    async def decision(self, request: Request) -> Response:
        """Show one decision to whoever has a link to it."""
        key = request.path_params["key"]
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        now = await run_in_threadpool(self.store.now)
        if not self.links.opens(key, expires, signature, now):
            return problem_answer(403, "The link is not complete, or has expired.")
        found = await run_in_threadpool(self.store.page, key)
        if found is None:
            return problem_answer(
                404, "The decision is no longer kept here; the audit trail has it."
            )
        task, page = found
        if page is None:
            text = short_page(task)
            return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": page_policy()})
        return HTMLResponse(page, headers=HEADERS)

    async def openapi(self, _request: Request) -> Response:
        """Return the description of this interface."""
        return JSONResponse(DESCRIPTION, headers=HEADERS)

    def _is_operator(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        wanted = self.operator_token
        if wanted is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(wanted.encode(), given.strip().encode("utf-8", "replace"))


async def _no_such_page(_request: Request, _error: Exception) -> Response:
    return problem_answer(404, "There is no such page.")


async def _wrong_method(_request: Request, error: Exception) -> Response:
    allowed = getattr(error, "headers", None) or {}
    return problem_answer(405, "This page does not answer this method.", allowed)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem_answer(500, "Something unexpected happened.")


def _own_page(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": page_policy()})


# What is done with a request before it is answered: checked, and kept.


class Taken(NamedTuple):
    """The HTTP answer to a request."""

    status: int
    result: str
    """One word, for metrics and logs."""
    detail: str = ""


class Rate:
    """So many requests a minute for each organisation, with as many at once (token bucket)."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def takes(self, organization: str) -> bool:
        """Whether one more request is within the limit; it is counted then."""
        now = self._clock()
        with self._lock:
            if len(self._left) > 10_000:
                self._left.clear()
            left, at = self._left.get(organization, (self._most, now))
            left = min(self._most, left + (now - at) * self._most / 60)
            self._left[organization] = (left - 1 if left >= 1 else left, now)
            return left >= 1


@dataclass
class Intake:
    """Takes requests in. ``submit`` puts a kept task into the queue."""

    keys: Sequence[str]
    """Keys of signatures; empty where requests are not signed."""
    allowed: Allowed
    store: Store
    submit: Callable[[str], None]
    log: Log
    rate: Rate

    def take(self, body: bytes, signature: str) -> Taken:
        """Check a request and keep it. When this says 200, the task will be answered."""
        refused = self._check_signature(body, signature)
        if refused is not None:
            return refused
        if is_verification(body):
            return Taken(200, "verification")
        try:
            task = read_task(body)
            self._check_hosts(task)
        except PayloadError as error:
            return Taken(400, "malformed", str(error))
        except PeerError as error:
            self.log.warning("refused", reason=str(error))
            return Taken(422, "forbidden", str(error))
        if not self.rate.takes(task.organization_name):
            return Taken(429, "limited", "Too many requests of this organization; try again.")
        return self._keep(task)

    def _keep(self, task: RunTask) -> Taken:
        key = task.task_result_id
        fresh = self.store.accept(key, task)
        # A second delivery finds the task; the queue is asked again in case the server was killed
        # between the two. Neither happens twice.
        self.submit(key)
        about(self.log, key, task).info("accepted" if fresh else "repeated")
        return Taken(200, "accepted" if fresh else "repeated")

    def _check_signature(self, body: bytes, signature: str) -> Taken | None:
        if not self.keys:
            if signature:
                return Taken(400, "unsigned", "The request is signed, and no key is configured.")
            return None
        if not signature or not is_signed(body, signature, self.keys):
            return Taken(401, "signature", "The signature is missing or wrong.")
        return None

    def _check_hosts(self, task: RunTask) -> None:
        """Refuse at once what could never be answered: nobody would hear of it later."""
        self.allowed.check_api(task.task_result_callback_url)
        for url in (task.plan_json_api_url, task.configuration_version_download_url):
            if url is not None:
                self.allowed.check_api(url)
