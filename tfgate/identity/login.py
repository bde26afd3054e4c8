"""A person at a terminal logs in at the organisation's provider: the device flow (RFC 8628).

What is kept: the ID token and the refresh token, in the system's keyring, or where there is none in
a file of the owner's alone. The ID token proves the same as one of a CI job, and is verified alike
(`tfgate.identity.token`) each time that it is used; its audience is the client.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from tfgate.audit.files import make_directory, write_whole
from tfgate.errors import IdentityError
from tfgate.identity.keys import Discovery, Keys, discover, may_lead_to
from tfgate.identity.token import MOST, verify
from tfgate.opening import open_file
from tfgate.outbound import AGENT, Peer, shaped

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.identity.token import Identity
    from tfgate.ruleset.issuers import Issuer

SCOPE: Final = "openid profile email offline_access"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
LONGEST_WAIT: Final = 1800
"""Seconds for which somebody may take to log in, whatever the provider says."""
_SECONDS: Final = 15
_SERVICE: Final = "tfgate"
_MOST_BYTES: Final = 4 * MOST


class Device(msgspec.Struct, frozen=True):
    """RFC 8628, section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    verification_uri_complete: str | None = None
    interval: int = 5


class _Tokens(msgspec.Struct, frozen=True):
    """RFC 6749, section 5.1, as far as anything of it is used."""

    id_token: str | None = None
    refresh_token: str | None = None


class _Refused(msgspec.Struct, frozen=True):
    """RFC 6749, section 5.2."""

    error: str


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a login."""

    issuer: str
    client_id: str
    subject: str
    id_token: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "Kept(…)"


# --- Logging in.


def ask_for_code(issuer: Issuer, env: Mapping[str, str]) -> Device:
    """Ask the provider for a code that a person enters. Raises ``IdentityError``."""
    url = _endpoint(issuer, env, "device_authorization_endpoint")
    fields = {"client_id": str(issuer.client_id), "scope": SCOPE}
    status, body = _post(url, fields, issuer, env)
    device = shaped(body, Device) if status == 200 else None
    if device is None:
        raise IdentityError(f"{issuer.name} gives no code to log in with: it answered {status}.")
    shown = (device.user_code, device.verification_uri, device.verification_uri_complete or "")
    addresses = [url for url in shown[1:] if url]
    if (
        not all(text.isascii() and text.isprintable() and len(text) <= 2_000 for text in shown)
        or len(device.user_code) > 64
        or any(urlsplit(url).scheme != "https" for url in addresses)
    ):
        raise IdentityError(f"{issuer.name} gives a code or an address that cannot be shown.")
    return device


def wait_for_login(
    issuer: Issuer,
    device: Device,
    env: Mapping[str, str],
    *,
    now: Callable[[], dt.datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Identity, Kept]:
    """Ask until the person has logged in, as often as the provider allows (section 3.5).

    Raises ``IdentityError`` where they refuse or take too long, and for a token that proves nobody.
    """
    url = _endpoint(issuer, env, "token_endpoint")
    fields = {
        "grant_type": DEVICE_GRANT,
        "device_code": device.device_code,
        "client_id": str(issuer.client_id),
    }
    left = float(min(max(device.expires_in, 0), LONGEST_WAIT))
    interval = float(min(max(device.interval, 1), 60))
    while left > 0:
        sleep(interval)
        left -= interval
        try:
            status, body = _post(url, fields, issuer, env)
        except IdentityError:
            interval = min(interval * 2, 60)  # a provider that is busy is asked less often
            continue
        if status == 200:
            return _logged_in(issuer, shaped(body, _Tokens), env, now())
        refused = shaped(body, _Refused)
        error = "" if refused is None else refused.error
        if error == "slow_down":
            interval += 5
        elif error == "access_denied":
            raise IdentityError(f"The login at {issuer.name} was refused.")
        elif error != "authorization_pending":
            break
    raise IdentityError(
        f"Nobody has logged in at {issuer.name} in time.", hint="Run tfgate login again."
    )


def _logged_in(
    issuer: Issuer, tokens: _Tokens | None, env: Mapping[str, str], now: dt.datetime
) -> tuple[Identity, Kept]:
    if tokens is None or tokens.id_token is None:
        raise IdentityError(f"{issuer.name} gives no ID token (OpenID Connect) at a login.")
    identity = _verified(issuer, tokens.id_token, env, now)
    kept = Kept(
        issuer=issuer.issuer,
        client_id=str(issuer.client_id),
        subject=identity.subject,
        id_token=tokens.id_token,
        refresh_token=tokens.refresh_token,
    )
    return identity, kept


def _verified(issuer: Issuer, token: str, env: Mapping[str, str], now: dt.datetime) -> Identity:
    return verify(token, [issuer], now=now, keys=Keys.of(env), audience=issuer.client_id)


# --- Using a login.


def stored_identity(
    issuers: Sequence[Issuer], env: Mapping[str, str], now: dt.datetime
) -> Identity | None:
    """Return whom a login proves, the first issuer's that there is; ``None`` without a login.

    Raises ``IdentityError`` where there is one that proves nobody any more.
    """
    for issuer in issuers:
        if issuer.client_id is None:
            continue
        kept = load(issuer, env)
        if kept is not None and kept.client_id == issuer.client_id:
            return _identity(issuer, kept, env, now)
    return None


def _identity(issuer: Issuer, kept: Kept, env: Mapping[str, str], now: dt.datetime) -> Identity:
    try:
        return _same(issuer, kept, _verified(issuer, kept.id_token, env, now))
    except IdentityError as error:
        if kept.refresh_token is None:
            raise _again(issuer, error) from None
        return _refreshed(issuer, kept, env, now)


def _refreshed(issuer: Issuer, kept: Kept, env: Mapping[str, str], now: dt.datetime) -> Identity:
    """Get a new ID token (OpenID Connect Core 1.0, section 12), and keep it."""
    url = _endpoint(issuer, env, "token_endpoint")
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": str(kept.refresh_token),
        "client_id": kept.client_id,
    }
    status, body = _post(url, fields, issuer, env)
    tokens = shaped(body, _Tokens) if status == 200 else None
    if tokens is None or tokens.id_token is None:
        raise _again(issuer, None)
    identity = _same(issuer, kept, _verified(issuer, tokens.id_token, env, now))
    newer = tokens.refresh_token or kept.refresh_token
    store(issuer, msgspec.structs.replace(kept, id_token=tokens.id_token, refresh_token=newer), env)
    return identity


def _same(issuer: Issuer, kept: Kept, identity: Identity) -> Identity:
    if identity.subject != kept.subject:
        raise IdentityError(f"The login at {issuer.name} has become that of somebody else.")
    return identity


def _again(issuer: Issuer, error: IdentityError | None) -> IdentityError:
    more = "" if error is None else f" {error.message}"
    return IdentityError(
        f"The login at {issuer.name} is over.{more}", hint=f"Run tfgate login {issuer.name}."
    )


# --- Keeping it.


def store(issuer: Issuer, kept: Kept, env: Mapping[str, str]) -> str:
    """Keep a login, and say where. Raises ``IdentityError``."""
    text = msgspec.json.encode(kept).decode()
    with contextlib.suppress(OSError):
        file_of(issuer, env).unlink()
    if (ring := _keyring()) is not None:
        with contextlib.suppress(Exception):  # whatever a backend raises: there is the file
            ring.set_password(_SERVICE, issuer.issuer, text)
            return "the system's keyring"
    file = file_of(issuer, env)
    try:
        make_directory(file.parent)
        write_whole(file, text.encode())
    except OSError as error:
        raise IdentityError(f"The login cannot be kept in {file}: {error.strerror}.") from None
    return str(file)


def load(issuer: Issuer, env: Mapping[str, str]) -> Kept | None:
    """Return the login that is kept; ``None`` for none.

    Raises ``IdentityError`` for a file that somebody else could have read or written.
    """
    data = _of_file(file_of(issuer, env))
    if data is None and (ring := _keyring()) is not None:
        with contextlib.suppress(Exception):  # a keyring that is locked has no login
            data = (ring.get_password(_SERVICE, issuer.issuer) or "").encode()
    kept = shaped(data or b"", Kept)
    return kept if kept is not None and kept.issuer == issuer.issuer else None


def forget(issuer: Issuer, env: Mapping[str, str]) -> bool:
    """Forget a login, and ask the provider to; return whether there was one."""
    with contextlib.suppress(IdentityError):
        kept = load(issuer, env)
        if kept is not None and kept.refresh_token is not None:
            url = _endpoint(issuer, env, "revocation_endpoint")
            fields = {"token": kept.refresh_token, "client_id": kept.client_id}
            _post(url, fields, issuer, env)
    found = False
    with contextlib.suppress(OSError):
        file_of(issuer, env).unlink()
        found = True
    if (ring := _keyring()) is not None:
        with contextlib.suppress(Exception):  # there was none
            ring.delete_password(_SERVICE, issuer.issuer)
            found = True
    return found


def file_of(issuer: Issuer, env: Mapping[str, str]) -> Path:
    """Return the file of a login: in the user's state directory (XDG)."""
    named = env.get("XDG_STATE_HOME", "")
    home = Path(env.get("HOME") or "~").expanduser()
    base = Path(named) if named and Path(named).is_absolute() else home / ".local" / "state"
    return base / "tfgate" / "login" / f"{hashlib.sha256(issuer.issuer.encode()).hexdigest()}.json"


