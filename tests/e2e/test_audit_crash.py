"""Writers in processes of their own: killed in a loop, fifty at once, out of room, interrupted."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfgate.audit.record import open_line
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import os, sys
from tfgate.audit.writer import AuditTrail
trail = AuditTrail(sys.argv[1])
name, count, size = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(count):
    record = trail.append("decision", {"decision_id": f"{name}-{number}", "note": "x" * size})
    os.write(1, f"{name}-{number}\\n".encode())
"""


def start(log: Path, name: str, count: int, size: int = 300) -> subprocess.Popen[str]:
    """Start a writer that says on its standard output which records it was told are safe."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(log), name, str(count), str(size)],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def written(log: Path) -> list[str]:
    """The decision ids in a log, in order."""
    records = [open_line(line) for line in log.read_bytes().splitlines()]
    return [record.fields["decision_id"] for record in records if record.event == "decision"]


@pytest.mark.slow
def test_killed_writers_lose_no_acknowledged_record(tmp_path: Path) -> None:
    """After each ``kill -9`` the trail verifies, and it holds whatever was acknowledged."""
    log, acknowledged = tmp_path / "audit.jsonl", set()
    chance = random.Random(7)
    for round_ in range(25):
        # Large records take many pages, so that some kills come in the middle of one.
        writer = start(log, f"r{round_}", 10_000, size=chance.choice([10, 3000, 400_000]))
        assert writer.stdout is not None
        acknowledged.add(writer.stdout.readline().strip())
        time.sleep(chance.random() * 0.03)
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        acknowledged.update(rest.split())
        result = verify([log])
        assert result.ok, result.problems
    AuditTrail(log).append("decision", {"decision_id": "last"})
    assert verify([log]).ok
    assert acknowledged <= set(written(log))


@pytest.mark.slow
def test_fifty_processes_lose_and_interleave_nothing(tmp_path: Path) -> None:
    """Each record of each process is there once, and each process's are in its order."""
    log = tmp_path / "audit.jsonl"
    writers = [start(log, f"p{number}", 5) for number in range(50)]
    for writer in writers:
        _, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err
    result = verify([log])
    assert (result.ok, result.records) == (True, 250)
    ids = written(log)
    for number in range(50):
        own = [name for name in ids if name.startswith(f"p{number}-")]
        assert own == [f"p{number}-{index}" for index in range(5)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_half_record(tmp_path: Path, number: signal.Signals) -> None:
    """An interrupted writer finishes the line it is at: there is nothing to recover."""
    log = tmp_path / "audit.jsonl"
    for delay in (0.0, 0.004, 0.011):
        writer = start(log, "w", 10_000, size=400_000)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(number)
        writer.communicate(timeout=30)
        assert writer.returncode != 0
        result = verify([log])
        assert (result.ok, result.notes) == (True, ())
    assert "recovered" not in verify([log]).events


def test_a_full_disk_is_an_error_and_leaves_whole_records(tmp_path: Path) -> None:
    """The kernel's file size limit stands for the disk: what was written of the line is removed."""
    log = tmp_path / "audit.jsonl"
    program = WRITER.replace("import os, sys", "import os, sys, resource") + "\n"
    limited = f"resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, {resource.RLIM_INFINITY}))\n"
    program = program.replace("trail =", limited + "trail =")
    done = subprocess.run(
        [sys.executable, "-c", program, str(log), "w", "100", "1500"],
        # Python 3.11 keeps a byte code file that it could only write the beginning of.
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AuditError" in done.stderr
    assert "File too large" in done.stderr
    result = verify([log])
    assert (result.ok, result.notes) == (True, ())
    assert written(log) == done.stdout.split()
