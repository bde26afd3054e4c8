"""Whatever a token is made of, it is believed, or refused in a sentence."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.issuers import NOW, TestIssuer
from tfgate.errors import IdentityError
from tfgate.identity import Keys, verify
from tfgate.model.text import is_printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.identity import Identity

    Prove = Callable[[str], Identity]

ISSUER = TestIssuer()
WANTED = ("actor", "sub", "a.b", "groups", "deep", "ref")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "azp", *WANTED, "a"])
CLAIMS = st.dictionaries(NAMES, VALUES, max_size=6)
HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jku", "crit", "b64", "cty", "x"]), VALUES, max_size=4
)


@pytest.fixture(scope="module")
def prove(tmp_path_factory: pytest.TempPathFactory) -> Prove:
    """Verify a token of the issuer."""
    folder = tmp_path_factory.mktemp("issuer")
    configured = ISSUER.issuer(folder, operator="{actor} {a.b}", claims=WANTED)
    keys = Keys(folder / "cache", {})
    return lambda token: verify(token, [configured], now=NOW, keys=keys)


def refused(prove: Prove, token: str) -> None:
    """Verify what cannot be believed."""
    with pytest.raises(IdentityError) as error:
        prove(token)
    assert str(error.value).isprintable()


def part(value: object) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_any_text(prove: Prove, text: str) -> None:
    """No text is a token by accident, and none is an error that nobody foresaw."""
    refused(prove, text)


@given(HEADERS, CLAIMS, st.binary(max_size=300))
def test_any_header_and_signature(
    prove: Prove, header: dict[str, Any], claims: Any, signature: bytes
) -> None:
    """Neither is one that nobody has signed."""
    header = {"alg": "RS256", "kid": "key-1", **header}
    sealed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    refused(prove, f"{part(header)}.{part({**ISSUER.claims(), **claims})}.{sealed}")


@settings(deadline=None)
@given(CLAIMS)
def test_any_claims_that_the_issuer_signs(prove: Prove, claims: dict[str, Any]) -> None:
    """The issuer may say anything: a record can hold what is kept of it, and a terminal show it."""
    try:
        token = ISSUER.sign({**ISSUER.claims(a={"b": "x"}), **claims})
        found = prove(token)
    except (IdentityError, UnicodeEncodeError):  # half a surrogate pair cannot be signed
        return
    operator = found.operator()
    assert operator.verified
    assert is_printable(operator.name)
    assert (operator.issuer, operator.subject) == (ISSUER.url, {**ISSUER.claims(), **claims}["sub"])
    for value in operator.claims.values():
        for one in value if isinstance(value, tuple) else [value]:
            assert str(one).isprintable()
    assert msgspec.convert(msgspec.to_builtins(operator), type(operator)) == operator
