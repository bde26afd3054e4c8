"""What a token proves, and everything that makes it prove nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from tests.support.issuers import AUDIENCE, NOW, TestIssuer, rsa_key
from tfgate.errors import IdentityError
from tfgate.identity import Keys, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfgate.identity import Identity

HOUR = 3600
SECONDS = int(NOW.timestamp())


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    """An issuer; its keys take a while to make."""
    return TestIssuer()


@pytest.fixture
def proof(issuer: TestIssuer, tmp_path: Path) -> Callable[..., Identity]:
    """Verify a token at an issuer that is configured as the rest says."""

    def verified(token: str, **configured: Any) -> Identity:
        keys = Keys(tmp_path / "cache", {})
        return verify(token, [issuer.issuer(tmp_path, **configured)], now=NOW, keys=keys)

    return verified


def _part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_good_token(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """It proves an operator, with what the configuration wants to keep of it."""
    operator = proof(issuer.sign()).operator()
    assert operator.name == "alice@github"
    assert operator.verified
    assert operator.source == "test"
    assert operator.issuer == issuer.url
    assert operator.subject == "repo:acme/infra:ref:refs/heads/main"
    assert operator.claims == {"repository": "acme/infra"}
    assert (operator.token_id, operator.key_id) == ("token-1", "key-1")


@pytest.mark.parametrize("signature", ["", "AAAA"])
@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_alg_none(
    issuer: TestIssuer, proof: Callable[..., Identity], name: str, signature: str
) -> None:
    """A token without a signature proves nothing, however that is spelt."""
    header = {"alg": name, "kid": "key-1", "typ": "JWT"}
    token = f"{_part(header)}.{_part(issuer.claims())}.{signature}"
    with pytest.raises(IdentityError, match="algorithm"):
        proof(token)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_as_a_secret(
    issuer: TestIssuer, proof: Callable[..., Identity], algorithm: str
) -> None:
    """Everybody has the public key: a signature made with it as a secret is no signature."""
    header = {"alg": algorithm, "kid": "key-1"}
    signed = f"{_part(header)}.{_part(issuer.claims())}".encode()
    secret = issuer.key.as_pem(private=False)
    digest = hmac.new(secret, signed, getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    with pytest.raises(IdentityError, match="algorithm"):
        proof(f"{signed.decode()}.{_part(digest)}")


def test_a_secret_in_the_key_set(
    issuer: TestIssuer, proof: Callable[..., Identity], tmp_path: Path
) -> None:
    """Even an issuer that publishes one gets no HMAC believed."""
    issuer.more = [{"kty": "oct", "k": _part(b"secret" * 8), "kid": "shared", "alg": "HS256"}]
    try:
        header = {"alg": "HS256", "kid": "shared"}
        signed = f"{_part(header)}.{_part(issuer.claims())}".encode()
        digest = hmac.new(b"secret" * 8, signed, "sha256").digest()
        with pytest.raises(IdentityError, match="algorithm"):
            proof(f"{signed.decode()}.{_part(digest)}")
    finally:
        issuer.more = []


def test_a_key_of_somebody_else(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """The key id is a name for a key that the issuer has, not a proof of having it."""
    other = rsa_key("key-1")
    with pytest.raises(IdentityError, match="signature"):
        proof(issuer.sign(key=other))


@pytest.mark.parametrize(
    "kid",
    [
        "key-2",
        "../../../../tmp/keys.json",
        "https://evil.example/keys",
        "key-1' UNION SELECT 'x",
        "",
    ],
)
def test_a_key_id_that_points_elsewhere(
    issuer: TestIssuer, proof: Callable[..., Identity], kid: str
) -> None:
    """It is looked for in the issuer's set, and nowhere else."""
    other = rsa_key(kid)
    with pytest.raises(IdentityError, match="a key that the issuer does not have"):
        proof(issuer.sign(key=other))


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "crit", "b64"])
def test_a_token_that_brings_its_key(
    issuer: TestIssuer, proof: Callable[..., Identity], name: str
) -> None:
    """Headers by which a token says itself how to verify it are refused."""
    other = rsa_key("key-1")
    values: dict[str, Any] = {
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/certificate",
        "jwk": other.as_dict(private=False),
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": True,
    }
    header = {"alg": "RS256", "kid": "key-1", name: values[name]}
    token = f"{_part(header)}.{_part(issuer.claims())}.{_part(b'x' * 256)}"
    with pytest.raises(IdentityError, match=f"the member {name}, which is never believed"):
        proof(token)