def _of_file(path: Path) -> bytes | None:
    try:
        with open_file(path, follow=False) as file:
            facts = os.fstat(file.fileno())
            mine = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
            if not mine or facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise IdentityError(
                    f"The login in {path} is not its owner's alone, so it proves nobody.",
                    hint="Remove the file, and run tfgate login.",
                )
            return file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IdentityError(f"The login in {path} cannot be read: {error.strerror}.") from None


def _keyring() -> KeyringBackend | None:
    """Return the system's keyring; ``None`` where there is none, or the extra is missing."""
    try:
        import keyring
    except ImportError:
        return None
    ring = keyring.get_keyring()
    # Backends that keep nothing have a priority of 0 or below (keyring.backends.fail and null).
    return ring if ring.priority > 0 else None


# --- Asking the provider.


def _endpoint(issuer: Issuer, env: Mapping[str, str], name: str) -> str:
    found = discover(issuer, env, Discovery)
    url = getattr(found, name)
    if not isinstance(url, str):
        raise IdentityError(f"{issuer.name} has no {name}, which a login needs.")
    if not may_lead_to(url, issuer):
        raise IdentityError(
            f"The {name} of {issuer.name} is on another host than the issuer's.",
            hint="If that is right, name the host in keys_hosts.",
        )
    return url


def _post(
    url: str, fields: Mapping[str, str], issuer: Issuer, env: Mapping[str, str]
) -> tuple[int, bytes]:
    peer = Peer(
        url,
        seconds=_SECONDS,
        env=env,
        ca_file=issuer.ca_file,
        hide=lambda text: "",
        failure=IdentityError,
    )
    headers = {
        "User-Agent": AGENT,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = peer.request("POST", urlencode(fields).encode(), headers, largest=_MOST_BYTES + 1)
    if 300 <= answer.status < 400:
        raise IdentityError(f"{peer.host} redirects the login elsewhere, which no token follows.")
    return answer.status, answer.body


if TYPE_CHECKING:
    from keyring.backend import KeyringBackend
