"""Standard streams that cannot be written, readers that go away: never exit code 0, never 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FULL = Path("/dev/full")


def run(shell: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``tfgate`` with the redirections that ``shell`` writes after it."""
    command = f'"$0" -m tfgate "$@" {shell}'
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["sh", "-c", command, sys.executable, *arguments],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["rules list", "--version", "completion bash", "config"])
def test_output_that_cannot_be_written(command: str) -> None:
    """What was asked for and could not be said is no success, and no bug either."""
    done = run("> /dev/full", *command.split())
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "unexpected" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code"), [(["rules", "lis"], 2), (["audit", "verify", "none"], 3)]
)
def test_sentence_that_cannot_be_written(arguments: list[str], code: int) -> None:
    """Where standard error is full or closed the exit code says the same."""
    assert run("2> /dev/full", *arguments).returncode == code
    assert run("2>&-", *arguments).returncode == code


def test_closed_output() -> None:
    """Without a standard output what would be printed cannot be, and that is said."""
    done = run(">&-", "rules", "list")
    assert done.returncode == 3
    assert "Standard output is closed" in done.stderr


def test_reader_that_goes_away() -> None:
    """A reader that has seen enough is no denial (exit code 1)."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tfgate", "rules", "list"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    gone = subprocess.run(command, env=env, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (gone.returncode, gone.stderr) == (3, b"")
