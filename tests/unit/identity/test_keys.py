"""Where the keys of an issuer come from, and what happens when it is down, slow or hostile."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.issuers import AUDIENCE, NOW, TestIssuer, rsa_key, served
from tfgate.errors import IdentityError
from tfgate.identity import Keys, verify
from tfgate.ruleset.issuers import Issuer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[TestIssuer, Path]]:
    """An issuer over TLS, and who vouches for it."""
    with served(tmp_path) as both:
        yield both


class Gate:
    """Verifies tokens of one issuer, with a cache and a clock."""

    def __init__(self, serving: tuple[TestIssuer, Path], folder: Path, **changed: Any) -> None:
        self.issuer, ca_file = serving
        self.cache = folder / "cache"
        good = {
            "name": "acme",
            "issuer": self.issuer.url,
            "audience": (AUDIENCE,),
            "operator": "{actor}",
            "ca_file": ca_file,
        }
        self.configured = Issuer(**{**good, **changed})
        self.now = NOW

    def proves(self, token: str | None = None) -> str:
        """Return the operator's name; the token is as old as the clock, unless one is given."""
        if token is None:
            now = int(self.now.timestamp())
            token = self.issuer.sign(iat=now, nbf=now, exp=now + 300)
        keys = Keys(self.cache, {})
        return verify(token, [self.configured], now=self.now, keys=keys).name

    def later(self, **by: float) -> None:
        """Move the clock."""
        self.now += dt.timedelta(**by)


@pytest.fixture
def gate(serving: tuple[TestIssuer, Path], tmp_path: Path) -> Gate:
    """A gate that has asked for nothing yet."""
    return Gate(serving, tmp_path)


def test_keys_are_found_from_the_issuer(gate: Gate) -> None:
    """By the discovery document, once an hour."""
    assert gate.proves() == "alice"
    assert gate.issuer.asked == [DISCOVERY, "/keys"]
    gate.later(minutes=59)
    assert gate.proves() == "alice"
    assert len(gate.issuer.asked) == 2
    gate.later(minutes=2)
    assert gate.proves() == "alice"
    assert len(gate.issuer.asked) == 4


def test_the_cache_is_the_users_alone(gate: Gate) -> None:
    """Whoever can write in it could sign for the issuer: such a file is not believed."""
    gate.proves()
    (file,) = gate.cache.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert gate.cache.stat().st_mode & 0o777 == 0o700
    for prepare in (lambda: file.chmod(0o666), lambda: file.chmod(0o620), lambda: _link(file)):
        gate.issuer.asked.clear()
        prepare()
        gate.proves()
        assert gate.issuer.asked == [DISCOVERY, "/keys"]


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def test_a_broken_cache_is_none(gate: Gate) -> None:
    """The issuer is asked."""
    gate.proves()
    (file,) = gate.cache.iterdir()
    other = json.loads(file.read_bytes())
    for data in (b"", b"{", b"[" * 9000, json.dumps({**other, "issuer": "https://x"}).encode()):
        file.write_bytes(data)
        gate.issuer.asked.clear()
        assert gate.proves() == "alice"
        assert gate.issuer.asked == [DISCOVERY, "/keys"]


def test_a_cache_that_cannot_be_written_changes_nothing(gate: Gate, tmp_path: Path) -> None:
    """It only saves asking."""
    gate.cache = tmp_path / "file"
    gate.cache.write_text("")
    assert gate.proves() == "alice"


def test_a_new_key(gate: Gate) -> None:
    """A token that is signed with it has the issuer asked again, at most once a minute."""
    gate.proves()
    gate.issuer.key = rsa_key("key-2")
    gate.later(seconds=30)
    with pytest.raises(IdentityError, match="a key that the issuer does not have"):
        gate.proves()
    assert len(gate.issuer.asked) == 2
    gate.later(seconds=31)
    assert gate.proves() == "alice"
    assert len(gate.issuer.asked) == 4


def test_a_key_that_was_taken_back(gate: Gate) -> None:
    """It holds until the cache is an hour old, and no longer."""
    old = gate.issuer.key
    gate.proves()
    gate.issuer.key = rsa_key("key-2")

    def by_the_old_one() -> str:
        now = int(gate.now.timestamp())
        return gate.proves(gate.issuer.sign(key=old, iat=now, nbf=now, exp=now + 300))

    gate.later(minutes=59)
    assert by_the_old_one() == "alice"
    gate.later(minutes=2)
    with pytest.raises(IdentityError, match="a key that the issuer does not have"):
        by_the_old_one()


def test_an_issuer_that_is_down(gate: Gate) -> None:
    """What the cache has is used for a day, then nobody is proven any more."""
    gate.proves()
    gate.issuer.documents[DISCOVERY] = (503, {}, b"")
    gate.later(hours=23)
    assert gate.proves() == "alice"
    gate.later(hours=2)
    with pytest.raises(IdentityError, match="answered 503"):
        gate.proves()
    gate.issuer.documents.clear()
    assert gate.proves() == "alice"


