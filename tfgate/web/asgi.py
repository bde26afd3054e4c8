"""The HTTP side: routes, limits of a request, and who may see what."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tfgate.web.openapi import DESCRIPTION
from tfgate.web.pages import list_page, page_policy, short_page

if TYPE_CHECKING:
    from tfgate.web.intake import Intake
    from tfgate.web.links import Links
    from tfgate.web.metrics import Metrics
    from tfgate.web.store import Store

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
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

    def app(self) -> Starlette:
        """Give the ASGI application."""
        return Starlette(
            routes=[
                Route("/run-task", self.run_task, methods=["POST"]),
                Route("/", self.run_task, methods=["POST"]),
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
        body = await self._body(request)
        if body is None:
            self.metrics.requests.labels("too large").inc()
            return _problem(413, "The body is too large.")
        signature = request.headers.get("x-tfc-task-signature", "")
        try:
            said = await run_in_threadpool(self.intake.take, body, signature)
        except Exception as error:
            # Not kept, so not taken: the other side asks again.
            self.intake.log.error("intake", error=type(error).__name__)
            self.metrics.requests.labels("unavailable").inc()
            return _problem(503, "The request could not be kept; try again.", retry=5)
        self.metrics.requests.labels(said.result).inc()
        if said.status == 200:
            return JSONResponse({"status": said.result}, headers=_HEADERS)
        return _problem(said.status, said.detail, retry=10 if said.status == 429 else None)

    async def _body(self, request: Request) -> bytes | None:
        """Read the body, ``None`` where it is too large: no more than the limit is kept."""
        data = bytearray()
        try:
            async for piece in request.stream():
                data += piece
                if len(data) > self.body_bytes:
                    return None
        except ClientDisconnect:
            return b""
        return bytes(data)

    async def health(self, _request: Request) -> Response:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"}, headers=_HEADERS)

    async def readiness(self, _request: Request) -> Response:
        """Say whether requests can be kept and judged."""
        problem = await run_in_threadpool(self.ready)
        if problem is not None:
            return _problem(503, problem)
        return JSONResponse({"status": "ready"}, headers=_HEADERS)

    async def numbers(self, _request: Request) -> Response:
        """Give the metrics."""
        counts = await run_in_threadpool(self.store.counts)
        self.metrics.open.set(counts.get("open", 0))
        media = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self.metrics.text(), media_type=media, headers=_HEADERS)

    async def decisions(self, request: Request) -> Response:
        """List the latest decisions, for those with the operator's token."""
        if not self._is_operator(request):
            headers = {**_HEADERS, "WWW-Authenticate": 'Bearer realm="tfgate"'}
            return JSONResponse(
                {"error": "The operator's token is needed."}, status_code=401, headers=headers
            )
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
            return _problem(403, "The link is not complete, or has expired.")
        found = await run_in_threadpool(self.store.page, key)
        if found is None:
            return _problem(404, "The decision is no longer kept here; the audit trail has it.")
        task, page = found
        if page is None:
            text = short_page(task)
            return HTMLResponse(
                text, headers={**_HEADERS, "Content-Security-Policy": page_policy()}
            )
        return HTMLResponse(page, headers=_HEADERS)

    async def openapi(self, _request: Request) -> Response:
        """Give the description of this interface."""
        return JSONResponse(DESCRIPTION, headers=_HEADERS)

    def _is_operator(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        wanted = self.operator_token
        if wanted is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(wanted.encode(), given.strip().encode("utf-8", "replace"))


def _problem(status: int, text: str, *, retry: int | None = None) -> Response:
    headers = _HEADERS if retry is None else {**_HEADERS, "Retry-After": str(retry)}
    return JSONResponse({"error": text}, status_code=status, headers=headers)


async def _no_such_page(_request: Request, _error: Exception) -> Response:
    return _problem(404, "There is no such page.")


async def _wrong_method(_request: Request, error: Exception) -> Response:
    allowed = getattr(error, "headers", None) or {}
    text = {"error": "This page is not asked for in this way."}
    return JSONResponse(text, status_code=405, headers={**_HEADERS, **allowed})


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return _problem(500, "Something unexpected happened.")


def _own_page(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={**_HEADERS, "Content-Security-Policy": page_policy()})
