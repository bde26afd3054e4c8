"""One request to another machine: bounded, over TLS, by the proxy, and followed nowhere.

The peer may be slow, hostile or gone: nothing is followed anywhere, nothing is read without a
bound, and all of it together takes no longer than it may.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from tfgate._version import __version__
from tfgate.errors import TfgateError


class Proxy(NamedTuple):
    """An HTTP proxy."""

    host: str
    port: int
    authorization: str | None = None


def proxy_for(
    host: str, env: Mapping[str, str], failure: type[TfgateError] = TfgateError
) -> Proxy | None:
    """Return the proxy for an https address of ``host``, if one is to be used.

    Raises ``failure`` where it is named in a way that cannot be followed: what is sent must not go
    another way than it should.
    """
    url = env.get("https_proxy") or env.get("HTTPS_PROXY")
    if not url or _is_exempt(host, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        raise failure("The variable HTTPS_PROXY does not hold an address.") from None
    if parts.scheme != "http" or not parts.hostname:
        raise failure("The variable HTTPS_PROXY does not name an http proxy.")
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


LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read."""
_PORTS: Final = {"https": 443, "http": 80}


AGENT: Final = f"tfgate/{__version__}"


class Answer(NamedTuple):
    """What the peer answered."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


_Shape = TypeVar("_Shape")


def shaped(data: bytes, shape: type[_Shape]) -> _Shape | None:
    """Return JSON of another machine in its shape; ``None`` for whatever does not have it."""
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


class Peer:
    """Where requests go.

    ``seconds`` is how long one request may take from begin to end; ``ca_file`` the authorities
    that vouch for the peer, in the place of the system's. ``hide`` takes secrets out of what the
    peer says. ``failure`` is the error that is raised, whatever goes wrong.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        env: Mapping[str, str],
        ca_file: Path | None = None,
        hide: Callable[[str], str] = str,
        failure: type[TfgateError] = TfgateError,
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or _PORTS[parts.scheme]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._seconds = seconds
        self.hide = hide
        self._failure = failure
        self._context = self._trusting(ca_file) if self._tls else None
        self._proxy = proxy_for(self.host, env, failure) if self._tls else None

    def _trusting(self, ca_file: Path | None) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise self._failure(
                f"The file {ca_file} (ca_file) cannot be used: {_reason(error)}."
            ) from None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and return the answer, whatever its status. Raises ``failure``."""
        return self.request("POST", body, headers)

    def get(self, headers: Mapping[str, str], *, largest: int = LARGEST_ANSWER) -> Answer:
        """Ask for what is there and return the answer, whatever its status. Raises ``failure``."""
        return self.request("GET", None, headers, largest=largest)

    def request(
        self,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """Make a request; of the answer ``largest`` bytes are read and the rest is cut off."""
        end = time.monotonic() + self._seconds
        try:
            with self._connected(end) as connection:
                connection.request(method, self._target, body, dict(headers))
                response = connection.getresponse()
                return Answer(
                    response.status,
                    self.hide(response.reason),
                    {name.lower(): value for name, value in response.getheaders()},
                    response.read(largest),
                )
        except ssl.SSLCertVerificationError as error:
            raise self._failure(
                f"The certificate of {self.host} is not to be trusted: {error.verify_message}.",
                hint="Let ca_file name the authority that vouches for it.",
            ) from None
        except TimeoutError:
            raise self._late() from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= end:
                raise self._late() from None
            raise self._failure(
                f"{self.host} cannot be reached: {self.hide(_reason(error))}."
            ) from None

    def text_of(self, answer: Answer) -> str:
        """Return the answer's body as text for a person."""
        return self.hide(answer.body.decode("utf-8", "replace")).strip()

    def _late(self) -> TfgateError:
        return self._failure(f"{self.host} did not answer within {self._seconds:g} s.")

    @contextlib.contextmanager
    def _connected(self, end: float) -> Iterator[http.client.HTTPConnection]:
        """Return a connection that is cut when the time is up, whoever is waiting on it."""
        raw = self._dial(end)
        with contextlib.closing(raw), _cut_at(raw, end):
            connection = http.client.HTTPConnection(self.host, self._port)
            if self._proxy is not None:
                _tunnel(raw, self.host, self._port, self._proxy, self._failure)
            if self._context is None:
                connection.sock = raw
            else:
                connection.sock = self._context.wrap_socket(raw, server_hostname=self.host)
            with contextlib.closing(connection):
                yield connection

    def _dial(self, end: float) -> socket.socket:
        """Connect to the first address that answers."""
        host, port = (self.host, self._port)
        if self._proxy is not None:
            host, port = self._proxy.host, self._proxy.port
        failure: OSError = OSError(0, "it has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            raw = socket.socket(family, kind, protocol)
            try:
                raw.settimeout(left)
                raw.connect(address)
            except OSError as error:
                raw.close()
                failure = error
            else:
                return raw
        raise failure


@contextlib.contextmanager
def _cut_at(raw: socket.socket, end: float) -> Iterator[None]:
    """Cut the connection when the time is up.

    A timeout of the socket's own begins anew with each byte that comes: a peer that sends one a
    second would never be late.
    """
    other = raw.dup()  # TLS takes the first over
    timer = threading.Timer(max(0.0, end - time.monotonic()), _cut, (other,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        other.close()


def _cut(raw: socket.socket) -> None:
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def _tunnel(
    raw: socket.socket, host: str, port: int, proxy: Proxy, failure: type[TfgateError]
) -> None:
    """Ask the proxy for a tunnel. Raises ``failure`` where it gives none."""
    name = f"[{host}]" if ":" in host else host
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    raw.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    response = http.client.HTTPResponse(raw, method="CONNECT")
    response.begin()
    if response.status != 200:
        raise failure(f"The proxy {proxy.host} answered {response.status}.")


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "it has no address"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