def test_an_issuer_that_is_down_from_the_beginning(gate: Gate) -> None:
    """Without a cache nobody is proven."""
    gate.issuer.documents["/keys"] = (500, {}, b"")
    with pytest.raises(IdentityError, match=r"key set of acme cannot be read: .* answered 500"):
        gate.proves()


def test_a_key_that_is_not_in_the_cache_while_the_issuer_is_down(gate: Gate) -> None:
    """It is said that the issuer could not be asked."""
    gate.proves()
    gate.issuer.key = rsa_key("key-2")
    gate.issuer.documents[DISCOVERY] = (503, {}, b"")
    gate.later(hours=2)
    with pytest.raises(IdentityError, match=r"cannot be asked: .* answered 503"):
        gate.proves()


def test_a_clock_that_was_set_back(gate: Gate) -> None:
    """A cache from the future is no cache: it might never end."""
    gate.later(days=400)
    gate.proves()
    gate.now = NOW
    gate.issuer.documents[DISCOVERY] = (503, {}, b"")
    with pytest.raises(IdentityError, match="answered 503"):
        gate.proves()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
def test_redirects(gate: Gate, path: str, status: int) -> None:
    """No key comes from where an answer leads."""
    gate.issuer.documents[path] = (status, {"location": f"{gate.issuer.url}/keys"}, b"")
    with pytest.raises(IdentityError, match="redirected"):
        gate.proves()
    assert gate.issuer.asked[-1] == path


@pytest.mark.parametrize("issuer", ["https://evil.example", "{url}/", "{URL}", None, 7])
def test_a_discovery_document_of_another_issuer(gate: Gate, issuer: object) -> None:
    """It must name the issuer it was got from, to the letter."""
    if isinstance(issuer, str):
        issuer = issuer.format(url=gate.issuer.url, URL=gate.issuer.url.upper())
    found = {"issuer": issuer, "jwks_uri": f"{gate.issuer.url}/keys"}
    gate.issuer.documents[DISCOVERY] = (200, {}, json.dumps(found).encode())
    with pytest.raises(IdentityError, match="The discovery document of acme is"):
        gate.proves()
    assert gate.issuer.asked == [DISCOVERY]


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/keys",
        "http://127.0.0.1/keys",
        "http://{host}/keys",
        "https://127.0.0.1:1/keys",
        "https://u:p@{host}/keys",
        "https://{host}@evil.example/keys",
        "file:///etc/passwd",
        "//{host}/keys",
        "/keys",
        "",
        "https://[/keys",
        "https://{host}:x/keys",
        "https://{host}/ke\r\nys",
    ],
)
def test_keys_that_are_elsewhere(gate: Gate, place: str) -> None:
    """The document may lead to the issuer's own host, over TLS, and nowhere else."""
    host = gate.issuer.url.removeprefix("https://")
    found = {"issuer": gate.issuer.url, "jwks_uri": place.format(host=host)}
    gate.issuer.documents[DISCOVERY] = (200, {}, json.dumps(found).encode())
    with pytest.raises(IdentityError, match="names keys on another host"):
        gate.proves()
    assert gate.issuer.asked == [DISCOVERY]


def test_a_host_for_keys_that_the_configuration_names(
    serving: tuple[TestIssuer, Path], tmp_path: Path
) -> None:
    """Google's keys are on another host than Google's issuer."""
    issuer = serving[0]
    port = issuer.url.rpartition(":")[2]
    found = {"issuer": issuer.url, "jwks_uri": f"https://localhost:{port}/keys"}
    issuer.documents[DISCOVERY] = (200, {}, json.dumps(found).encode())
    with pytest.raises(IdentityError, match="another host"):
        Gate(serving, tmp_path).proves()
    assert Gate(serving, tmp_path, keys_hosts=(f"localhost:{port}",)).proves() == "alice"


def test_a_thousand_keys(gate: Gate) -> None:
    """A set is small, or it is refused."""
    gate.issuer.more = [{"kty": "RSA", "n": "x", "e": "AQAB", "kid": str(i)} for i in range(1000)]
    with pytest.raises(IdentityError, match="more than 100 keys"):
        gate.proves()


@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
def test_ten_megabytes(gate: Gate, path: str) -> None:
    """Of an answer that is too large no more than a little is read."""
    body = json.dumps({"keys": [], "x": "y" * 10_000_000}).encode()
    gate.issuer.documents[path] = (200, {}, body)
    with pytest.raises(IdentityError, match="has more than 262,144 bytes"):
        gate.proves()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"keys": {}}', b'{"keys": [1]}', b"[" * 99_999, b"\xff" * 9]
)
@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
def test_what_is_no_document(gate: Gate, path: str, body: bytes) -> None:
    """It is refused in a sentence."""
    gate.issuer.documents[path] = (200, {}, body)
    with pytest.raises(IdentityError):
        gate.proves()


