"""Delivery beside a command or a server, by the parts that a program test cannot reach."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.receiver import Receiver, receiving
from tfgate.audit.writer import AuditTrail
from tfgate.errors import NotDeliveredError
from tfgate.gate import delivery as delivering
from tfgate.gate.delivery import Target, delivery_of, finish_deliveries, require, targets_of
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfgate.ruleset import GateConfig


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint."""
    with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """No thread outlives its test."""
    yield
    finish_deliveries()


def configured(folder: Path, port: int) -> GateConfig:
    """A configuration with one sink."""
    (folder / "tfgate.toml").write_text(
        f'[[sinks]]\nname = "siem"\ntype = "http"\nurl = "http://127.0.0.1:{port}/"\n'
    )
    return load_gate_config(folder, {})


def target(folder: Path, port: int) -> Target:
    """The sink."""
    (found,) = targets_of(configured(folder, port), folder / "audit.jsonl", {})
    return found


@pytest.mark.slow
def test_a_server_has_one_thread_a_sink(tmp_path: Path, receiver: Receiver) -> None:
    """However many recorders it makes; and what fails is tried again without a new record."""
    receiver.answers = [503]
    config, log = configured(tmp_path, receiver.port), tmp_path / "audit.jsonl"
    trail = AuditTrail(log)
    called: list[AuditTrail] = []
    for _ in range(20):
        after = delivery_of(config, log, {}, called.append)
        assert after is not None
        trail.append("command", {})
        after(trail)
    assert len(called) == 20
    threads = [each for each in threading.enumerate() if each.name == "tfgate-sink"]
    assert len(threads) == 1
    assert receiver.wait_for(1)
    end = time.monotonic() + 30
    while receiver.numbers[-1:] != [19] and time.monotonic() < end:
        time.sleep(0.05)
    assert receiver.numbers == list(range(20))
    assert finish_deliveries() == []
    assert not [each for each in threading.enumerate() if each.name == "tfgate-sink"]


def test_without_time_nothing_is_begun(tmp_path: Path, receiver: Receiver) -> None:
    """``sink_seconds = 0`` leaves it to ``audit deliver``."""
    config = configured(tmp_path, receiver.port)
    config = load_gate_config(tmp_path, {"TFGATE_AUDIT_SINK_SECONDS": "0"})
    assert delivery_of(config, tmp_path / "audit.jsonl", {}, None) is None
    assert delivering._running == []


def test_a_higher_number_of_another_trail_is_no_delivery(
    tmp_path: Path, receiver: Receiver
) -> None:
    """A required sink that has record 9 of a trail that is gone has not record 1 of this one."""
    sink = target(tmp_path, receiver.port)
    trail = AuditTrail(sink.log)
    for _ in range(10):
        record = trail.append("command", {})
    require(sink, record, 20)
    lines = sink.log.read_bytes().splitlines(keepends=True)
    sink.log.write_bytes(lines[0])
    record = trail.append("command", {"other": 1})
    with pytest.raises(NotDeliveredError, match="its end was cut off"):
        require(sink, record, 20)
    sink.log.unlink()
    record = trail.append("command", {"other": 2})
    require(sink, record, 20)
    assert receiver.requests[-1].records[-1]["other"] == 2


def test_another_process_that_delivers_is_waited_for(tmp_path: Path, receiver: Receiver) -> None:
    """A watcher has the sink: what is required comes through it, or within the time."""
    receiver.pause = 0.5
    sink = target(tmp_path, receiver.port)
    record = AuditTrail(sink.log).append("command", {})
    other = threading.Thread(target=sink.deliver)
    other.start()
    time.sleep(0.1)
    require(sink, record, 20)
    other.join()
    assert receiver.numbers == [0]
