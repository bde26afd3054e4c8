"""The load script, in its short form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

SCRIPT = Path(__file__).parents[2] / "scripts" / "load" / "run_tasks.py"


@pytest.mark.slow
def test_many_at_once_and_in_sequence() -> None:
    """Sixty tasks at once and a hundred in sequence: each one right answer, and flat memory."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--at-once", "60", "--in-sequence", "100"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("twice: 0") == 2
