"""Everything put together, started, reloaded and stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import uvicorn

from tfgate.errors import TfgateError, UsageError
from tfgate.server.asgi import Intake, Rate, Site
from tfgate.server.client import Client, tls_context
from tfgate.server.evaluation_host import Evaluators, Host
from tfgate.server.monitoring import Log, Metrics, set_up
from tfgate.server.queue import Engine
from tfgate.server.secrets import Links, Vault, read_secret
from tfgate.server.settings import Settings, load_settings
from tfgate.server.store import Databases, Store
from tfgate.server.work import Work

if TYPE_CHECKING:
    from tfgate.server.approvals.service import ApprovalService


@dataclass
class Running:
    """A server that is up, without its socket."""

    work: Work
    engine: Engine
    databases: Databases
    site: Site
    approvals: ApprovalService | None
    file: Path
    env: Mapping[str, str]

    def reload(self) -> None:
        """Read the configuration again and put its policies in force, or none of it.

        Addresses, hosts, limits and the database are read at the start alone.
        """
        work = self.work
        try:
            fresh = load_settings(self.file, self.env)
            rulesets = work.evaluators.reload(fresh)
        except TfgateError as error:
            work.metrics.reloads.labels("refused").inc()
            work.log.error("reload", taken=False, error=str(error), kept="the rules in force")
        else:
            work.metrics.reloads.labels("taken").inc()
            work.log.info("reload", taken=True, rulesets=rulesets)

    def stop(self) -> None:
        """Finish what is in work as far as time allows; the rest is taken up at the next start."""
        self.work.stopping.set()
        if self.approvals is not None:
            self.approvals.stop()
        self.engine.stop(self.work.settings.limits.stop_seconds)
        self.work.store.leave()
        self.work.evaluators.host.close()
        self.work.client.close()
        self.databases.close()


def build(file: Path, env: Mapping[str, str]) -> Running:
    """Start everything but the socket. Raises ``TfgateError`` with what is wrong."""
    settings = load_settings(file, env)
    vault = Vault.of(env)
    keys = [key for name in ("HMAC_KEY", "HMAC_KEY_PREVIOUS") if (key := read_secret(env, name))]
    if settings.policy and not keys and not settings.hcp.unsigned:
        raise UsageError(
            "TFGATE_SERVER_HMAC_KEY is not set, so anybody could have plans evaluated.",
            hint="Set the key of the run task, or hcp.unsigned = true.",
        )
    allowed, authorities = settings.allowed(), settings.hcp.ca
    context = tls_context(None if authorities is None else settings.path(authorities))
    databases = Databases(settings)
    log = set_up()
    own = _evaluation_environment(env, databases.state)
    host = Host(settings, own)
    log.info("rules", rulesets=host.rulesets)
    tables = databases.open_tables()
    store = Store(tables, vault, _server_id(databases))
    approvals = _approvals(settings, tables, databases, vault, store, env, log)
    links = Links(vault, settings.server.url, settings.pages.link_hours)
    limits = settings.limits
    work = Work(
        settings=settings,
        store=store,
        client=Client(
            allowed,
            context,
            seconds=limits.http_seconds,
            download_seconds=limits.download_seconds,
        ),
        evaluators=Evaluators(host, own),
        links=links,
        metrics=Metrics(),
        log=log,
        folder=_fresh(databases.state / "jobs"),
    )
    engine = Engine(work, databases.engine_url, shared=databases.shared)
    intake = Intake(keys, allowed, store, engine.submit, log, Rate(limits.requests_a_minute))
    site = Site(
        intake=intake,
        store=store,
        links=links,
        metrics=work.metrics,
        body_bytes=limits.body_bytes,
        operator_token=read_secret(env, "OPERATOR_TOKEN"),
        ready=lambda: _not_ready(work),
        run_tasks=bool(settings.policy),
        more=() if approvals is None else approvals.routes(),
    )
    return Running(work, engine, databases, site, approvals, file, env)


def _approvals(
    settings: Settings,
    tables: sa.Engine,
    databases: Databases,
    vault: Vault,
    store: Store,
    env: Mapping[str, str],
    log: Log,
) -> ApprovalService | None:
    """Make the pages of approvals, where the configuration has them; import nothing where not."""
    if settings.approvals is None:
        return None
    from tfgate.server.approvals.service import make_approvals

    return make_approvals(settings, tables, databases.state, vault, store.now, env, log)


def serve(file: Path, env: Mapping[str, str]) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the policies."""
    running = build(file, env)
    settings, log = running.work.settings, running.work.log
    listener = _listen(settings)
    running.engine.start()
    if running.approvals is not None:
        running.approvals.start()
    server = _Uvicorn(running, _http(running, settings))
    signal.signal(signal.SIGHUP, lambda *_: _in_background(running.reload))
    host, port = listener.getsockname()[:2]
    log.info("listening", host=host, port=port, server=running.work.store.server)
    server.run(sockets=[listener])
    log.info("stopping", seconds=settings.limits.stop_seconds)
    running.stop()
    log.info("stopped")
    # Threads that wait for a peer are not waited for: their steps are done again.
    os._exit(0)


class _Uvicorn(uvicorn.Server):
    """Stops waiting steps at the signal, not when the last connection is closed."""

    def __init__(self, running: Running, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._running = running

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals, and do not raise them again at the end: there is more to do then."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop."""
        self._running.work.stopping.set()
        super().handle_exit(sig, frame)


def _http(running: Running, settings: Settings) -> uvicorn.Config:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    return uvicorn.Config(
        running.site.app(),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=32_768,
        http="h11",
        ws="none",
        backlog=1024,
        ssl_certfile=None if certificate is None else str(settings.path(certificate)),
        ssl_keyfile=None if key is None else str(settings.path(key)),
    )


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise UsageError(
            f"The server cannot listen at {settings.server.listen}: {error.strerror}."
        ) from None


def _in_background(act: Any) -> None:
    threading.Thread(target=act, daemon=True).start()


def _not_ready(work: Work) -> str | None:
    if work.stopping.is_set():
        return "The server is stopping."
    if not work.evaluators.revive():
        return "The evaluation process is gone and does not start again."
    try:
        work.store.check()
    except Exception:
        return "The database does not answer."
    return None


def _server_id(databases: Databases) -> str:
    """Name this life of this server. On the embedded database every life is the same executor."""
    if not databases.shared:
        return "embedded"
    return f"{socket.gethostname()[:64]}-{os.urandom(6).hex()}"


def _evaluation_environment(env: Mapping[str, str], state: Path) -> dict[str, str]:
    """Return the variables that evaluations need: none of the server's secrets."""
    kept = {name: env[name] for name in ("PATH", "HOME", "LANG", "XDG_CACHE_HOME") if name in env}
    return {**kept, "XDG_STATE_HOME": str(state.absolute())}


def _fresh(folder: Path) -> Path:
    """Empty the folder of jobs: what a killed server left in it is of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder.absolute()
