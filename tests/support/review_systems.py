"""A server of a test's own that answers as the REST APIs of GitHub and GitLab are documented."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class System:
    """What there is by path: JSON data, lists in pages, bytes as they are."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Path with query, and headers (names in lower case), of each request."""
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Path → status, headers and body, in the place of what is found."""
        self.links = True
        """Whether pages link to the next one."""
        self.drip = 0.0
        """Seconds between two bytes of an answer."""
        self.url = ""
        self.ca_file = ""

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Answer a request."""
        parts = urlsplit(target)
        if parts.path in self.answers:
            return self.answers[parts.path]
        if parts.path not in self.found:
            return 404, {}, b'{"message": "Not Found"}'
        value, headers = self.found[parts.path], {}
        if isinstance(value, bytes):
            return 200, {}, value
        query = parse_qs(parts.query)
        if isinstance(value, list):
            size, page = int(query["per_page"][0]), int(query["page"][0])
            if self.links and len(value) > size * page:
                headers["link"] = f'<https://elsewhere.example/?page={page + 1}>; rel="next"'
            value = value[size * (page - 1) : size * page]
        return 200, headers, json.dumps(value).encode()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[System]:
    """Run one over TLS on localhost while the block runs."""
    system = System()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            system.asked.append((self.path, headers))
            status, more, body = system.answer(self.path)
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if "content-length" not in more:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                for start in range(0, len(body), 1 if system.drip else len(body) or 1):
                    self.wfile.write(body[start : start + (1 if system.drip else len(body))])
                    time.sleep(system.drip)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients of these tests break off."""

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    system.ca_file = str(ca_file)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    system.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield system
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
