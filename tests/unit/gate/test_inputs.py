"""How much of a plan is read, and what happens to more."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tfgate.cli.main import main
from tfgate.gate import inputs

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_plan_that_is_too_large_is_refused_unread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its size, before a byte of it is in memory; the refusal is on record."""
    plan, log = tmp_path / "plan.json", tmp_path / "audit.jsonl"
    with plan.open("wb") as file:
        file.truncate(inputs.MAX_INPUT_BYTES + 1)  # a hole: it takes no room
    assert main(["check", str(plan), "-r", "tfgate:core", "--audit-log", str(log)]) == 3
    assert "The plan is larger than 2 GiB" in capsys.readouterr().err
    (record,) = (json.loads(line) for line in log.read_text().splitlines())
    assert record["event"] == "undecided"


def test_a_stream_that_does_not_end_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As soon as it is longer than a plan may be: from standard input, or out of a pipe."""
    monkeypatch.setattr(inputs, "MAX_INPUT_BYTES", 3_000_000)
    arguments = ["-r", "tfgate:core", "--no-audit"]
    assert main(["check", "/dev/zero", *arguments]) == 3
    with open("/dev/zero") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        assert main(["check", "-", *arguments]) == 3
    assert capsys.readouterr().err.count("The plan is larger than") == 2
