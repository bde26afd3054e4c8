"""Approvals in the browser, put together: what the server starts, and what it mounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from starlette.routing import Route

from tfgate.audit.signing import PROXIED_APPROVALS, sign
from tfgate.errors import TfgateError, UsageError
from tfgate.identity import Keys
from tfgate.ruleset import load_gate_config
from tfgate.ruleset.issuers import Issuer
from tfgate.server.approval_tables import ApprovalsTable
from tfgate.server.approvals.api import JobInterface
from tfgate.server.approvals.desk import Desk
from tfgate.server.approvals.login import Provider
from tfgate.server.approvals.sessions import Sessions
from tfgate.server.approvals.store import ApprovalStore
from tfgate.server.approvals.web import ApprovalPages, origin_of
from tfgate.server.approvals.webhooks import Webhooks
from tfgate.server.background import Background
from tfgate.server.monitoring import Log
from tfgate.server.secrets import Vault, read_secret
from tfgate.server.settings import Settings

_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass
class ApprovalService:
    """Pages, the interface of jobs, and what is done in between."""

    pages: ApprovalPages
    jobs: JobInterface
    webhooks: Webhooks
    desk: Desk
    background: Background

    def routes(self) -> list[Route]:
        """Return what is to be mounted."""
        return [*self.jobs.routes(), *self.pages.routes()]

    def start(self) -> None:
        """Begin to tell people, and to end what is over."""
        self.background.every(2.0, self.webhooks.send_due)
        self.background.every(20.0, self.desk.sweep)

    def stop(self) -> None:
        """Stop; what was not told yet is told after the next start."""
        self.background.stop(1)


def make_approvals(
    settings: Settings,
    engine: sa.Engine,
    state: Path,
    vault: Vault,
    clock: Callable[[], float],
    env: Mapping[str, str],
    log: Log,
) -> ApprovalService | None:
    """Put it together; ``None`` where the configuration has none of it.

    ``state`` is the server's folder, ``clock`` the time that all servers agree on. Raises
    ``TfgateError`` with what is missing.
    """
    table = settings.approvals
    if table is None:
        return None
    url = settings.server.url.rstrip("/")
    secure = urlsplit(url).scheme == "https"
    if not secure and urlsplit(url).hostname not in _LOCAL:
        raise UsageError(
            "server.url is not an https:// address, so whoever listens could approve in the name "
            "of others.",
            hint="Put TLS in front of the server, or name a certificate in [server].",
        )
    key = settings.path(table.key)
    if not key.is_file():
        raise UsageError(f"There is no key {key} to sign approvals with (approvals.key).")
    sign(b"", key, PROXIED_APPROVALS)  # a key that cannot sign is of no use: better known now
    issuers = _issuers(settings, table, env)
    keys = Keys(state / "issuers", env)
    ca = table.provider.ca
    desk = Desk(table, ApprovalStore(engine), key, url, clock)
    provider = Provider(
        table.provider,
        callback=f"{url}/approvals/callback",
        secret=read_secret(env, "OIDC_SECRET"),
        ca=None if ca is None else settings.path(ca),
        keys=keys,
        env=env,
    )
    sessions = Sessions(
        desk.store, vault.sessions, clock, minutes=table.provider.session_minutes, secure=secure
    )
    return ApprovalService(
        pages=ApprovalPages(desk, provider, sessions, vault, origin_of(url), log),
        jobs=JobInterface(desk, table, issuers, url, keys, log),
        webhooks=Webhooks(table, settings, desk, env, log),
        desk=desk,
        background=Background(log),
    )


def _issuers(
    settings: Settings, table: ApprovalsTable, env: Mapping[str, str]
) -> tuple[Issuer, ...]:
    """Return the issuers of the configuration that is named. Raises ``TfgateError``."""
    config = load_gate_config(settings.path("."), env, config=str(settings.path(table.config)))
    names = {issuer.name for issuer in config.issuers}
    for job in table.jobs:
        if job.issuer not in names:
            raise TfgateError(
                f"approvals.jobs: {job.issuer!r} is none of [[identity.issuers]] in {table.config}."
            )
    return config.issuers