@pytest.mark.parametrize(
    "audience",
    ["tfgate:test", "tfgate:prod2", "tfgate:PROD", "tfgate", "", "sts.amazonaws.com", [], None],
)
def test_another_audience(
    issuer: TestIssuer, proof: Callable[..., Identity], audience: object
) -> None:
    """A token for another gate, or for a cloud, is of no use here: names are exact."""
    with pytest.raises(IdentityError, match="another audience"):
        proof(issuer.sign(aud=audience))


def test_several_audiences(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Each of them could hand the token on, unless the client is named that may have it."""
    token = issuer.sign(aud=[AUDIENCE, "other"], azp="ci")
    with pytest.raises(IdentityError, match="several audiences"):
        proof(token)
    assert proof(token, authorized_party=("ci",)).name == "alice@github"
    with pytest.raises(IdentityError, match="another client"):
        proof(token, authorized_party=("cli",))
    with pytest.raises(IdentityError, match="another client"):
        proof(issuer.sign(), authorized_party=("ci",))
    assert proof(issuer.sign(aud=[AUDIENCE])).name == "alice@github"


def test_another_issuer_with_the_same_subject(
    issuer: TestIssuer, proof: Callable[..., Identity], tmp_path: Path
) -> None:
    """Not listed, it proves nothing; with a listed one's name, its key is not the listed one's."""
    other = TestIssuer("https://evil.example")
    with pytest.raises(IdentityError, match="not in"):
        proof(other.sign())
    for claimed in (f"{issuer.url}/", issuer.url.upper(), f"{issuer.url}.evil.example", "", None):
        with pytest.raises(IdentityError, match="not in"):
            proof(issuer.sign(iss=claimed))
    other.url = issuer.url
    with pytest.raises(IdentityError, match="signature"):
        proof(other.sign())


def test_each_issuer_with_its_own_keys(tmp_path: Path) -> None:
    """Of two listed issuers, neither can speak for the other."""
    one, two = TestIssuer("https://one.example"), TestIssuer("https://two.example")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    listed = [one.issuer(tmp_path / "one", name="one"), two.issuer(tmp_path / "two", name="two")]
    keys = Keys(tmp_path / "cache", {})
    assert verify(two.sign(), listed, now=NOW, keys=keys).source == "two"
    forged = two.sign(iss=one.url)
    with pytest.raises(IdentityError, match="signature is not one of one"):
        verify(forged, listed, now=NOW, keys=keys)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exp": SECONDS - 61}, "has expired"),
        ({"exp": None}, "until when it holds"),
        ({"exp": "2099-01-01"}, "until when it holds"),
        ({"exp": True}, "until when it holds"),
        ({"exp": 10**400}, "until when it holds"),
        ({"nbf": SECONDS + 61}, "does not hold yet"),
        ({"nbf": "soon"}, "until when it holds"),
        ({"iat": SECONDS + 61}, "does not hold yet"),
        ({"iat": None}, "until when it holds"),
        ({"iat": SECONDS - 25 * HOUR, "nbf": None}, "more than 24 hours ago"),
    ],
)
def test_times(
    issuer: TestIssuer, proof: Callable[..., Identity], changed: dict[str, Any], words: str
) -> None:
    """Neither early nor late, by a minute at most; and it must say until when."""
    with pytest.raises(IdentityError, match=words):
        proof(issuer.sign(**changed))


def test_clocks_may_differ_by_a_minute(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """An expiry of 59 seconds ago holds, and so does a beginning in 59 seconds."""
    assert proof(issuer.sign(exp=SECONDS - 59))
    assert proof(issuer.sign(nbf=SECONDS + 59, iat=SECONDS + 59))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_end_that_is_no_number(
    issuer: TestIssuer, proof: Callable[..., Identity], value: float
) -> None:
    """NaN would never be over."""
    with pytest.raises(IdentityError, match="until when"):
        proof(issuer.sign(exp=value))


def test_conditions(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Each must hold: by glob, for one of an array, with true and numbers as they are written."""
    claims = {"ref_protected": "true", "admin": True, "number": 7, "none": []}
    token = issuer.sign(**claims, groups=["dev", "ops-eu"], deep={"a": {"b.c": "x"}})
    good = [
        {"repository": ("acme/*",)},
        {"repository": ("other/*", "acme/*")},
        {"ref_protected": ("true",), "admin": ("true",), "number": ("7",)},
        {"groups": ("ops-*",)},
        {'deep.a."b.c"': ("x",)},
    ]
    for conditions in good:
        assert proof(token, conditions=conditions)
    bad = [
        {"repository": ("acme",)},
        {"repository": ("Acme/*",)},
        {"repository": ("acme/[a-z]*",)},
        {"admin": ("True",)},
        {"groups": ("ops",)},
        {"none": ("*",)},
        {"missing": ("*",)},
        {"deep": ("*",)},
        {"deep.a": ("*",)},
        {"deep.a.b.c": ("x",)},
        {"repository": ("acme/*",), "missing": ("*",)},
    ]
    for conditions in bad:
        with pytest.raises(IdentityError, match="which the configuration asks for"):
            proof(token, conditions=conditions)


def test_tables_of_one_issuer(issuer: TestIssuer, tmp_path: Path) -> None:
    """The first counts whose conditions hold."""
    first = issuer.issuer(tmp_path, name="apps", conditions={"repository": ("acme/app-*",)})
    second = issuer.issuer(tmp_path, name="infra", conditions={"repository": ("acme/infra",)})
    keys = Keys(tmp_path / "cache", {})
    assert verify(issuer.sign(), [first, second], now=NOW, keys=keys).source == "infra"
    assert verify(issuer.sign(), [second, first], now=NOW, keys=keys).source == "infra"
    token = issuer.sign(repository="acme/other")
    with pytest.raises(IdentityError, match="repository that is acme/infra"):
        verify(token, [first, second], now=NOW, keys=keys)


@pytest.mark.parametrize(
    "actor",
    [
        "ali\nce",
        "alice\x1b[31m",
        "\u202ealice",
        "ali\u200bce",
        "alice\u3164",
        "\ud800",
        "",
        " ",
        ["alice"],
        {"x": 1},
        None,
    ],
)
def test_a_name_that_cannot_be_shown(
    issuer: TestIssuer, proof: Callable[..., Identity], actor: object
) -> None:
    """A claim that names the operator is one line that shows, or the token proves nothing."""
    claims = {**issuer.claims(), "actor": actor}
    if actor == "\ud800":
        header = {"alg": "RS256", "kid": "key-1"}
        token = f"{_part(header)}.{_part(claims)}.{_part(b'x' * 256)}"
    else:
        token = issuer.sign(claims)
    with pytest.raises(IdentityError):
        proof(token)


@pytest.mark.parametrize("subject", ["", " ", "a\nb", "\u202eb", "x" * 1001, 7, None])
def test_a_subject_that_names_nobody(
    issuer: TestIssuer, proof: Callable[..., Identity], subject: object
) -> None:
    """Who it is, is what a record stands on."""
    with pytest.raises(IdentityError, match="subject"):
        proof(issuer.sign(sub=subject))


def test_claims_that_are_kept(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Those that the configuration names, with nothing in them that a terminal obeys."""
    claims = {"ref": "refs/heads/x\x1b[2J\n", "groups": ["a", 1, {"b": 2}], "big": 10**400}
    token = issuer.sign(**claims, deep={"n": {"s": "web"}}, flag=False)
    wanted = ("ref", "groups", "deep.n.s", "missing", "deep", "big", "flag")
    kept = proof(token, claims=wanted).claims
    assert kept == {
        "ref": "refs/heads/x\ufffd[2J",
        "groups": ("a", "1"),
        "deep.n.s": "web",
        "flag": False,
    }


def test_templates(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Claims stand in braces; what a claim brings is never a template itself."""
    token = issuer.sign(actor="{sub}", email="a@acme.example", deep={"n": "x"})
    assert proof(token, operator="{actor} of {deep.n}").name == "{sub} of x"
    assert proof(token, operator="{email}").name == "a@acme.example"
    with pytest.raises(IdentityError, match="has no claim nothing, which names the operator"):
        proof(token, operator="{nothing}")
    with pytest.raises(IdentityError, match="not verified"):
        proof(issuer.sign(email="a@acme.example", email_verified=False), operator="{email}")
    with pytest.raises(IdentityError, match="too long"):
        proof(issuer.sign(actor="x" * 257))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "e30.e30.", "x" * 20_000, "é.é.é", "a" * 100, "{}", "[].[].[]"],
)
def test_what_is_no_token(proof: Callable[..., Identity], token: str) -> None:
    """It is refused in a sentence."""
    with pytest.raises(IdentityError):
        proof(token)


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"{", b"\xff", b"[" * 5000, b"null"])
def test_a_payload_that_is_no_object(proof: Callable[..., Identity], payload: bytes) -> None:
    """The same."""
    token = f"{_part({'alg': 'RS256', 'kid': 'key-1'})}.{_part(payload)}.{_part(b'x')}"
    with pytest.raises(IdentityError, match="not a signed JSON Web Token"):
        proof(token)


