"""Issuers of a test's own: they sign what they are asked to, and serve their keys over TLS.

For what a real provider does, see tests/support/oidc_provider.py.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import trustme
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tfgate.ruleset.issuers import Issuer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.timezone.utc)
AUDIENCE = "tfgate:prod"


@functools.cache
def rsa_key(kid: str | None, owner: str = "somebody", bits: int = 2048) -> RSAKey:
    """Return the key of an owner with that id: the same every time, as making one takes long."""
    return RSAKey.generate_key(bits, None if kid is None else {"kid": kid}, auto_kid=False)


class TestIssuer:
    """Signs tokens; ``documents`` says what each path answers: status, headers and body."""

    __test__ = False

    def __init__(self, url: str = "https://issuer.acme.example") -> None:
        self.url = url
        self.key = rsa_key("key-1", url)
        self.more: list[dict[str, Any]] = []
        """Further keys of the set."""
        self.documents: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
        self.asked: list[str] = []
        """Paths with queries, in the order they were asked for."""
        self.headers: list[Mapping[str, str]] = []
        self.token_claims: dict[str, Any] | None = None
        """What a token has that is made for whoever asks at ``/request`` (as GitHub does)."""

    def key_set(self) -> dict[str, Any]:
        """Return the public keys."""
        return {"keys": [self.key.as_dict(private=False), *self.more]}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a good token; a claim that is ``None`` is left out."""
        now = int(NOW.timestamp())
        good = {
            "iss": self.url,
            "sub": "repo:acme/infra:ref:refs/heads/main",
            "aud": AUDIENCE,
            "iat": now - 10,
            "nbf": now - 10,
            "exp": now + 290,
            "jti": "token-1",
            "actor": "alice",
            "repository": "acme/infra",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def sign(
        self,
        claims: Mapping[str, Any] | None = None,
        *,
        header: Mapping[str, Any] | None = None,
        key: RSAKey | ECKey | None = None,
        **changed: Any,
    ) -> str:
        """Sign claims: good ones, with what is ``changed``."""
        key = key or self.key
        kid = {} if key.kid is None else {"kid": key.kid}
        given = {"alg": "RS256", **kid, **(header or {})}
        given = {name: value for name, value in given.items() if value is not None}
        content = dict(self.claims(**changed) if claims is None else claims)
        return jwt.encode(given, content, key, algorithms=[given["alg"]])

    def issuer(self, folder: Path, **changed: Any) -> Issuer:
        """Return the configuration of it, with its keys in a file in ``folder``."""
        file = folder / "keys.json"
        file.write_text(json.dumps(self.key_set()))
        good = {
            "name": "test",
            "issuer": self.url,
            "audience": (AUDIENCE,),
            "operator": "{actor}@github",
            "claims": ("repository",),
            "keys": file,
        }
        return Issuer(**{**good, **changed})

    def answer(self, target: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return what a request gets."""
        path = urlsplit(target).path
        if path in self.documents:
            return self.documents[path]
        if path == "/.well-known/openid-configuration":
            found = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            return 200, {}, json.dumps(found).encode()
        if path == "/keys":
            return 200, {}, json.dumps(self.key_set()).encode()
        if path == "/request" and self.token_claims is not None:
            audience = parse_qs(urlsplit(target).query).get("audience", ["none"])[0]
            token = self.sign(self.claims(**{**self.token_claims, "aud": audience}))
            return 200, {}, json.dumps({"value": token, "oidcToken": token}).encode()
        return 404, {}, b""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[TestIssuer, Path]]:
    """Run an issuer over TLS; yields it, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    issuer = TestIssuer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            issuer.asked.append(self.path)
            issuer.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = issuer.answer(self.path)
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - what http.server calls

        def log_message(self, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer, ca_file
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