@pytest.mark.parametrize(
    "changed",
    [
        {"n": "AQAB"},
        {"n": "A" * 3000},
        {"n": "!!"},
        {"e": ""},
        {"e": "AA"},
        {"n": None},
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "PS256"},
        {"kid": 7},
    ],
)
def test_a_key_that_is_none(gate: Gate, changed: dict[str, Any]) -> None:
    """Too small, too large, for something else, or no key at all."""
    key = {**gate.issuer.key.as_dict(private=False), **changed}
    body = json.dumps({"keys": [{name: each for name, each in key.items() if each is not None}]})
    gate.issuer.documents["/keys"] = (200, {}, body.encode())
    with pytest.raises(IdentityError, match="key"):
        gate.proves()


def test_a_small_key(gate: Gate) -> None:
    """A thousand bits can be taken apart."""
    with pytest.warns(match="2048"):
        small = rsa_key("small", bits=1024)
    gate.issuer.more = [small.as_dict(private=False)]
    with pytest.raises(IdentityError, match="does not have 2048 to 8192 bits"):
        gate.proves(gate.issuer.sign(key=small))


def test_two_keys_with_one_id(gate: Gate) -> None:
    """Which of them is meant cannot be told."""
    other = rsa_key("key-1")
    gate.issuer.more = [other.as_dict(private=False)]
    with pytest.raises(IdentityError, match="a key that the issuer does not have"):
        gate.proves()


def test_a_certificate_that_nobody_vouches_for(
    serving: tuple[TestIssuer, Path], tmp_path: Path
) -> None:
    """Keys come over TLS, or not at all."""
    with pytest.raises(IdentityError, match=r"certificate of 127\.0\.0\.1 is not to be trusted"):
        Gate(serving, tmp_path, ca_file=None).proves()
    assert serving[0].asked == []


def test_a_certificate_of_another_host(serving: tuple[TestIssuer, Path], tmp_path: Path) -> None:
    """The same."""
    port = serving[0].url.rpartition(":")[2]
    gate = Gate(serving, tmp_path, issuer=f"https://127.0.0.2:{port}")
    gate.issuer.url = f"https://127.0.0.2:{port}"
    with pytest.raises(IdentityError, match=r"not to be trusted|cannot be reached"):
        gate.proves()


def test_keys_in_a_file_need_no_network(tmp_path: Path) -> None:
    """A gate without a network has them in a file, and asks nobody."""
    issuer = TestIssuer("https://nowhere.invalid")
    configured = issuer.issuer(tmp_path)
    keys = Keys(tmp_path / "cache", {})
    assert verify(issuer.sign(), [configured], now=NOW, keys=keys).name == "alice@github"
    assert not (tmp_path / "cache").exists()
    (tmp_path / "keys.json").unlink()
    with pytest.raises(IdentityError, match=r"keys\.json: No such file"):
        verify(issuer.sign(), [configured], now=NOW, keys=keys)
    os.mkfifo(tmp_path / "keys.json")
    with pytest.raises(IdentityError, match="pipe"):
        verify(issuer.sign(), [configured], now=NOW, keys=keys)


def test_a_file_of_keys_that_everybody_may_write_to(tmp_path: Path) -> None:
    """Whoever can write to it could sign for the issuer."""
    issuer = TestIssuer()
    configured = issuer.issuer(tmp_path)
    (tmp_path / "keys.json").chmod(0o666)
    with pytest.raises(IdentityError, match="Everybody may write to"):
        verify(issuer.sign(), [configured], now=NOW, keys=Keys(tmp_path / "cache", {}))


def test_a_file_of_keys_that_is_too_large(tmp_path: Path) -> None:
    """The bounds are the same."""
    issuer = TestIssuer()
    configured = issuer.issuer(tmp_path)
    keys = Keys(tmp_path / "cache", {})
    (tmp_path / "keys.json").write_bytes(b" " * 300_000)
    with pytest.raises(IdentityError, match="more than 262,144 bytes"):
        verify(issuer.sign(), [configured], now=NOW, keys=keys)


def test_the_cache_is_where_caches_are(tmp_path: Path) -> None:
    """By XDG_CACHE_HOME, else below the home directory."""
    for env, place in (
        ({"XDG_CACHE_HOME": str(tmp_path)}, tmp_path),
        ({"XDG_CACHE_HOME": "relative", "HOME": str(tmp_path)}, tmp_path / ".cache"),
    ):
        assert Keys.of(env)._cache == place / "tfgate" / "issuers"
