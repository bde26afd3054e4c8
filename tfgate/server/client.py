"""HTTP to HCP Terraform: only to listed hosts, only so much, and the token to nobody else."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
import msgspec

from tfgate._version import __version__
from tfgate.server.job import RunTask
from tfgate.server.peers import Allowed, PeerError, origin_of

REDIRECTS: Final = 3
DOUBTFUL: Final = (401, 403, 404)
"""A second try may help (a temporary address has expired), a hundredth will not."""
_CHUNK: Final = 1 << 16
_SMALL: Final = 1 << 16


class Fetched(NamedTuple):
    """A body in a file without a name: nothing is left of it when the process dies."""

    file: IO[bytes]
    sha256: str
    size: int


class _Deadline(threading.local):
    """When the request that this thread is making must be over."""

    end: float = float("inf")

    def within(self, timeout: float | None) -> float:
        """Return how long one step may take. Raises where the time is over."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The time for the request is over.")
        return left if timeout is None else min(left, timeout)


class _Timed(httpcore.NetworkStream):
    """Bounds a whole request: a peer that sends a byte now and then holds nobody for ever."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.within(timeout))
        return _Timed(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Guarded(httpcore.NetworkBackend):
    """Connects to the addresses that are allowed, whatever the name resolves to a moment later."""

    def __init__(self, allowed: Allowed, deadline: _Deadline) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception | None = None
        for address in self._allowed.addresses(host, port):
            try:
                stream = self._system.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
                return _Timed(stream, self._deadline)
            except (  # noqa: PERF203 - a few addresses, each to be tried
                httpcore.ConnectError,
                httpcore.ConnectTimeout,
            ) as error:
                problem = error
        assert problem is not None, "an empty list raises"
        raise problem


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: httpcore.Response) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner.iter_stream()

    def close(self) -> None:
        self._inner.close()


class _Transport(httpx.BaseTransport):
    """httpx on a pool whose connections are guarded; no proxy of the environment is used."""

    def __init__(self, allowed: Allowed, context: ssl.SSLContext, deadline: _Deadline) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=_Guarded(allowed, deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        inner = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            inner.status, headers=inner.headers, stream=_Body(inner), extensions=inner.extensions
        )

    def close(self) -> None:
        self._pool.close()


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Trust the system's authorities, or those of a PEM file alone."""
    return ssl.create_default_context(cafile=None if authorities is None else str(authorities))


class Client:
    """Requests to the other side. Safe to use from several threads."""

    def __init__(
        self, allowed: Allowed, context: ssl.SSLContext, *, seconds: float, download_seconds: float
    ) -> None:
        self._allowed = allowed
        self._seconds = 2 * seconds
        self._download_seconds = download_seconds
        self._deadline = _Deadline()
        self._http = httpx.Client(
            transport=_Transport(allowed, context, self._deadline),
            timeout=httpx.Timeout(seconds),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": f"tfgate/{__version__}"},
        )

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    def send(self, url: str, token: str, body: bytes) -> None:
        """PATCH a task result. Raises ``PeerError``; redirects are not followed."""
        self._allowed.check_api(url)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/vnd.api+json",
            "Accept-Encoding": "identity",
        }
        self._deadline.end = time.monotonic() + self._seconds
        with self._ask("PATCH", url, headers, body) as response:
            # The connection can be used again only when the (small) answer is read.
            _drain(response)
            if not 200 <= response.status_code < 300:
                raise _refused(response, "the answer")

    def fetch(self, url: str, token: str, limit: int, what: str) -> Fetched:
        """GET into a file, through redirects that never carry the token. Raises ``PeerError``."""
        self._allowed.check_api(url)
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip, identity"}
        self._deadline.end = time.monotonic() + self._download_seconds
        for _ in range(REDIRECTS + 1):
            with self._ask("GET", url, headers, None) as response:
                if response.status_code not in (301, 302, 303, 307, 308):
                    return _save(response, limit, what)
                target = response.headers.get("location")
            if not target:
                raise PeerError(f"The redirect to {what} leads nowhere.", again=True)
            url = urljoin(url, target)
            self._allowed.check_download(url)
            headers.pop("Authorization", None)
        raise PeerError(f"More than {REDIRECTS} redirects lead to {what}.", again=True)

    @contextmanager
    def _ask(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> Iterator[httpx.Response]:
        host = origin_of(url).host
        try:
            with self._http.stream(method, url, headers=headers, content=body) as response:
                yield response
        except (httpcore.TimeoutException, httpx.TimeoutException):
            raise PeerError(f"{host} did not answer in time.", again=True) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError, OSError) as e:
            kind = "has a certificate that is not trusted" if _is_tls(e) else "cannot be reached"
            raise PeerError(f"{host} {kind}.", again=True) from None
        except httpx.InvalidURL:
            raise PeerError("An address in the request is not a URL.", again=False) from None


