"""A server with approvals in the browser, its provider, its jobs, and people with browsers."""

from __future__ import annotations

import html
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpx

from tests.support.issuers import served
from tests.support.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.support.signing import new_key, signer

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef" * 4
CONFIG = """
[gate]
rulesets = ["./rules.toml"]
[approvals]
servers = "servers"
[audit]
log = "audit.jsonl"
[identity]
name = "test"
[[identity.issuers]]
preset = "github"
issuer = "{issuer}"
ca_file = "{ca}"
operator = "{{actor}}@github"
claims = ["repository", "ref"]
conditions = {{ repository = "acme/*" }}
"""
SERVER = """
[server]
listen = "127.0.0.1:{port}"
url = "{url}"
state = "state"
{database}
[approvals]
key = "server"
config = "tfgate.toml"
{settings}
[approvals.provider]
issuer = "{issuer}"
client_id = "tfgate"
ca = "{ca}"
[approvals.roles]
dba = ["db-admins"]
[[approvals.jobs]]
issuer = "github"
claims = {{ repository = ["acme/infra"] }}
workspaces = ["prod", "prod-*", "default", "*"]
[[approvals.jobs]]
issuer = "github"
workspaces = ["dev-*"]
{approvers}
"""
APPROVERS = """
[[approvals.approvers]]
workspaces = ["two-*"]
groups = ["approvers"]
required = 2
[[approvals.approvers]]
groups = ["approvers"]
"""
PEOPLE = {
    "sub-dora": {
        "email": "dora@acme.example",
        "preferred_username": "dora",
        "groups": ["approvers", "db-admins"],
    },
    "sub-erin": {"email": "erin@acme.example", "groups": ["approvers"]},
    "sub-alice": {
        "email": "alice@acme.example",
        "preferred_username": "alice",
        "groups": ["approvers"],
    },
    "sub-mallory": {"email": "mallory@acme.example", "groups": ["interns"]},
}


