"""Tokens of a real provider: panva's certified oidc-provider, over TLS."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest

from tests.support.oidc_provider import CLIENT, CLIENT_SECRET, OidcProvider
from tfgate.errors import IdentityError
from tfgate.identity import Keys, verify
from tfgate.ruleset.issuers import Issuer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
CALLBACK = "https://localhost/callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """A provider that knows Alice."""
    provider = OidcProvider(tmp_path_factory.mktemp("provider"), CALLBACK)
    provider.people({"alice": {"email": "alice@acme.example", "email_verified": True}})
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def tokens(provider: OidcProvider) -> dict[str, str]:
    """What Alice's client gets for her login: code flow with PKCE, as a browser does it."""
    context = ssl.create_default_context(cafile=str(provider.ca))
    with httpx.Client(verify=context, follow_redirects=False) as browser:
        return _log_in(browser, provider.url, "alice")


def _log_in(browser: httpx.Client, url: str, person: str) -> dict[str, str]:
    secret = "v" * 64
    digest = hashlib.sha256(secret.encode()).digest()
    asked = {
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    at = f"{url}/auth?{urlencode(asked)}"
    for _ in range(10):
        answer = browser.get(at)
        if form := re.search(r'action="([^"]+)"', answer.text):
            answer = browser.post(
                urljoin(at, form[1]), data={"prompt": "login", "login": person, "password": "x"}
            )
        at = urljoin(at, answer.headers["location"])
        if at.startswith(CALLBACK):
            break
    got = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(at).query)["code"][0],
        "redirect_uri": CALLBACK,
        "code_verifier": secret,
    }
    answer = browser.post(f"{url}/token", data=got, auth=(CLIENT, CLIENT_SECRET))
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def issuer_of(provider: OidcProvider, **changed: object) -> Issuer:
    """The configuration that the provider's owner writes."""
    good: dict[str, object] = {
        "name": "acme",
        "issuer": provider.url,
        "audience": (CLIENT,),
        "operator": "{sub}@acme",
        "ca_file": provider.ca,
    }
    return Issuer(**{**good, **changed})  # type: ignore[arg-type]


def test_its_token_proves_who_logged_in(
    provider: OidcProvider, tokens: dict[str, str], tmp_path: Path
) -> None:
    """By keys that are found from its own discovery document."""
    now = dt.datetime.now(dt.timezone.utc)
    keys = Keys(tmp_path / "cache", {})
    found = verify(tokens["id_token"], [issuer_of(provider)], now=now, keys=keys)
    assert (found.name, found.issuer, found.subject) == ("alice@acme", provider.url, "alice")
    assert found.key_id
    provided = (tmp_path / "cache").iterdir()
    assert [file.stat().st_mode & 0o777 for file in provided] == [0o600]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"audience": ("tfgate:prod",)}, "another audience"),
        ({"authorized_party": ("other",)}, "another client"),
        ({"conditions": {"groups": ("infra",)}}, "which the configuration asks for"),
        ({"operator": "{email}"}, "has no claim email"),
    ],
)
def test_its_token_is_no_proof_for_others(
    provider: OidcProvider,
    tokens: dict[str, str],
    tmp_path: Path,
    changed: dict[str, object],
    words: str,
) -> None:
    """Whatever the configuration asks for beyond what the provider says."""
    now = dt.datetime.now(dt.timezone.utc)
    keys = Keys(tmp_path / "cache", {})
    with pytest.raises(IdentityError, match=words):
        verify(tokens["id_token"], [issuer_of(provider, **changed)], now=now, keys=keys)


def test_its_access_token_proves_nobody(
    provider: OidcProvider, tokens: dict[str, str], tmp_path: Path
) -> None:
    """It lets in at the provider, and is no token of RFC 7519."""
    now = dt.datetime.now(dt.timezone.utc)
    keys = Keys(tmp_path / "cache", {})
    with pytest.raises(IdentityError, match="not a signed JSON Web Token"):
        verify(tokens["access_token"], [issuer_of(provider)], now=now, keys=keys)


def test_after_an_hour_its_token_is_over(
    provider: OidcProvider, tokens: dict[str, str], tmp_path: Path
) -> None:
    """It says itself until when it holds."""
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1, minutes=2)
    keys = Keys(tmp_path / "cache", {})
    with pytest.raises(IdentityError, match="has expired"):
        verify(tokens["id_token"], [issuer_of(provider)], now=later, keys=keys)
