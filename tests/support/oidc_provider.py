"""A real OpenID provider over TLS: panva's certified ``oidc-provider`` under node."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT = "tfgate"
TERMINAL = "tfgate-terminal"
"""Client of the device flow, which has no secret."""
CLIENT_SECRET = "client-secret-of-a-test"


class OidcProvider:
    """Runs in a folder of its own, on localhost, until it is closed.

    ``callback`` is where the client ``tfgate`` may have a browser sent back to.
    """

    def __init__(self, folder: Path, callback: str) -> None:
        program = require_part("oidc-provider")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        """File of the authority that vouches for it."""
        authority.cert_pem.write_to_path(str(self.ca))
        certificate = authority.issue_cert("localhost")
        certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        """The issuer."""
        self.people({})
        client = {
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [callback],
            "token_endpoint_auth_method": "client_secret_basic",
        }
        terminal = {
            "client_id": TERMINAL,
            "redirect_uris": [],
            "response_types": [],
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        }
        (folder / "clients.json").write_text(json.dumps([client, terminal]))
        self._process = subprocess.Popen(
            ["node", program, str(folder), str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n", "the provider does not start"

    def people(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Say who there is: subject → claims. Holds from the next login on."""
        (self._folder / "people.json").write_text(json.dumps(people))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