def _is_tls(error: BaseException) -> bool:
    return "CERTIFICATE" in str(error).upper()


def _drain(response: httpx.Response) -> None:
    read = 0
    for chunk in response.iter_raw():
        read += len(chunk)
        if read >= _SMALL:
            return


def _refused(response: httpx.Response, what: str) -> PeerError:
    status = response.status_code
    again = status in (*DOUBTFUL, 408, 425, 429) or status >= 500
    return PeerError(
        f"Asked for {what}, the other side answered {status}.", again=again, status=status
    )


def _save(response: httpx.Response, limit: int, what: str) -> Fetched:
    status = response.status_code
    if status == 204:
        raise PeerError(f"There is nothing of {what} yet.", again=True, status=204)
    if status == 422:
        raise PeerError(
            f"There is no JSON of {what}: Terraform is too old for it.", again=False, status=422
        )
    if status != 200:
        raise _refused(response, what)
    digest, size = hashlib.sha256(), 0
    file = tempfile.TemporaryFile()  # noqa: SIM115 - given away open
    try:
        for chunk in _decoded(response, what):
            size += len(chunk)
            if size > limit:
                raise PeerError(f"{what} is larger than {limit} bytes.", again=False)
            digest.update(chunk)
            file.write(chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Fetched(file, digest.hexdigest(), size)


def _decoded(response: httpx.Response, what: str) -> Iterator[bytes]:
    """Yield the body in pieces of a bounded size, however much a compressed one grows."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise PeerError(f"{what} came in an encoding that was not asked for.", again=False)
    inflate = zlib.decompressobj(wbits=31)
    try:
        for raw in response.iter_raw():
            left = raw
            while left:
                yield inflate.decompress(left, _CHUNK)
                left = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error:
        raise PeerError(f"{what} is not gzip, as its header claims.", again=True) from None
    if not inflate.eof:
        raise PeerError(f"{what} ended too early.", again=True)


# The state after an apply, where the run's token may read it ("State Versions API").


_SMALL_STATE = 1 << 20


class _Attributes(msgspec.Struct, rename="kebab"):
    hosted_json_state_download_url: str | None = None


class _Data(msgspec.Struct):
    attributes: _Attributes


class _Version(msgspec.Struct):
    data: _Data


def fetch_state(client: Client, task: RunTask, token: str, limit: int) -> Fetched | None:
    """Get the workspace's state as ``terraform show -json`` prints it.

    ``None`` where it cannot be had: a run task's token may not be let near it, and older Terraform
    leaves no JSON state. Raises ``PeerError`` where asking again may help.
    """
    parts = urlsplit(task.task_result_callback_url)
    url = (
        f"{parts.scheme}://{parts.netloc}/api/v2/workspaces/{task.workspace_id}"
        "/current-state-version"
    )
    try:
        version = client.fetch(url, token, _SMALL_STATE, "the state's description")
        with version.file:
            found: Any = msgspec.json.decode(version.file.read(), type=_Version)
        link = found.data.attributes.hosted_json_state_download_url
        return None if not link else client.fetch(link, token, limit, "the state")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    except PeerError as error:
        if error.again and error.status not in (401, 403, 404):
            raise
        return None
