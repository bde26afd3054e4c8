"""The keys of an issuer: from a file, or by OpenID Connect Discovery 1.0, with a bounded cache.

What may be asked, and where it may lead, is decided here: the discovery document comes over TLS
from the issuer's own address and names that issuer; its keys are on the issuer's host, or on one
that the configuration names; nothing is redirected; and no answer is larger than it may be.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from tfgate.audit.files import make_directory, write_whole
from tfgate.errors import IdentityError
from tfgate.model import Frozen
from tfgate.opening import open_file
from tfgate.outbound import AGENT, Peer, shaped

if TYPE_CHECKING:
    import datetime as dt

    from joserfc.jwk import Key

    from tfgate.ruleset.issuers import Issuer

FRESH: Final = 3600
"""Seconds for which the keys of the cache are used without asking."""
AGAIN: Final = 60
"""Seconds after which keys are asked for again because a token names one that is not there."""
OUTAGE: Final = 24 * 3600
"""Seconds for which the keys of the cache are used while the issuer cannot be reached."""
SECONDS: Final = 10
"""How long one request may take."""
MOST_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
_SMALLEST_RSA: Final = 2048
_LARGEST_RSA: Final = 8192
_TYPES: Final = {"R": "RSA", "P": "RSA", "E": "EC"}
"""First letter of an algorithm → type of its key."""
_DISCOVERY: Final = "/.well-known/openid-configuration"


class _KeySet(msgspec.Struct, frozen=True):
    """RFC 7517, section 5."""

    keys: list[dict[str, Any]]


class Discovery(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, section 3: what is needed of it."""

    issuer: str
    jwks_uri: str
    device_authorization_endpoint: str | None = None
    """RFC 8628, section 4."""
    token_endpoint: str | None = None
    revocation_endpoint: str | None = None
    """RFC 8414, section 2."""


class _Cached(msgspec.Struct, frozen=True):
    """What the file of an issuer holds."""

    issuer: str
    fetched: float
    keys: list[dict[str, Any]]


class FoundKey(Frozen, frozen=True):
    """The public key that a token must be signed with."""

    key: Key
    id: str


class Keys:
    """Finds keys. ``cache`` is a folder of the user's alone; the network is asked when needed."""

    def __init__(self, cache: Path, env: Mapping[str, str]) -> None:
        self._cache = cache
        self._env = env

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Keys:
        """Keep the cache where the user's caches are (XDG)."""
        named = env.get("XDG_CACHE_HOME", "")
        home = Path(env.get("HOME") or "~").expanduser()
        base = Path(named) if named and Path(named).is_absolute() else home / ".cache"
        return cls(base / "tfgate" / "issuers", env)

    def find(self, issuer: Issuer, kid: object, algorithm: str, now: dt.datetime) -> FoundKey:
        """Return the key with that id. Raises ``IdentityError`` where there is none.

        A token without a key id is for an issuer that has one key alone.
        """
        if kid is not None and not isinstance(kid, str):
            raise IdentityError(f"The key id in the token of {issuer.name} is not a text.")
        if issuer.keys is not None:
            found = _choose(_of_file(issuer, issuer.keys), kid, algorithm)
        else:
            found = self._of_network(issuer, kid, algorithm, now.timestamp())
        if found is None:
            raise IdentityError(
                f"The token of {issuer.name} is signed with a key that the issuer does not have."
            )
        return _usable(found, kid, issuer)

    def _of_network(
        self, issuer: Issuer, kid: str | None, algorithm: str, now: float
    ) -> dict[str, Any] | None:
        """Choose of the cache while it is fresh, else of what the issuer says now."""
        cached = self._read(issuer)
        age = None if cached is None or cached.fetched > now + AGAIN else now - cached.fetched
        if cached is not None and age is not None and age < FRESH:
            found = _choose(cached.keys, kid, algorithm)
            if found is not None or age < AGAIN:
                return found
        try:
            keys = _fetch(issuer, self._env)
        except IdentityError as error:
            if cached is None or age is None or age > OUTAGE:
                raise
            if (found := _choose(cached.keys, kid, algorithm)) is None:
                raise IdentityError(
                    f"The token of {issuer.name} is signed with a key that is not in the cache, "
                    f"and the issuer cannot be asked: {error.message}"
                ) from None
            return found
        self._write(issuer, _Cached(issuer.issuer, now, keys))
        return _choose(keys, kid, algorithm)

    def _file(self, issuer: Issuer) -> Path:
        return self._cache / f"{hashlib.sha256(issuer.issuer.encode()).hexdigest()}.json"

    def _read(self, issuer: Issuer) -> _Cached | None:
        """Read the cache; ``None`` where there is none, or where another could have written it."""
        try:
            with open_file(self._file(issuer), follow=False) as file:
                facts = os.fstat(file.fileno())
                ours = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) == 0
                if hasattr(os, "getuid"):
                    ours = ours and facts.st_uid == os.getuid()
                data = file.read(MOST_BYTES * 2) if ours else b""
            cached = msgspec.json.decode(data, type=_Cached)
        except (OSError, msgspec.MsgspecError, RecursionError):
            return None
        return cached if cached.issuer == issuer.issuer else None

    def _write(self, issuer: Issuer, cached: _Cached) -> None:
        # Without a cache an outage stops what a cache would carry over it, and nothing else.
        with contextlib.suppress(OSError):
            make_directory(self._cache)
            write_whole(self._file(issuer), msgspec.json.encode(cached))


