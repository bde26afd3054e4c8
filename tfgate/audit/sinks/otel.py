"""A collector that speaks OTLP over HTTP as a sink: one log record for each record.

The exporter of the OpenTelemetry SDK is not used: it reports neither why it failed nor that a
collector took a part only, follows redirects, and is configured by variables of the environment.
What is sent is made with OpenTelemetry's own messages (``opentelemetry-proto``).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.logs.v1.logs_pb2 import (
    SEVERITY_NUMBER_INFO,
    SEVERITY_NUMBER_WARN,
    LogRecord,
    ResourceLogs,
    ScopeLogs,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tfgate._version import __version__
from tfgate.audit.events import attributes, is_bad
from tfgate.audit.record import Record, moment_of
from tfgate.audit.sinks.http import check_taken, token_headers
from tfgate.audit.sinks.interface import Batch, Sink, SinkError
from tfgate.outbound import AGENT, Answer, Peer

PATH: Final = "/v1/logs"
"""Where collectors take logs, for an address without a path."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class OtelSink(Sink):
    """Exports batches as logs, and takes nothing but a whole success for one."""

    def __init__(
        self, peer: Peer, *, token: str | None = None, token_header: str | None = None
    ) -> None:
        self._peer = peer
        self._token = token_headers(token, token_header)

    def send(self, batch: Batch) -> None:
        """Export it."""
        body = request_of(batch, time.time_ns()).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf", "User-Agent": AGENT, **self._token}
        answer = self._peer.post(body, headers)
        check_taken(self._peer, answer)
        _check_whole(self._peer, answer)


def _check_whole(peer: Peer, answer: Answer) -> None:
    """Raise ``SinkError`` where the collector left records out: a trail has no gaps."""
    if "json" in answer.headers.get("content-type", ""):
        return  # not what was asked for; its status says that it was taken
    try:
        partial = ExportLogsServiceResponse.FromString(answer.body).partial_success
    except DecodeError:
        return
    if partial.rejected_log_records:
        why = peer.hide(partial.error_message)
        raise SinkError(
            f"{peer.host} took the batch without {partial.rejected_log_records} record(s): {why}"
        )


def request_of(batch: Batch, now: int) -> ExportLogsServiceRequest:
    """Return the request for a batch; ``now`` is in nanoseconds since 1970."""
    logs = [_log_record(record, batch.chain, now) for record in batch.records]
    scope = ScopeLogs(scope=InstrumentationScope(name="tfgate.audit"), log_records=logs)
    resource = Resource(
        attributes=[
            KeyValue(key="service.name", value=_value("tfgate")),
            KeyValue(key="service.version", value=_value(__version__)),
        ]
    )
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope])]
    )


def _log_record(record: Record, chain: str, now: int) -> LogRecord:
    bad = is_bad(record.event, record.fields)
    return LogRecord(
        time_unix_nano=_nanoseconds(record.time),
        observed_time_unix_nano=now,
        severity_number=SEVERITY_NUMBER_WARN if bad else SEVERITY_NUMBER_INFO,
        severity_text="WARN" if bad else "INFO",
        event_name=f"tfgate.{record.event}",
        # Byte for byte, so that it still proves itself wherever it is kept.
        body=_value(record.line.decode()),
        attributes=[
            KeyValue(key=name, value=_value(value))
            for name, value in {"tfgate.chain": chain, **attributes(record)}.items()
        ],
    )


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_value(one) for one in value]))
    return AnyValue(string_value=str(value))


def _nanoseconds(text: str) -> int:
    since = moment_of(text) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