def test_a_token_of_another_type(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """An access token or a logout token of the same issuer is no proof of who runs anything."""
    for kind in ("at+jwt", "logout+jwt", "secevent+jwt"):
        with pytest.raises(IdentityError, match="made for something else"):
            proof(issuer.sign(header={"typ": kind}))


def test_any_changed_part(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Header, claims and signature belong together."""
    head, claims, signature = issuer.sign().split(".")
    changed = _part({**issuer.claims(), "actor": "root"})
    for token in (
        f"{head}.{changed}.{signature}",
        f"{_part({'alg': 'RS512', 'kid': 'key-1'})}.{claims}.{signature}",
        f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{head}.{claims}.",
    ):
        with pytest.raises(IdentityError):
            proof(token)


def test_elliptic_curves(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """The algorithm must fit the key: its type, and what the key says it is for."""
    key = ECKey.generate_key("P-256", {"kid": "ec"})
    issuer.more = [key.as_dict(private=False)]
    try:
        token = issuer.sign(header={"alg": "ES256"}, key=key)
        assert proof(token).key_id == "ec"
        with pytest.raises(IdentityError):
            proof(issuer.sign(header={"kid": "ec"}))
        issuer.more = [{**key.as_dict(private=False), "use": "enc"}]
        with pytest.raises(IdentityError, match="a key that the issuer does not have"):
            proof(token)
    finally:
        issuer.more = []


def test_a_token_without_a_key_id(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """One key alone can be meant, or none is."""
    token = issuer.sign(header={"kid": None})
    assert proof(token).key_id == issuer.key.thumbprint()
    issuer.more = [rsa_key("key-2").as_dict(private=False)]
    try:
        with pytest.raises(IdentityError, match="a key that the issuer does not have"):
            proof(token)
    finally:
        issuer.more = []


def test_errors_show_nothing_of_a_token(issuer: TestIssuer, proof: Callable[..., Identity]) -> None:
    """Neither the token nor a claim stands in an error: a log has both soon enough."""
    canary = "canary0123456789"
    tokens = [
        issuer.sign(aud=canary),
        issuer.sign(iss=canary),
        issuer.sign(sub=f"{canary}\n"),
        issuer.sign(repository=canary),
        issuer.sign(header={"kid": canary}),
        issuer.sign(jti=canary, exp=1),
        canary,
    ]
    for token in tokens:
        with pytest.raises(IdentityError) as error:
            proof(token, conditions={"repository": ("acme/*",)})
        assert canary not in str(error.value)
        assert token not in str(error.value)
