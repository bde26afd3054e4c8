"""Cookies: which browser it is. What they hold is random, and means nothing elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tfgate.server.approvals.store import ApprovalStore, Person, digest
from tfgate.server.secrets import Signer

LOGIN_SECONDS: Final = 600
"""How long a person may take to log in."""


class Session(NamedTuple):
    """A browser whose person is known."""

    key: str
    person: Person
    csrf: str
    """Stands in every form; another site cannot know it."""


class Sessions:
    """Opens and finds sessions. They end after a time, whatever is done with them."""

    def __init__(
        self,
        store: ApprovalStore,
        signer: Signer,
        clock: Callable[[], float],
        *,
        minutes: int,
        secure: bool,
    ) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._seconds = minutes * 60
        self._secure = secure
        # RFC 6265bis, 4.1.3.2: a cookie of this name is from this very host, over TLS.
        prefix = "__Host-" if secure else ""
        self._session, self._login = f"{prefix}tfgate-session", f"{prefix}tfgate-login"

    def find(self, request: Request) -> Session | None:
        """Return the session that a request belongs to."""
        token, _, signature = request.cookies.get(self._session, "").partition(".")
        if not token or not self._signer.is_ours(f"session\n{token}", signature):
            return None
        key = digest(token)
        person = self._store.session(key, self._clock())
        return None if person is None else Session(key, person, self._csrf(token))

    def open(self, request: Request, response: Response, person: Person) -> None:
        """Begin a new session in place of any that the browser has."""
        self.close(request)
        token = secrets.token_urlsafe(32)
        signed = self._signer.sign(f"session\n{token}")
        self._store.open_session(digest(token), person, self._clock() + self._seconds)
        value = f"{token}.{signed}"
        self._set(response, self._session, value, self._seconds, "strict")
        self._set(response, self._login, "", 0, "lax")

    def close(self, request: Request) -> None:
        """End the browser's session."""
        found = self.find(request)
        if found is not None:
            self._store.close_session(found.key)

    def leave(self, request: Request, response: Response) -> None:
        """End the session, and take the cookie back."""
        self.close(request)
        self._set(response, self._session, "", 0, "strict")

    def is_own_form(self, session: Session, csrf: str) -> bool:
        """Whether a form was made for this session."""
        return secrets.compare_digest(session.csrf.encode(), csrf.encode("utf-8", "replace"))

    def _csrf(self, token: str) -> str:
        return self._signer.sign(f"csrf\n{token}")

    # The browser that a login began in: the answer to it counts there alone.

    def mark(self, response: Response) -> str:
        """Give the browser something to be known by; return its digest."""
        value = secrets.token_urlsafe(32)
        self._set(response, self._login, value, LOGIN_SECONDS, "lax")
        return digest(value)

    def marked(self, request: Request) -> str:
        """Return the digest of what the browser was given."""
        return digest(request.cookies.get(self._login, ""))

    def _set(self, response: Response, name: str, value: str, seconds: int, same: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict" if same == "strict" else "lax",
        )
