"""Who somebody in a browser is: the provider's login (code flow with PKCE), and sessions.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (the issuer in the response).
Authlib makes the requests and reads the answers of OAuth; the ID token is verified as every other
token is. No token is kept: who answers is asked for by the provider again, and that is believed.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from joserfc.jws import extract_compact

from tfgate.errors import IdentityError, TfgateError
from tfgate.identity import Keys, verify
from tfgate.identity.keys import Discovery, discover
from tfgate.outbound import AGENT, Answer, Peer, shaped
from tfgate.ruleset.issuers import Issuer
from tfgate.server.approval_tables import ProviderTable, fill
from tfgate.server.approvals.store import Person

SECONDS: Final = 10.0
LARGEST: Final = 256 * 1024
"""Bytes of an answer of the provider."""
MOST_GROUPS: Final = 2_000
_FRESH: Final = 3600.0
_SILENT: Final = (
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
)


class LoginError(TfgateError):
    """The login has not proven who somebody is. The text has nothing of what the provider sent."""


class NotSilentError(LoginError):
    """The provider wants to see the person before it says who they are."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a login that begins must come back to."""

    state: str
    nonce: str
    verifier: str
    browser: str
    """Digest of what the browser's cookie holds."""
    silent: bool = False
    back: str = ""
    """Id of the request whose page comes then; empty for the list."""
    pending: Pending | None = None
    """The answer that waits for it."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, before it is certain who gives it."""

    request: str
    person: str
    """Whose session it was sent from."""
    approves: bool
    reason: str


class _Discovery(Discovery, frozen=True, kw_only=True):
    """What a browser's login needs of it as well."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    """RFC 9207, section 3."""


@dataclass
class Provider:
    """The organisation's provider."""

    table: ProviderTable
    callback: str
    """Our address that it sends the browser back to."""
    secret: str | None
    ca: Path | None
    keys: Keys
    env: Mapping[str, str]
    _found: tuple[float, _Discovery] | None = None

    def address(self, login: Login) -> str:
        """Return where to send the browser. Raises ``LoginError``."""
        more = {"prompt": "none"} if login.silent else {}
        address, _ = self._client().create_authorization_url(
            self._discovery().authorization_endpoint,
            state=login.state,
            code_verifier=login.verifier,
            nonce=login.nonce,
            **more,
        )
        return str(address)

    def person(self, query: str, login: Login) -> Person:
        """Return who came back, by the query of our address. Raises ``LoginError``."""
        found = self._discovery()
        given = parse_qs(query)
        issuer = given.get("iss", [])
        expected = found.authorization_response_iss_parameter_supported
        if issuer != [found.issuer] and (issuer or expected):
            raise LoginError("The answer is not of the provider that was asked.")
        if error := given.get("error"):
            kind = NotSilentError if login.silent and error[0] in _SILENT else LoginError
            raise kind("The provider did not log you in.")
        try:
            tokens = self._client().fetch_token(
                found.token_endpoint,
                authorization_response=f"{self.callback}?{query}",
                state=login.state,
                code_verifier=login.verifier,
            )
        except (OAuth2Error, ValueError) as error:
            raise LoginError(f"The login failed ({type(error).__name__}).") from None
        return self._proven(found, tokens, login)

    def _proven(self, found: _Discovery, tokens: Mapping[str, Any], login: Login) -> Person:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise LoginError("The provider has sent no ID token.")
        now = dt.datetime.now(dt.timezone.utc)
        try:
            identity = verify(token, [self._issuer()], now=now, keys=self.keys)
        except IdentityError as error:
            raise LoginError(str(error)) from None
        if identity.claims.get("nonce") != login.nonce:
            raise LoginError("The ID token was made for another login.")
        claims: dict[str, Any] = {**self._userinfo(found, tokens, identity.subject)}
        claims |= msgspec.json.decode(_payload(token))
        return self._person(claims, identity.subject)

    def _issuer(self) -> Issuer:
        return Issuer(
            name="the provider",
            issuer=self.table.issuer,
            audience=(self.table.client_id,),
            operator="{sub}",
            claims=("nonce",),
            keys_hosts=self.table.keys_hosts,
            ca_file=self.ca,
            max_hours=1,
        )

    def _userinfo(
        self, found: _Discovery, tokens: Mapping[str, Any], subject: str
    ) -> dict[str, Any]:
        """Return the claims that are not in the ID token (OpenID Connect Core 1.0, 5.3)."""
        token = tokens.get("access_token")
        if found.userinfo_endpoint is None or not isinstance(token, str):
            return {}
        answer = self._send(
            "GET", found.userinfo_endpoint, None, {"Authorization": f"Bearer {token}"}
        )
        claims = _object(answer)
        if answer.status != 200 or claims.get("sub") != subject:
            raise LoginError("The provider does not say who you are.")
        return claims

    def _person(self, claims: dict[str, Any], subject: str) -> Person:
        if claims.get("email_verified") not in (None, True, "true"):
            claims.pop("email", None)
        filled = [fill(template, claims) for template in self.table.names]
        names = tuple(dict.fromkeys(name for name in filled if name and len(name) <= 320))
        if not names or not all(name.isprintable() for name in names):
            raise LoginError("The provider gives you no name that approvers.provider.names asks.")
        groups = claims.get(self.table.groups, [])
        groups = [groups] if isinstance(groups, str) else groups
        known = [one for one in groups if isinstance(one, str)] if isinstance(groups, list) else []
        return Person(
            names=names[:16],
            issuer=self.table.issuer,
            subject=subject,
            groups=tuple(known[:MOST_GROUPS]),
        )

    def _discovery(self) -> _Discovery:
        if self._found is not None and time.monotonic() - self._found[0] < _FRESH:
            return self._found[1]
        try:
            found = discover(self._issuer(), self.env, _Discovery)
        except IdentityError as error:
            raise LoginError(str(error)) from None
        ends = (found.authorization_endpoint, found.token_endpoint, found.userinfo_endpoint)
        if not all(urlsplit(end).scheme == "https" for end in ends if end is not None):
            raise LoginError("The provider's addresses are not https.")
        self._found = (time.monotonic(), found)
        return found

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            _Session(self),
            client_id=self.table.client_id,
            client_secret=self.secret,
            scope=" ".join(self.table.scopes),
            redirect_uri=self.callback,
            code_challenge_method="S256",
        )

    def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        peer = Peer(
            url,
            seconds=SECONDS,
            env=self.env,
            ca_file=self.ca,
            hide=lambda _: "",
            failure=LoginError,
        )
        answer = peer.request(method, body, {"User-Agent": AGENT, **headers}, largest=LARGEST + 1)
        if len(answer.body) > LARGEST:
            raise LoginError("The provider's answer is too large.")
        return answer


class _Session:
    """What Authlib sends goes through `Provider._send`: over TLS, bounded, and followed nowhere."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any
    ) -> _Response:
        """Send a form with the client's own authentication."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Response(self._provider._send("POST", url, body.encode(), headers))


class _Response:
    """An answer as Authlib reads it."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self._answer = answer

    def json(self) -> dict[str, Any]:
        """Return the object in it."""
        return _object(self._answer)

    def raise_for_status(self) -> None:
        """Raise where it is no success."""
        if self.status_code >= 400:
            raise LoginError("The provider did not take the login.")


def _object(answer: Answer) -> dict[str, Any]:
    found = shaped(answer.body, dict[str, Any])
    if found is None:
        raise LoginError("The provider's answer is not JSON.")
    return found


def _payload(token: str) -> bytes:
    """Return the claims of a token that was verified."""
    return bytes(extract_compact(token.encode()).payload or b"")
