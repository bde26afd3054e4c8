"""Make the sink that a table of the configuration describes. Each kind is imported when needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tfgate.audit.sinks.interface import Batch, Secrets, Sink, SinkError
from tfgate.errors import UsageError
from tfgate.outbound import Peer
from tfgate.ruleset.sinks import LockMode, SinkSpec, SinkType


def make_sink(spec: SinkSpec, env: Mapping[str, str]) -> Sink:
    """Return the sink, with its secrets from ``env``.

    Raises ``SinkError`` where a secret is not there, and ``UsageError`` where the packages of the
    kind are not installed.
    """
    if spec.type in (SinkType.STDOUT, SinkType.STDERR):
        return StreamSink(1 if spec.type is SinkType.STDOUT else 2)
    secrets = Secrets(spec.name, env)
    if spec.type is SinkType.HTTP:
        return _http(spec, secrets, env)
    with _installed(spec):
        if spec.type is SinkType.OTEL:
            return _otel(spec, secrets, env)
        return _s3(spec, secrets) if spec.type is SinkType.S3 else _postgres(spec, secrets)


def _http(spec: SinkSpec, secrets: Secrets, env: Mapping[str, str]) -> Sink:
    from tfgate.audit.sinks.http import HttpSink

    return HttpSink(
        _peer(spec, secrets, env),
        token=secrets.get(spec.token_env),
        token_header=spec.token_header,
        secret=secrets.get(spec.secret_env),
    )


def _otel(spec: SinkSpec, secrets: Secrets, env: Mapping[str, str]) -> Sink:
    from tfgate.audit.sinks.otel import PATH, OtelSink

    return OtelSink(
        _peer(spec, secrets, env, path=PATH),
        token=secrets.get(spec.token_env),
        token_header=spec.token_header,
    )


def _peer(spec: SinkSpec, secrets: Secrets, env: Mapping[str, str], path: str = "") -> Peer:
    assert spec.url is not None, "checked when it was read"
    parts = urlsplit(spec.url)
    url = spec.url if parts.path.strip("/") or parts.query else spec.url.rstrip("/") + path
    return Peer(
        url,
        seconds=spec.timeout_seconds,
        env=env,
        ca_file=_ca_file(spec),
        hide=secrets.hide,
        failure=SinkError,
    )


def _s3(spec: SinkSpec, secrets: Secrets) -> Sink:
    from tfgate.audit.sinks.s3 import Access, Bucket, S3Sink

    assert spec.bucket is not None, "checked when it was read"
    ca_file = _ca_file(spec)
    mode = spec.lock_mode or LockMode.COMPLIANCE
    return S3Sink(
        Bucket(spec.bucket, spec.prefix or "", spec.lock_days, mode.value.upper()),
        Access(
            seconds=spec.timeout_seconds,
            region=spec.region,
            endpoint=spec.endpoint,
            profile=spec.profile,
            access_key=secrets.get(spec.access_key_env),
            secret_key=secrets.get(spec.secret_key_env),
            ca_file=None if ca_file is None else str(ca_file),
        ),
        secrets,
    )


def _postgres(spec: SinkSpec, secrets: Secrets) -> Sink:
    from tfgate.audit.sinks.postgres import TABLE, PostgresSink

    dsn = secrets.get(spec.dsn_env)
    assert dsn is not None, "checked when it was read"
    return PostgresSink(
        dsn,
        secrets,
        table=spec.table or TABLE,
        seconds=spec.timeout_seconds,
        ca_file=_ca_file(spec),
    )


@contextlib.contextmanager
def _installed(spec: SinkSpec) -> Iterator[None]:
    """Say how to install what a kind needs and is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tfgate"):
            raise
        raise UsageError(
            f"The sink {spec.name} needs a package that is not installed: {error.name}.",
            hint=f"Run `pip install 'tfgate[{spec.type}]'`.",
        ) from None


def _ca_file(spec: SinkSpec) -> Path | None:
    return None if spec.ca_file is None else spec.folder / spec.ca_file


class StreamSink(Sink):
    """Writes each record as one line to a file descriptor (1 or 2)."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, batch: Batch) -> None:
        """Write the lines. A record is whole or not there, unless the process dies in between."""
        rest = memoryview(batch.lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise SinkError(f"The records cannot be written: {error.strerror}.") from None
