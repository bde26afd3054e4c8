"""What jobs ask of the server, each with its own token: take a request, wait for the answer."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tfgate.errors import IdentityError, UsageError
from tfgate.identity import Identity, Keys, verify
from tfgate.outbound import shaped
from tfgate.ruleset.issuers import Issuer
from tfgate.server.approval_tables import ApprovalsTable
from tfgate.server.approvals.desk import Asking, Desk, NotTakenError, may_ask
from tfgate.server.approvals.store import WAITING, Asked, Requester
from tfgate.server.http import HEADERS, problem_answer, read_body
from tfgate.server.monitoring import Log

LONGEST_WAIT: Final = 25.0
"""Seconds that one request may wait for an answer; proxies cut off what takes a minute."""
_SMALL: Final = 4096


class _Find(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plan_sha256: str


class _Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seconds: float = 0.0


@dataclass
class JobInterface:
    """The routes for jobs."""

    desk: Desk
    table: ApprovalsTable
    issuers: tuple[Issuer, ...]
    audience: str
    """Whom a job's token must be made for: this server's address."""
    keys: Keys
    log: Log

    def routes(self) -> list[Route]:
        """Return the routes."""
        base = "/approvals/api/requests"
        return [
            Route(base, self.ask, methods=["POST"]),
            Route(f"{base}/find", self.find, methods=["POST"]),
            Route(f"{base}/{{key}}/wait", self.wait, methods=["POST"]),
            Route(f"{base}/{{key}}/withdraw", self.withdraw, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Take a request."""
        try:
            identity = await run_in_threadpool(self._identity, request)
            asking = await _read(request, Asking, self.table.request_bytes)
            return _answer(await run_in_threadpool(self._ask, identity, asking))
        except NotTakenError as error:
            return self._refused(error)

    def _ask(self, identity: Identity, asking: Asking) -> dict[str, Any]:
        self._check(identity, asking.request.workspace.name)
        asked = self.desk.ask(asking, _requester(identity))
        self.log.info(
            "asked", request=asked.id, workspace=asked.workspace, by=identity.name,
            state=asked.state,
        )  # fmt: skip
        return self._state(asked)

    async def find(self, request: Request) -> Response:
        """Find the latest request for a plan that this job may know of."""
        try:
            identity = await run_in_threadpool(self._identity, request)
            wanted = await _read(request, _Find, _SMALL)
            return _answer(await run_in_threadpool(self._find, identity, wanted))
        except NotTakenError as error:
            return self._refused(error)

    def _find(self, identity: Identity, wanted: _Find) -> dict[str, Any]:
        for asked in self.desk.store.of_plan(wanted.plan_sha256):
            if self._may_ask(identity, asked.workspace):
                return self._state(self.desk.find(asked.id).asked)
        raise NotTakenError("There is no request for this plan.", 404)

    async def wait(self, request: Request) -> Response:
        """Say how a request stands, at once or when it is answered."""
        try:
            identity = await run_in_threadpool(self._identity, request)
            wish = await _read(request, _Wait, _SMALL)
            key = request.path_params["key"]
            end = asyncio.get_running_loop().time() + min(wish.seconds, LONGEST_WAIT)
            while True:
                state = await run_in_threadpool(self._standing, identity, key)
                left = end - asyncio.get_running_loop().time()
                if state["state"] != WAITING or left <= 0 or await request.is_disconnected():
                    return _answer(state)
                await asyncio.sleep(min(1.0, left))
        except NotTakenError as error:
            return self._refused(error)

    def _standing(self, identity: Identity, key: str) -> dict[str, Any]:
        standing = self.desk.find(key)
        if not self._may_ask(identity, standing.asked.workspace):
            raise NotTakenError("There is no such request.", 404)
        answers = [
            {"by": one.approver.names[0], "approves": one.approves, "reason": one.reason}
            for one in standing.answers
        ]
        signed = [
            base64.b64encode(one.signed).decode("ascii")
            for one in standing.answers
            if one.signed is not None and standing.asked.state == "approved"
        ]
        return {**self._state(standing.asked), "answers": answers, "approvals": signed}

    async def withdraw(self, request: Request) -> Response:
        """Take a request back: only who asked can."""
        try:
            identity = await run_in_threadpool(self._identity, request)
            return _answer(
                await run_in_threadpool(self._withdraw, identity, request.path_params["key"])
            )
        except NotTakenError as error:
            return self._refused(error)

    def _withdraw(self, identity: Identity, key: str) -> dict[str, Any]:
        asked = self.desk.find(key).asked
        own = (asked.requester.issuer, asked.requester.subject)
        if own != (identity.issuer, identity.subject):
            raise NotTakenError("Another job has asked for this.", 403)
        self.desk.withdraw(key)
        return self._state(self.desk.find(key).asked)

    # Who asks.

    def _identity(self, request: Request) -> Identity:
        """Return whose token a request has. Raises ``NotTakenError``."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotTakenError(
                f"A token of the job is needed, made for the audience {self.audience}.", 401
            )
        try:
            now = dt.datetime.now(dt.timezone.utc)
            return verify(
                token.strip(), self.issuers, now=now, keys=self.keys, audience=self.audience
            )
        except (IdentityError, UsageError) as error:
            raise NotTakenError(error.message, 401) from None

    def _may_ask(self, identity: Identity, workspace: str) -> bool:
        claims = {name: _texts(value) for name, value in identity.claims.items()}
        claims["sub"] = [identity.subject]
        return may_ask(self.table, identity.source, claims, workspace)

    def _check(self, identity: Identity, workspace: str) -> None:
        if not self._may_ask(identity, workspace):
            raise NotTakenError(
                f"{identity.name} may not ask for the workspace {workspace!r}.", 403
            )

    # Answers.

    def _state(self, asked: Asked) -> dict[str, Any]:
        expires = dt.datetime.fromtimestamp(asked.expires_at, dt.timezone.utc)
        return {
            "id": asked.id,
            "url": self.desk.link(asked.id),
            "state": asked.state,
            "workspace": asked.workspace,
            "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        }

    def _refused(self, error: NotTakenError) -> Response:
        self.log.warning("not taken", status=error.status, problem=error.message)
        more = {"WWW-Authenticate": 'Bearer realm="tfgate"'} if error.status == 401 else None
        return problem_answer(error.status, error.message, more)


def _requester(identity: Identity) -> Requester:
    claims = {name: ", ".join(_texts(value)) for name, value in identity.claims.items()}
    return Requester(
        name=identity.name,
        issuer=identity.issuer,
        subject=identity.subject,
        claims=claims,
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [str(value)]


def _answer(state: dict[str, Any]) -> Response:
    return JSONResponse(state, headers=HEADERS)


async def _read(request: Request, shape: type[Any], most: int) -> Any:
    """Read a body strictly. Raises ``NotTakenError``."""
    data = await read_body(request, most)
    if data is None:
        raise NotTakenError(f"The request has more than {most:,} bytes.", 413)
    found = shaped(data, shape)
    if found is None:
        raise NotTakenError("The request is not one of tfgate.", 400)
    return found
