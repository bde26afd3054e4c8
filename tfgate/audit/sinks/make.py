"""Make the sink that a table of the configuration describes. Each kind is imported when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.audit.sinks.batch import SinkError
from tfgate.errors import UsageError
from tfgate.ruleset.sinks import SinkType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.audit.sinks.batch import Sink
    from tfgate.ruleset.sinks import SinkSpec


def make_sink(spec: SinkSpec, env: Mapping[str, str]) -> Sink:
    """Give the sink, with its secrets from ``env``.

    Raises ``SinkError`` where a secret is not there, and ``UsageError`` where the packages of the
    kind are not installed.
    """
    if spec.type in (SinkType.STDOUT, SinkType.STDERR):
        from tfgate.audit.sinks.stream import StreamSink

        return StreamSink(1 if spec.type is SinkType.STDOUT else 2)
    if spec.type is SinkType.HTTP:
        from tfgate.audit.sinks.http import HttpSink
        from tfgate.audit.sinks.peer import Peer

        assert spec.url is not None, "checked when it was read"
        peer = Peer(spec.url, seconds=spec.timeout_seconds, env=env, ca_file=_ca_file(spec))
        return HttpSink(
            peer,
            token=_secret(spec, spec.token_env, env),
            secret=_secret(spec, spec.secret_env, env),
        )
    raise UsageError(f"The sink {spec.name}: the type {spec.type} is not supported.")


def _ca_file(spec: SinkSpec) -> Path | None:
    return None if spec.ca_file is None else spec.folder / spec.ca_file


def _secret(spec: SinkSpec, variable: str | None, env: Mapping[str, str]) -> str | None:
    """Give what the variable holds. Without it nothing is sent, rather than sent without it."""
    if variable is None:
        return None
    value = env.get(variable, "").strip()
    if not value:
        raise SinkError(f"The variable {variable}, which the sink {spec.name} names, is not set.")
    if not (value.isascii() and value.isprintable()):
        raise SinkError(f"The variable {variable} does not hold printable ASCII.")
    return value