def _of_file(issuer: Issuer, path: Path) -> list[dict[str, Any]]:
    try:
        with open_file(path) as file:
            everybodys = os.fstat(file.fileno()).st_mode & stat.S_IWOTH
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise IdentityError(
            f"The keys of {issuer.name} cannot be read: {path}: {error.strerror}."
        ) from None
    if everybodys:
        raise IdentityError(
            f"Everybody may write to {path}, so the keys of {issuer.name} in it prove nothing."
        )
    return _key_set(data, f"The file {path} (keys of {issuer.name})")


_Found = TypeVar("_Found", bound=Discovery)


def discover(issuer: Issuer, env: Mapping[str, str], shape: type[_Found]) -> _Found:
    """Ask the issuer what there is of it, as far as ``shape`` says. Raises ``IdentityError``."""
    where = f"The discovery document of {issuer.name}"
    data = _get(issuer.issuer.rstrip("/") + _DISCOVERY, issuer, env, where)
    found = shaped(data, shape)
    if found is None:
        raise IdentityError(f"{where} is not one of OpenID Connect Discovery 1.0.")
    if found.issuer != issuer.issuer:
        raise IdentityError(f"{where} is that of another issuer.")
    return found


def _fetch(issuer: Issuer, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ask the issuer for its keys. Raises ``IdentityError``."""
    found = discover(issuer, env, Discovery)
    if not may_lead_to(found.jwks_uri, issuer):
        raise IdentityError(
            f"The discovery document of {issuer.name} names keys on another host than the "
            "issuer's.",
            hint="If that is right, name the host in keys_hosts.",
        )
    where = f"The key set of {issuer.name}"
    return _key_set(_get(found.jwks_uri, issuer, env, where), where)


def may_lead_to(url: str, issuer: Issuer) -> bool:
    """Whether an address is on the issuer's host, or on one that the configuration names."""
    try:
        parts, own = urlsplit(url), urlsplit(issuer.issuer)
        same = (parts.hostname, parts.port or 443) == (own.hostname, own.port or 443)
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and url.isascii()
    listed = parts.netloc in issuer.keys_hosts
    return parts.scheme == "https" and plain and url.isprintable() and (same or listed)


def _get(url: str, issuer: Issuer, env: Mapping[str, str], where: str) -> bytes:
    peer = Peer(url, seconds=SECONDS, env=env, ca_file=issuer.ca_file, failure=IdentityError)
    headers = {"User-Agent": AGENT, "Accept": "application/json"}
    answer = peer.get(headers, largest=MOST_BYTES + 1)
    if 300 <= answer.status < 400:
        raise IdentityError(f"{where} is redirected elsewhere ({answer.status}), which no key is.")
    if answer.status != 200:
        raise IdentityError(f"{where} cannot be read: {peer.host} answered {answer.status}.")
    if len(answer.body) > MOST_BYTES:
        raise IdentityError(f"{where} has more than {MOST_BYTES:,} bytes.")
    return answer.body


def _key_set(data: bytes, where: str) -> list[dict[str, Any]]:
    if len(data) > MOST_BYTES:
        raise IdentityError(f"{where} has more than {MOST_BYTES:,} bytes.")
    found = shaped(data, _KeySet)
    if found is None:
        raise IdentityError(f"{where} is not a JWK set (RFC 7517).")
    if len(found.keys) > MOST_KEYS:
        raise IdentityError(f"{where} has more than {MOST_KEYS} keys.")
    return found.keys


def _choose(keys: list[dict[str, Any]], kid: str | None, algorithm: str) -> dict[str, Any] | None:
    """Return the one key for signatures of that algorithm with that id; ``None`` for none.

    None either where several fit: the token does not say which of them it means.
    """
    fitting = [
        key
        for key in keys
        if key.get("kty") == _TYPES[algorithm[0]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _usable(found: Mapping[str, Any], kid: str | None, issuer: Issuer) -> FoundKey:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    # Of the public part alone: what else stands there has no bearing on a signature.
    wanted = ("kty", "n", "e") if found["kty"] == "RSA" else ("kty", "crv", "x", "y")
    public = {name: found[name] for name in wanted if isinstance(found.get(name), str)}
    key: Key
    try:
        if found["kty"] == "EC":
            key = ECKey.import_key(public)
        else:
            modulus = base64.urlsafe_b64decode(public["n"] + "==")
            if not _SMALLEST_RSA <= int.from_bytes(modulus, "big").bit_length() <= _LARGEST_RSA:
                raise IdentityError(
                    f"A key of {issuer.name} does not have {_SMALLEST_RSA} to {_LARGEST_RSA} bits."
                )
            key = RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        raise IdentityError(f"A key of {issuer.name} is not one of RFC 7518.") from None
    return FoundKey(key, kid if kid is not None else key.thumbprint())
