"""Whom the server may talk to: origins by name, and addresses by network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from tfgate.errors import TfgateError, UsageError

# What can go wrong between the server and those it talks to.


class PeerError(TfgateError):
    """The other side could not be reached, or answered something that cannot be used.

    ``again`` is whether the same request may succeed later; ``status`` its HTTP status, if any.
    The text names hosts, never paths or queries: those may carry a secret.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, again: bool, status: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.again = again
        self.status = status


class ForbiddenPeerError(PeerError):
    """An address that the configuration does not let the server talk to."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, again=False)


class HostError(TfgateError):
    """The evaluation process ended without a result, or took too long."""


IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
_PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute URL. Raises ``ForbiddenPeerError`` for anything odd."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenPeerError("An address in the request is not a URL.") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.password:
        raise ForbiddenPeerError("An address in the request is not a plain http(s) URL.")
    return Origin(parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme])


def read_origins(entries: Sequence[str], setting: str) -> frozenset[Origin]:
    """Read ``app.terraform.io``, ``tfe.example:8443`` (both https) or ``http://host:port``."""
    origins = set()
    for entry in entries:
        url = entry if "://" in entry else f"https://{entry}"
        try:
            if urlsplit(url).path not in ("", "/"):
                raise ForbiddenPeerError("A path means nothing here.")
            origins.add(origin_of(url))
        except ForbiddenPeerError:
            raise UsageError(
                f"{setting}: {entry!r} is not a host such as app.terraform.io."
            ) from None
    return frozenset(origins)


def resolve(host: str, port: int) -> Sequence[str]:
    """Look up the addresses of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise PeerError(f"The host {host} has no address.", again=True) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Allowed:
    """The lists of the configuration.

    ``api`` origins are given the access token; ``downloads`` are redirect targets, and never are.
    """

    def __init__(
        self,
        api: frozenset[Origin],
        downloads: frozenset[Origin] = frozenset(),
        networks: Sequence[Network] = (),
        resolver: Resolve = resolve,
    ) -> None:
        self._api = api
        self._downloads = downloads
        self._networks = networks
        self._resolve = resolver

    def check_api(self, url: str) -> Origin:
        """Return the origin of a URL that gets the token. Raises ``ForbiddenPeerError``."""
        origin = origin_of(url)
        if origin not in self._api:
            raise ForbiddenPeerError(
                f"{origin} is not a host that this server may talk to.",
                hint="Hosts are listed in hcp.hosts.",
            )
        return origin

    def check_download(self, url: str) -> Origin:
        """Return the origin of a redirect's target. Raises ``ForbiddenPeerError``."""
        origin = origin_of(url)
        if origin not in self._downloads | self._api:
            raise ForbiddenPeerError(
                f"A redirect leads to {origin}, which this server may not talk to.",
                hint="Redirect targets are listed in hcp.download_hosts.",
            )
        return origin

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses that may be connected to: a public one, or one that is listed.

        The connection goes to one of these and nowhere else: a second answer of the name server
        changes nothing. Raises ``PeerError``.
        """
        found = self._resolve(host, port)
        fit = [address for address in found if self._is_allowed(address)]
        if not fit:
            raise ForbiddenPeerError(
                f"{host} is at a private, local or reserved address.",
                hint="Networks that may be contacted all the same are listed in hcp.networks.",
            )
        return fit

    def _is_allowed(self, text: str) -> bool:
        try:
            address: IPAddress = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._networks):
            return True
        return address.is_global and not address.is_multicast
