"""Keys: of signatures, of tokens at rest, of links."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tfgate.errors import TfgateError, UsageError
from tfgate.opening import read_file

PREFIX = "TFGATE_SERVER_"


def read_secret(env: Mapping[str, str], name: str) -> str | None:
    """Return ``TFGATE_SERVER_<NAME>``, or the content of the file that ``…_FILE`` names."""
    value = env.get(PREFIX + name)
    if value:
        return value
    named = env.get(f"{PREFIX}{name}_FILE")
    if not named:
        return None
    try:
        text = read_file(named).decode("utf-8").strip()
    except (OSError, UnicodeError):
        raise UsageError(f"{PREFIX}{name}_FILE names a file that cannot be read.") from None
    return text or None


def is_signed(body: bytes, signature: str, keys: Sequence[str]) -> bool:
    """Whether ``signature`` is the hex HMAC-SHA512 of the body by one of the keys.

    Every key is tried in constant time, whichever fits.
    """
    given = signature.strip().lower().encode("utf-8", "replace")
    fits = False
    for key in keys:
        wanted = hmac.new(key.encode(), body, hashlib.sha512).hexdigest().encode()
        fits |= hmac.compare_digest(wanted, given)
    return fits


class Signer:
    """Signs texts for one purpose. The first key signs; the others are still understood."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def sign(self, text: str) -> str:
        """Sign a text (hex)."""
        return _mac(self._keys[0], text)

    def is_ours(self, text: str, signature: str) -> bool:
        """Whether the signature is by one of the keys, in constant time."""
        given = signature.encode("utf-8", "replace")
        fits = [hmac.compare_digest(_mac(key, text).encode(), given) for key in self._keys]
        return any(fits)


class Vault:
    """Encrypts tokens at rest (Fernet: AES-128-CBC and HMAC-SHA256), and signs links and sessions.

    The first secret encrypts and signs; the others are still understood, so that a secret can be
    changed while tasks are open.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._box = MultiFernet([Fernet(_derive(s, b"tfgate tokens", 32)) for s in secrets])
        self.links = Signer([_derive(secret, b"tfgate links", 32) for secret in secrets])
        self.sessions = Signer([_derive(secret, b"tfgate sessions", 32) for secret in secrets])

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Vault:
        """Make the vault of ``TFGATE_SERVER_SECRET`` and ``…_SECRET_PREVIOUS``."""
        secret = read_secret(env, "SECRET")
        if secret is None or len(secret) < 32:
            raise UsageError(
                "TFGATE_SERVER_SECRET must hold at least 32 characters: access tokens are "
                "encrypted with it.",
                hint="Make one with: openssl rand -hex 32",
            )
        previous = read_secret(env, "SECRET_PREVIOUS")
        return cls([secret, *([previous] if previous else [])])

    def seal(self, token: str) -> bytes:
        """Encrypt a token."""
        return self._box.encrypt(token.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt a token. Raises ``TfgateError`` where it was sealed by a key that is gone."""
        try:
            return self._box.decrypt(sealed).decode()
        except InvalidToken:
            raise TfgateError(
                "An access token was encrypted with another secret.",
                hint="Give the old one as TFGATE_SERVER_SECRET_PREVIOUS.",
            ) from None


def _derive(secret: str, purpose: bytes, length: int) -> bytes:
    """Make a key of its own for each purpose (RFC 5869); URL-safe base64, as Fernet wants it."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    kdf = HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose)
    return base64.urlsafe_b64encode(kdf.derive(secret.encode()))


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


# Links to the page of a decision: signed, and only for a time.


class Links:
    """Makes and checks links. A link shows one decision, to whoever has it, until it expires."""

    def __init__(self, vault: Vault, base: str, hours: int) -> None:
        self._signer = vault.links
        self._base = base.rstrip("/")
        self._seconds = hours * 3600

    def make(self, key: str, now: float) -> str:
        """Return the link to a task's page."""
        expires = str(int(now) + self._seconds)
        signature = self._signer.sign(f"{key}\n{expires}")
        query = urlencode({"expires": expires, "signature": signature})
        return f"{self._base}/decisions/{quote(key, safe='')}?{query}"

    def opens(self, key: str, expires: str, signature: str, now: float) -> bool:
        """Whether these parts of a link are ours and not yet expired."""
        if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
            return False
        return self._signer.is_ours(f"{key}\n{expires}", signature) and int(expires) > now
