"""The OpenTelemetry sink: what a collector gets, read with OpenTelemetry's own messages."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from tests.support.hostile import SAMPLES
from tests.support.receiver import Receiver, receiving
from tests.support.sinks import Delivering
from tfgate.audit.events import CHAIN, EVENTS, PROOF, RUN, attributes
from tfgate.audit.sinks.deliver import State
from tfgate.audit.sinks.interface import Batch
from tfgate.audit.sinks.make import make_sink
from tfgate.audit.sinks.otel import request_of
from tfgate.ruleset.sinks import SinkSpec, SinkType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Controls, format characters, halves of pairs, separators of lines."""
DENIED = {
    "decision_id": "d-1",
    "workspace": "prod",
    "operator": "carl@acme.example",
    "plan_sha256": "a" * 64,
    "decision": "deny",
    "undecided": False,
    "reasons": ["T-1 failed", "so did T-2"],
    "run": {"id": "77", "url": "https://ci.example/77", "commit": "c0ffee", "details": {"x": "y"}},
    "rulesets": [{"id": "acme", "version": "1.0.0"}],
    "counts": {"fail": 2, "pass": 40},
    "versions": {"tfgate": "0.1.0", "terraform": None},
    "findings": [{"rule": "T-1"}],
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A collector."""
    with receiving() as running:
        yield running


def sink(receiver: Receiver, tmp_path: Path, path: str = "", **more: str) -> Any:
    """The sink for it."""
    url = f"http://127.0.0.1:{receiver.port}{path}"
    spec = SinkSpec(name="otel", type=SinkType.OTEL, folder=tmp_path, url=url, **more)
    return make_sink(spec, {"TFGATE_SINK_T": "t0ken-t0ken"})


def logs(receiver: Receiver) -> list[LogRecord]:
    """Every log record that came."""
    return [
        log
        for request in receiver.requests
        for resource in ExportLogsServiceRequest.FromString(request.body).resource_logs
        for scope in resource.scope_logs
        for log in scope.log_records
    ]


def plain(value: AnyValue) -> Any:
    """What a value holds."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, str(kind))


def test_records_become_events(receiver: Receiver, tmp_path: Path) -> None:
    """With a name, a time, a severity, the line as the body, and members as attributes."""
    delivering = Delivering(tmp_path)
    delivering.trail.append("decision", DENIED)
    delivering.trail.append("apply_finished", {"decision_id": "d-1", "exit_code": 0})
    assert delivering.deliver(sink(receiver, tmp_path, token_env="TFGATE_SINK_T")).sent == 2
    (request,) = receiver.requests
    assert request.path == "/v1/logs"
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["authorization"] == "Bearer t0ken-t0ken"
    denied, finished = logs(receiver)
    assert (denied.event_name, denied.severity_text) == ("tfgate.decision", "WARN")
    assert (finished.event_name, finished.severity_text) == ("tfgate.apply_finished", "INFO")
    moment = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
    assert denied.time_unix_nano == int(moment.timestamp()) * 10**9
    lines = [denied.body.string_value, finished.body.string_value]
    assert "".join(f"{line}\n" for line in lines).encode() == delivering.log.read_bytes()
    record = request_records(delivering)[0]
    assert {each.key: plain(each.value) for each in denied.attributes} == {
        "tfgate.chain": record.hash,
        "tfgate.record.seq": 0,
        "tfgate.record.prev": "0" * 64,
        "log.record.uid": record.hash,
        "tfgate.decision.id": "d-1",
        "tfgate.workspace": "prod",
        "user.name": "carl@acme.example",
        "tfgate.plan.sha256": "a" * 64,
        "tfgate.decision.verdict": "deny",
        "tfgate.undecided": False,
        "tfgate.reasons": ["T-1 failed", "so did T-2"],
        "cicd.pipeline.run.id": "77",
        "cicd.pipeline.run.url.full": "https://ci.example/77",
        "vcs.ref.head.revision": "c0ffee",
        "tfgate.rulesets": ["acme@1.0.0"],
        "tfgate.outcomes.fail": 2,
        "tfgate.outcomes.pass": 40,
        "tfgate.versions.tfgate": "0.1.0",
    }


def request_records(delivering: Delivering) -> list[Any]:
    """The records of the trail."""
    from tfgate.audit.record import open_line

    return [open_line(line) for line in delivering.log.read_bytes().splitlines()]


def test_the_resource_says_who_sends(receiver: Receiver, tmp_path: Path) -> None:
    """service.name, which every backend groups by."""
    delivering = Delivering(tmp_path)
    delivering.write(1)
    delivering.deliver(sink(receiver, tmp_path, token_env="TFGATE_SINK_T", token_header="Api-Key"))
    request = ExportLogsServiceRequest.FromString(receiver.requests[0].body)
    named = {each.key: plain(each.value) for each in request.resource_logs[0].resource.attributes}
    assert named["service.name"] == "tfgate"
    assert receiver.requests[0].headers["api-key"] == "t0ken-t0ken"
    assert "authorization" not in receiver.requests[0].headers


@pytest.mark.parametrize(
    ("path", "asked"), [("", "/v1/logs"), ("/", "/v1/logs"), ("/otlp/v1/logs", "/otlp/v1/logs")]
)
def test_an_address_without_a_path_gets_the_usual_one(
    receiver: Receiver, tmp_path: Path, path: str, asked: str
) -> None:
    """Another path is taken as it is."""
    delivering = Delivering(tmp_path)
    delivering.write(1)
    delivering.deliver(sink(receiver, tmp_path, path))
    assert receiver.requests[0].path == asked


def test_what_a_collector_left_out_was_not_delivered(receiver: Receiver, tmp_path: Path) -> None:
    """A partial success is answered with 200 and is none; a whole one may say so."""
    delivering = Delivering(tmp_path)
    delivering.write(3)
    partial = ExportLogsPartialSuccess(
        rejected_log_records=1, error_message="too\nlong t0ken-t0ken"
    )
    receiver.body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    outcome = delivering.deliver(sink(receiver, tmp_path, token_env="TFGATE_SINK_T"))
    assert outcome.state is State.FAILED
    assert "took the batch without 1 record(s): too long (secret)" in str(outcome.reason)
    assert delivering.file.load().place is None
    receiver.body = ExportLogsServiceResponse().SerializeToString()
    assert delivering.deliver(sink(receiver, tmp_path)).state is State.DONE


def test_events_of_a_later_version_are_delivered(tmp_path: Path) -> None:
    """What this version has no names for is in the body, as everything is."""
    delivering = Delivering(tmp_path)
    delivering.trail.append("invented", {"what": "ever"})
    (record,) = request_records(delivering)
    assert sorted(attributes(record)) == [
        "log.record.uid", "tfgate.record.prev", "tfgate.record.seq",
    ]  # fmt: skip
    assert request_of(Batch("c", (record,)), 1).ByteSize() > 100


@pytest.mark.parametrize("event", EVENTS)
def test_every_name_of_the_table_is_what_is_sent(tmp_path: Path, event: str) -> None:
    """And nothing else is: the table and what a collector gets cannot drift apart."""
    made: dict[str, Any] = {}
    for name, member in EVENTS[event].members.items():
        if name == "rulesets":
            made[name] = [{"id": "a", "version": "1"}]
        elif "*" in (member.otel or ""):
            made[name] = dict.fromkeys(("one", *RUN, *PROOF), "x")
        else:
            made[name] = "x"
    delivering = Delivering(tmp_path)
    delivering.trail.append(event, made)
    sent = set(attributes(request_records(delivering)[0]))
    named = {CHAIN[name].otel for name in ("seq", "prev", "hash")}
    for name, member in EVENTS[event].members.items():
        for otel in (member.otel or "").split(", "):
            if otel.endswith("*"):
                matching = {one for one in sent if one.startswith(otel[:-1])}
                assert matching, name
                named |= matching
            elif otel:
                named.add(otel)
    assert sent == named


def test_no_collector_gets_a_character_that_nobody_sees(receiver: Receiver, tmp_path: Path) -> None:
    """Each hostile text alone in a record: as its attributes, as the line that is the body."""
    delivering = Delivering(tmp_path)
    for text in SAMPLES.values():
        about = {**DENIED, "workspace": text, "operator": text, "reasons": [text], text: text}
        about["run"] = dict.fromkeys(("id", "url", "commit"), text)
        delivering.trail.append("decision", about)
    assert delivering.deliver(sink(receiver, tmp_path)).sent == len(SAMPLES)
    for log in logs(receiver):
        texts = [log.body.string_value, *(str(plain(each.value)) for each in log.attributes)]
        acting = [char for char in "".join(texts) if unicodedata.category(char) in ACTING]
        assert set(acting) <= {"\n", "\t"}
