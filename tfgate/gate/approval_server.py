"""The job's side of a server's approvals: ask, and wait for the answer.

The server believes the job by a token that was made for the server itself, got anew for each
question: what the gate verifies its operator by is never sent anywhere.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tfgate.engine.override import strictest
from tfgate.errors import TfgateError, UsageError
from tfgate.gate.approvals import needs_of, prepare_request
from tfgate.gate.documents import MAX_DOCUMENT, write_document
from tfgate.identity.token_sources import FILE_VARIABLE, VARIABLE, find_token
from tfgate.outbound import AGENT, Peer, shaped

if TYPE_CHECKING:
    from tfgate.gate.check import Evaluated
    from tfgate.gate.request import Request
    from tfgate.ruleset.issuers import Issuer

TOKEN_VARIABLE: Final = "TFGATE_APPROVAL_TOKEN"  # noqa: S105 - a name
"""Holds a token for the server, where none can be asked for."""
LARGEST_REVIEW: Final = 4 * 1024**2
"""Characters of a review that is sent."""
_SECONDS: Final = 60.0
_POLL: Final = 20.0
"""Seconds that the server is asked to hold a question."""
_AGAIN: Final = 3.0
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_CHANGES: Final = (
    ("CI_MERGE_REQUEST_IID", "CI_COMMIT_REF_NAME"),
    ("PULL_NUM",),
    ("GITHUB_REF",),
    ("BITBUCKET_PR_ID", "BITBUCKET_BRANCH"),
    ("BUILDKITE_BRANCH",),
    ("SYSTEM_PULLREQUEST_PULLREQUESTID", "BUILD_SOURCEBRANCH"),
    ("CIRCLE_BRANCH",),
    ("CHANGE_ID", "BRANCH_NAME"),
)
"""Of each CI system, variables that name what is being changed; the first that is set."""


class ServerError(TfgateError):
    """The server cannot be asked, or refuses; ``again`` is whether it may help to ask again."""

    again = True


class State(msgspec.Struct, frozen=True):
    """How a request stands."""

    id: str
    url: str
    state: str
    expires: str
    answers: tuple[Answer, ...] = ()
    approvals: tuple[str, ...] = ()
    """Signed approvals, base64."""


class Answer(msgspec.Struct, frozen=True):
    """What one person said."""

    by: str
    approves: bool
    reason: str


class _Problem(msgspec.Struct, frozen=True):
    error: str = ""


class ApprovalServer:
    """A server, as one job sees it. ``issuers`` are those whose token the job can get."""

    def __init__(self, url: str, issuers: tuple[Issuer, ...], env: Mapping[str, str]) -> None:
        """Raises ``UsageError`` where ``url`` is no address of a server."""
        parts = _split(url)
        if parts is None or not (parts[0] == "https" or parts[1] in _LOCAL):
            raise UsageError(f"{url} is not the https:// address of an approval server.")
        self.url = url.rstrip("/")
        self._issuers = issuers
        self._env = env

    def ask(self, body: bytes) -> State:
        """Send a request. Raises ``ServerError``."""
        return self._post("", body)

    def find(self, plan_sha256: str) -> State:
        """Find the request for a plan. Raises ``ServerError``."""
        return self._post("/find", msgspec.json.encode({"plan_sha256": plan_sha256}))

    def state(self, key: str, seconds: float) -> State:
        """Return how a request stands, at once or when it is answered. Raises ``ServerError``."""
        if not re.fullmatch(r"[0-9a-f]{32}", key):
            raise UsageError(f"{key} is not the id of a request.")
        return self._post(f"/{key}/wait", msgspec.json.encode({"seconds": seconds}))

    def _post(self, path: str, body: bytes) -> State:
        token = self._token()
        peer = Peer(
            f"{self.url}/approvals/api/requests{path}",
            seconds=_SECONDS,
            env=self._env,
            hide=lambda text: text.replace(token, "(token)"),
            failure=ServerError,
        )
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": AGENT,
        }
        answer = peer.request("POST", body, headers, largest=2 * MAX_DOCUMENT)
        if answer.status != 200:
            problem = shaped(answer.body, _Problem)
            said = "" if problem is None else problem.error
            error = ServerError(f"{peer.host} answered {answer.status}: {said or answer.reason}")
            error.again = answer.status >= 500 or answer.status == 429
            raise error
        state = shaped(answer.body, State)
        if state is None:
            raise ServerError(f"{peer.host} does not answer as an approval server does.")
        return state

    def _token(self) -> str:
        """Return a token for the server. Raises ``IdentityError`` where there is none."""
        if text := self._env.get(TOKEN_VARIABLE, "").strip():
            return text
        issuers = [
            msgspec.structs.replace(one, audience=(self.url,), token_env=None, token_file=None)
            for one in self._issuers
        ]
        # Tokens at hand are for the gate: none of them is sent anywhere.
        env = {k: v for k, v in self._env.items() if k not in (VARIABLE, FILE_VARIABLE)}
        try:
            found = find_token(issuers, env)
        except TfgateError:
            found = None
        if found is None:
            raise UsageError(
                f"There is no token of this job for {self.url}.",
                hint=f"Hand one over in {TOKEN_VARIABLE}, made for that audience "
                "(docs/approvals.md).",
            )
        return found.text


def _split(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    odd = parts.username is not None or parts.query or parts.fragment
    return None if odd or not parts.hostname else (parts.scheme, parts.hostname)


# Asking.


def send_request(
    evaluated: Evaluated, request: Request, url: str, review: Callable[[Evaluated], str] | None
) -> str:
    """Ask the server for approvals of what blocks; say in a sentence what was done.

    ``review`` renders the page to show beside it. Raises ``ServerError`` and ``UsageError``.
    """
    server = ApprovalServer(url, evaluated.gathered.config.issuers, request.env)
    asked = prepare_request(evaluated, request)
    if isinstance(asked, str):
        return asked
    page = None if review is None else review(evaluated)
    need = strictest(map(needs_of(evaluated.gathered), {each.rule for each in asked.findings}))
    body: dict[str, Any] = {
        "request": asked,
        "review": page if page is not None and len(page) <= LARGEST_REVIEW else None,
        "needs": {"people": need.people, "roles": sorted(need.roles)},
        "change": _change(request.env),
    }
    state = server.ask(msgspec.json.encode(body))
    return (
        f"{state.url} {WORDS.get(state.state, state.state)} (until {state.expires}). "
        f"tfgate approvals wait {state.id} --server {server.url} waits for the answer."
    )


WORDS: Final = {
    "waiting": "waits for an answer",
    "approved": "is approved",
    "refused": "was refused",
    "ended": "has ended without an answer",
    "withdrawn": "was withdrawn",
    "replaced": "was replaced: the plan has changed",
}


def _change(env: Mapping[str, str]) -> str:
    for variables in _CHANGES:
        for name in variables:
            if env.get(name):
                return f"{name}={env[name]}"[:500]
    return ""


# Waiting.


class Waited(NamedTuple):
    """How the wait has ended."""

    state: State
    files: tuple[Path, ...]
    """The approvals, written."""


def wait_for(
    server: ApprovalServer,
    key: str,
    folder: Path,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Waited:
    """Wait until a request is answered or ``seconds`` are over; write the approvals.

    A server that is away for a while is asked again. Raises ``TfgateError``.
    """
    end = clock() + seconds
    while True:
        left = end - clock()
        try:
            state = server.state(key, max(0.0, min(_POLL, left)))
        except ServerError as error:
            if not error.again or clock() + _AGAIN >= end:
                raise
            sleep(_AGAIN)
            continue
        if state.state != "waiting" or clock() >= end:
            return Waited(state, _written(state, folder))


def _written(state: State, folder: Path) -> tuple[Path, ...]:
    files = []
    for number, text in enumerate(state.approvals, 1):
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ServerError("The server's approval is not base64.") from None
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{state.id}.{number}.approval.json"
        write_document(file, data, "approval")
        files.append(file)
    return tuple(files)
