"""The pages of approvals: what waits, one request with its review, and answers to it."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tfgate.report.page import asset, content_policy, render_page
from tfgate.server.approvals.desk import LONGEST_REASON, Desk, NotTakenError, Standing
from tfgate.server.approvals.login import Login, LoginError, NotSilentError, Pending, Provider
from tfgate.server.approvals.sessions import LOGIN_SECONDS, Session, Sessions
from tfgate.server.approvals.store import WAITING, Asked, Person, digest
from tfgate.server.http import HEADERS, read_body
from tfgate.server.monitoring import Log
from tfgate.server.secrets import Vault

_PACKAGE: Final = "tfgate.server"
_STYLES: Final = ("approvals.css",)
_ALLOW: Final = ("form-action 'self'", "frame-src 'self'")
_SHOWN: Final = 200
"""Requests that the list shows of each kind."""
_FORM_BYTES: Final = 64 * 1024
_HEADERS: Final = {
    **HEADERS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without one, browsers send no Origin with a form
}
_REVIEW_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""A review comes from a job: nothing in it runs, is loaded, or is of this site."""
_WORDS: Final = {
    "waiting": "waits",
    "approved": "approved",
    "refused": "refused",
    "ended": "ended without an answer",
    "withdrawn": "withdrawn",
    "replaced": "replaced by a newer plan",
}


