"""An HTTP peer of a test's own, as good or as bad as the test wants."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records in it."""
        return [json.loads(line) for line in self.body.splitlines()]


class Receiver:
    """Keeps requests; ``answers`` are the statuses to give first, before 200."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.body = b""
        self.pause = 0.0
        """Seconds before an answer."""
        self.drip = 0.0
        """Seconds between two bytes of an answer; 0 for all at once."""
        self.port = 0

    @property
    def numbers(self) -> list[int]:
        """Numbers of the records that were answered with 200, in order."""
        return [record["seq"] for request in self.requests for record in request.records]

    def wait_for(self, count: int, seconds: float = 20) -> bool:
        """Wait until so many requests have come."""
        end = time.monotonic() + seconds
        while len(self.requests) < count and time.monotonic() < end:
            time.sleep(0.02)
        return len(self.requests) >= count

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a request and answer it."""
        body = handler.rfile.read(int(handler.headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.requests.append(Received(handler.path, headers, body))
        time.sleep(self.pause)
        if self.drip:
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000:
                handler.wfile.write(bytes([byte]))
                time.sleep(self.drip)
            return
        handler.send_response(status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)


@contextlib.contextmanager
def receiving(
    context: ssl.SSLContext | None = None, receiver: Receiver | None = None
) -> Iterator[Receiver]:
    """Run one on 127.0.0.1 while the block runs; with ``context`` it speaks TLS."""
    receiver = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with contextlib.suppress(OSError):
                receiver.handle(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients of these tests break off."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def proxying() -> Iterator[tuple[int, list[str]]]:
    """Run a proxy that tunnels one connection; give its port and what it was asked."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(1024)
        asked.append(request.decode())
        host, _, port = request.split()[1].decode().rpartition(":")
        other = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_copy, args=(other, client), daemon=True)
        back.start()
        _copy(client, other)
        back.join()
        client.close()
        other.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.close()
        thread.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