class ApprovalSite:
    """One server on a folder of its own, and a gate that believes it."""

    def __init__(self, folder: Path, *, database: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database
        self.settings = ""
        self.approvers = APPROVERS
        self.env: dict[str, str] = {}
        self._stack = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.jobs, self.jobs_ca = self._stack.enter_context(served(folder))
        self.jobs.token_claims = {}
        self.provider = OidcProvider(folder / "provider", f"{self.url}/approvals/callback")
        self._stack.callback(self.provider.close)
        self.provider.people(PEOPLE)
        self.key = new_key(folder, "server")
        (folder / "servers").write_text(
            signer("gate.acme.example", self.key, 'namespaces="tfgate-approval-server"')
        )
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "tfgate.toml").write_text(CONFIG.format(issuer=self.jobs.url, ca=self.jobs_ca))

    def start(self) -> ApprovalSite:
        """Start the server and wait until it listens."""
        (self.folder / "server.toml").write_text(
            SERVER.format(
                port=self.port,
                url=self.url,
                database="" if self.database is None else f'database = "{self.database}"',
                settings=self.settings,
                issuer=self.provider.url,
                ca=self.provider.ca,
                approvers=self.approvers,
            )
        )
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "TFGATE_SERVER_SECRET": SECRET,
            "TFGATE_SERVER_OIDC_SECRET": CLIENT_SECRET,
            **self.env,
        }
        already = len(self.log())
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tfgate", "serve", "--config", "server.toml"],
                env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder,
            )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if any('"listening"' in line for line in self.log()[already:]):
                return self
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log()[-20:]}")

    def log(self) -> list[str]:
        """Return the lines of the log so far."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def kill(self) -> None:
        """End the server with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End everything."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self._stack.close()

    # Jobs.

    def token(self, audience: str | None = None, **claims: Any) -> str:
        """Return a token of a job, made now."""
        now = int(time.time())
        times = {"iat": now - 5, "nbf": now - 5, "exp": now + 295}
        return self.jobs.sign(self.jobs.claims(**{"aud": audience or self.url, **times, **claims}))

    def post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> httpx.Response:
        """Ask the interface of jobs."""
        token = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(
            f"{self.url}/approvals/api/requests{path}", json=body, headers=headers, timeout=40
        )

    def job_env(self) -> dict[str, str]:
        """Return the environment of a job of GitHub Actions that may get tokens."""
        now = int(time.time())
        self.jobs.token_claims = {"iat": now - 5, "nbf": now - 5, "exp": now + 295}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "TFGATE_OPERATOR": "olga",
            "GITHUB_REF": "refs/pull/12/merge",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.jobs.url}/request",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token-of-a-job",
        }

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run tfgate as a job does."""
        return subprocess.run(
            [sys.executable, "-m", "tfgate", *arguments], cwd=self.folder, text=True, timeout=120,
            capture_output=True, env={**self.job_env(), **env}, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip

    def person(self, subject: str) -> Person:
        """Return somebody with a browser of their own, not logged in anywhere."""
        return Person(self, subject)

    def contents(self) -> bytes:
        """Return everything that the server has written: its database, its log."""
        files = [path for path in (self.folder / "state").rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in [*files, self.folder / "log"])


class Person:
    """A browser that follows what a person would, as far as forms and links go."""

    def __init__(self, site: ApprovalSite, subject: str) -> None:
        self.site = site
        self.subject = subject
        trust = ssl.create_default_context(cafile=str(site.provider.ca))
        self.http = httpx.Client(verify=trust, timeout=40)
        self.seen: list[str] = []
        """Every address that was opened."""

    def close(self) -> None:
        """Close the browser."""
        self.http.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open an address, and follow redirects, refreshes and the provider's forms."""
        return self._settle(self._ask("GET", urljoin(self.site.url, path), headers=headers))

    def _ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        self.seen.append(url)
        return self.http.request(method, url, **more)

    def _settle(self, answer: httpx.Response, stop: str = "") -> httpx.Response:
        for _ in range(20):
            target = self.next(answer)
            if target is None or (stop and stop in target):
                return answer
            answer = self._login(self._ask("GET", target))
        raise AssertionError("it goes on and on")

    @staticmethod
    def next(answer: httpx.Response) -> str | None:
        """Return where an answer leads on its own."""
        if answer.is_redirect:
            return urljoin(str(answer.url), answer.headers["location"])
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', answer.text)
        return None if found is None else urljoin(str(answer.url), html.unescape(found[1]))

    def _login(self, answer: httpx.Response) -> httpx.Response:
        """Fill in the provider's form, where that is what is shown."""
        found = re.search(r'action="([^"]+/interaction/[^"]+)"', answer.text)
        if found is None or urlsplit(str(answer.url)).netloc == urlsplit(self.site.url).netloc:
            return answer
        form = {"prompt": "login", "login": self.subject, "password": "any"}
        if 'value="consent"' in answer.text:
            form = {"prompt": "consent"}
        return self._ask("POST", html.unescape(found[1]), data=form)

    def form(self, page: str) -> dict[str, str]:
        """Return the hidden fields of the form to answer with."""
        text = page[page.index('class="answer"') :]
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
        return {name: html.unescape(value) for name, value in found}

    def send(self, key: str, **fields: str) -> httpx.Response:
        """Send the form of a request as it is, and return the very answer."""
        url = f"{self.site.url}/approvals/{key}"
        return self._ask("POST", url, data=fields, headers={"Origin": self.site.url})

    def answer(self, key: str, answer: str, reason: str = "planned move") -> httpx.Response:
        """Open a request, answer it, and return the page that is shown at the end."""
        page = self.get(f"/approvals/{key}")
        sent = self.send(key, **self.form(page.text), answer=answer, reason=reason)
        return self._settle(sent)


def plan_with(value: str, *, address: str = "a") -> str:
    """Return plan JSON that the rules of these tests deny."""
    from tests.support.judging import plan_json

    return json.dumps(json.loads(plan_json(value, address)))