@dataclass
class ApprovalPages:
    """The routes for people."""

    desk: Desk
    provider: Provider
    sessions: Sessions
    vault: Vault
    origin: str
    log: Log

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/approvals", self.waiting, methods=["GET"]),
            Route("/approvals/login", self.login, methods=["GET"]),
            Route("/approvals/callback", self.callback, methods=["GET"]),
            Route("/approvals/logout", self.logout, methods=["POST"]),
            Route("/approvals/{key}", self.request, methods=["GET"]),
            Route("/approvals/{key}", self.answer, methods=["POST"]),
            Route("/approvals/{key}/review", self.review, methods=["GET"]),
        ]

    # What is to be seen.

    def waiting(self, request: Request) -> Response:
        """List what waits for an answer, and what was answered lately."""
        session = self.sessions.find(request)
        if session is None:
            return self._log_in_first(request)
        desk, person = self.desk, session.person
        desk.store.end(desk.clock())
        waiting = [one for one in desk.store.waiting(1_000) if desk.may_see(person, one.workspace)]
        closed = [one for one in desk.store.closed(_SHOWN) if desk.may_see(person, one.workspace)]
        return self._page(
            "approvals.html", session, waiting=waiting[:_SHOWN], closed=closed[:50],
            more=len(waiting) - _SHOWN,
        )  # fmt: skip

    def request(self, request: Request) -> Response:
        """Show one request."""
        session = self.sessions.find(request)
        if session is None:
            return self._log_in_first(request, request.path_params["key"])
        try:
            return self._show(session, self._seen(session, request.path_params["key"]))
        except NotTakenError as error:
            return self._problem(error, session)

    def review(self, request: Request) -> Response:
        """Show the review that came with a request: as what a stranger wrote."""
        session = self.sessions.find(request)
        if session is None:
            return self._message("Log in first", "You are not logged in, or no longer.", 401)
        try:
            standing = self._seen(session, request.path_params["key"])
        except NotTakenError as error:
            return self._problem(error, session)
        page = self.desk.store.review(standing.asked.id)
        if page is None:
            return self._message("No review", "The job has sent no review of the plan.", 404)
        own = {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": _REVIEW_POLICY}
        return HTMLResponse(page, headers={**_HEADERS, **own})

    def _seen(self, session: Session, key: str) -> Standing:
        """Return a request that this person may see; to others there is none."""
        standing = self.desk.find(key)
        if not self.desk.may_see(session.person, standing.asked.workspace):
            raise NotTakenError("There is no such request, or it is not for you to see.", 404)
        return standing

    def _show(
        self, session: Session, standing: Standing, problem: str = "", status: int = 200
    ) -> Response:
        asked = standing.asked
        return self._page(
            "approval.html",
            session,
            status=status,
            standing=standing,
            asked=asked,
            what=asked.request,
            rules=[list(one) for _, one in groupby(asked.request.findings, lambda f: f.rule)],
            refusal=self.desk.refusal(standing, session.person),
            has_review=self.desk.store.review(asked.id) is not None,
            problem=problem,
            shown=_shown(asked),
            longest=LONGEST_REASON,
        )

    # Answers.

    async def answer(self, request: Request) -> Response:
        """Take an answer in; it counts when the provider has said again who gives it."""
        form = await _form(request)
        return await run_in_threadpool(self._answer, request, form)

    def _answer(self, request: Request, form: dict[str, str] | None) -> Response:
        session = self.sessions.find(request)
        if form is None or session is None or not self._is_own(request, session, form):
            return self._not_ours(session)
        try:
            standing = self._seen(session, request.path_params["key"])
            problem = self._problem_of(standing, session.person, form)
            if problem is not None:
                return self._show(session, standing, problem, 409)
            pending = Pending(
                request=standing.asked.id,
                person=session.person.key,
                approves=form["answer"] == "approve",
                reason=form["reason"].strip(),
            )
            return self._begin(back=standing.asked.id, pending=pending, silent=True)
        except NotTakenError as error:
            return self._problem(error, session)

    def _problem_of(self, standing: Standing, person: Person, form: dict[str, str]) -> str | None:
        refusal = self.desk.refusal(standing, person)
        if refusal is not None:
            return refusal
        if form.get("answer") not in ("approve", "refuse"):
            return "Choose whether to approve or to refuse."
        if form.get("shown") != _shown(standing.asked):
            return "The request has changed since this page was shown. Read it again."
        reason = form.get("reason", "").strip()
        if not reason:
            return "Nothing was answered: give a reason. It goes on record."
        if len(reason) > LONGEST_REASON:
            return "Nothing was answered: the reason is longer than 2,000 characters."
        return None

    def _is_own(self, request: Request, session: Session, form: dict[str, str]) -> bool:
        """Whether a form was sent from our own page in this session."""
        origin = request.headers.get("origin")
        return origin in (None, self.origin) and self.sessions.is_own_form(
            session, form.get("csrf", "")
        )

    # Login.

    def login(self, request: Request) -> Response:
        """Send the browser to the provider."""
        back = request.query_params.get("back", "")
        return self._begin(back=back if back.isalnum() else "", redirect=True)

    def _begin(
        self,
        *,
        back: str,
        pending: Pending | None = None,
        silent: bool = False,
        redirect: bool = False,
    ) -> Response:
        response: Response = HTMLResponse("", headers=_HEADERS)
        login = Login(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            browser=self.sessions.mark(response),
            silent=silent,
            back=back,
            pending=pending,
        )
        try:
            address = self.provider.address(login)
        except LoginError as error:
            self.log.warning("login", problem=str(error))
            return self._message("No login", str(error), 502)
        sealed = self.vault.seal(msgspec.json.encode(login).decode())
        expires_at = self.desk.clock() + LOGIN_SECONDS
        self.desk.store.open_login(digest(login.state), sealed, expires_at)
        if redirect:
            sent: Response = RedirectResponse(address, 303, headers=_HEADERS)
        else:
            # Not a redirect: browsers hold form-action against where a form's answer redirects to.
            sent = self._onward("The provider is asked who you are", address)
        return _with_cookies(sent, response)

    def callback(self, request: Request) -> Response:
        """Take in who the provider says it is, and the answer that waits for that."""
        login = self._login_of(request)
        if login is None:
            return self._message(
                "Log in again",
                "This login has ended, was used already, or was begun in another browser.",
                400,
            )
        try:
            person = self.provider.person(request.url.query, login)
        except NotSilentError:
            return self._begin(back=login.back, pending=login.pending, redirect=True)
        except LoginError as error:
            self.log.warning("login", problem=str(error))
            return self._message("Not logged in", str(error), 403)
        self.log.info("login", person=person.names[0], subject=person.subject)
        problem = None if login.pending is None else self._give(login.pending, person)
        if problem is not None:
            sent = self._message("The answer was not taken", problem, 409, back=login.back)
        else:
            where = f"/approvals/{login.back}" if login.back else "/approvals"
            # Not a redirect: a strict cookie is not sent on one that another site began.
            sent = self._onward("You are logged in", where)
        self.sessions.open(request, sent, person)
        return sent

    def _login_of(self, request: Request) -> Login | None:
        """Return the login that a browser comes back from: once, and in that browser alone."""
        state = request.query_params.get("state", "")
        sealed = self.desk.store.take_login(digest(state), self.desk.clock())
        if sealed is None:
            return None
        login = msgspec.json.decode(self.vault.open(sealed), type=Login)
        same = secrets.compare_digest(login.browser, self.sessions.marked(request))
        return login if same else None

    def _give(self, pending: Pending, person: Person) -> str | None:
        """Give an answer now that it is certain who gives it; return why it was not taken."""
        if person.key != pending.person:
            return "The provider says that you are somebody else than when you answered."
        try:
            standing = self.desk.answer(
                pending.request, person, approves=pending.approves, reason=pending.reason
            )
        except NotTakenError as error:
            return error.message
        word = "approved" if pending.approves else "refused"
        self.log.info(
            "answer", request=pending.request, answer=word, by=person.names[0],
            state=standing.asked.state,
        )  # fmt: skip
        return None

    async def logout(self, request: Request) -> Response:
        """End the session."""
        form = await _form(request)
        return await run_in_threadpool(self._logout, request, form)

    def _logout(self, request: Request, form: dict[str, str] | None) -> Response:
        session = self.sessions.find(request)
        if form is None or session is None or not self._is_own(request, session, form):
            return self._not_ours(session)
        sent = self._message("Logged out", "You are logged out here, not at the provider.", 200)
        self.sessions.leave(request, sent)
        return sent

    # Answers to browsers.

    def _log_in_first(self, request: Request, back: str = "") -> Response:
        """Send somebody without a session to the login, and back here."""
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            # A strict cookie is not sent with a link of another site: asked from here, it is.
            return self._onward("One moment", request.url.path)
        query = f"?back={back}" if back.isalnum() else ""
        return RedirectResponse(f"/approvals/login{query}", 303, headers=_HEADERS)

    def _onward(self, title: str, address: str) -> Response:
        return self._page("onward.html", None, title=title, address=address)

    def _not_ours(self, session: Session | None) -> Response:
        if session is None:
            return self._message("Log in first", "You are not logged in, or no longer.", 401)
        return self._message("Not taken", "This form is not one of this page. Try again.", 403)

    def _problem(self, error: NotTakenError, session: Session) -> Response:
        return self._message("Not possible", error.message, error.status, session=session)

    def _message(
        self,
        title: str,
        text: str,
        status: int,
        *,
        back: str = "",
        session: Session | None = None,
    ) -> Response:
        return self._page("message.html", session, status=status, title=title, text=text, back=back)

    def _page(
        self, template: str, session: Session | None, status: int = 200, **values: Any
    ) -> Response:
        text = render_page(
            _PACKAGE, template, styles=_STYLES, allow=_ALLOW, session=session, words=_WORDS,
            minute=_minute, left=self._left, names=_names, rules_of=_rules_of, WAITING=WAITING,
            **values,
        )  # fmt: skip
        style = "".join(asset(_PACKAGE, name) for name in _STYLES)
        policy = f"{content_policy(style, allow=_ALLOW)}; frame-ancestors 'none'"
        return HTMLResponse(text, status, {**_HEADERS, "Content-Security-Policy": policy})

    def _left(self, moment: float) -> str:
        """Say how long it is until then."""
        minutes = int((moment - self.desk.clock()) // 60)
        if minutes < 1:
            return "less than a minute"
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _shown(asked: Asked) -> str:
    """Return a digest of what is shown, which an answer is about."""
    return digest(msgspec.json.encode(asked.request, order="sorted").decode())


def _rules_of(asked: Asked) -> list[str]:
    rules = list(dict.fromkeys(finding.rule for finding in asked.request.findings))
    return rules if len(rules) < 6 else [*rules[:5], f"{len(rules) - 5} more rules"]


def _names(people: Sequence[str]) -> str:
    return ", ".join(people)


def _minute(moment: float | dt.datetime) -> str:
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.fromtimestamp(moment, dt.timezone.utc)
    return f"{moment.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M} UTC"


def _with_cookies(sent: Response, made: Response) -> Response:
    for name, value in made.raw_headers:
        if name == b"set-cookie":
            sent.raw_headers.append((name, value))
    return sent


async def _form(request: Request) -> dict[str, str] | None:
    """Read a small form; ``None`` for anything else."""
    data = await read_body(request, _FORM_BYTES)
    if data is None:
        return None
    try:
        pairs = parse_qs(data.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    return {name: values[-1] for name, values in pairs.items()}


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, as browsers send them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
