"""The proxy that the environment names, as curl and others read it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tfgate.audit.sinks.batch import SinkError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    authorization: str | None = None


def proxy_for(host: str, env: Mapping[str, str]) -> Proxy | None:
    """Give the proxy for an https address of ``host``, if one is to be used.

    Raises ``SinkError`` where it is named in a way that cannot be followed: records must not go
    another way than they should.
    """
    url = env.get("https_proxy") or env.get("HTTPS_PROXY")
    if not url or _is_exempt(host, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        raise SinkError("The variable HTTPS_PROXY does not hold an address.") from None
    if parts.scheme != "http" or not parts.hostname:
        raise SinkError("The variable HTTPS_PROXY does not name an http proxy.")
    return Proxy(parts.hostname, port, _authorization(parts.username, parts.password))


def _is_exempt(host: str, listed: str) -> bool:
    for entry in listed.replace(",", " ").split():
        name = entry.lower().lstrip("*").lstrip(".")
        if entry == "*" or (name and (host == name or host.endswith(f".{name}"))):
            return True
    return False


def _authorization(name: str | None, password: str | None) -> str | None:
    if name is None:
        return None
    both = f"{unquote(name)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(both.encode()).decode("ascii")
