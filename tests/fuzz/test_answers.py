"""Answers of programs and servers, and what is kept between runs, may be spoilt like any input."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from tests.support.fuzzing.endpoint import HOME
from tfgate.audit.sinks.spool import CursorFile
from tfgate.errors import AuditError
from tfgate.server.client import Client, Fetched, fetch_state
from tfgate.terraform.runner import Terraform

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.server.job import RunTask

SPOILT = {
    "nothing": b"",
    "no UTF-8": b'"\xff"',
    "no UTF-8 in it": b'{"terraform_version": "\xff", "data": {"attributes": {"\xff": 1}}}',
    "half a pair": b'{"terraform_version": "\\ud800", "provider_selections": {"\\ud800": "1"}}',
    "deep": b'{"x":' + b"[" * 100_000,
    "a list": b"[]",
    "wrong types": b'{"terraform_version": [], "provider_selections": [1], "data": 1}',
}


@pytest.fixture(params=SPOILT)
def spoilt(request: pytest.FixtureRequest) -> bytes:
    """One answer that is none."""
    return SPOILT[request.param]


def test_terraform(spoilt: bytes, tmp_path: Path) -> None:
    """What does not answer as Terraform would is none; what it has installed is not known."""
    answer = tmp_path / "answer"
    answer.write_bytes(spoilt)
    program = tmp_path / "terraform"
    program.write_text(f'#!/bin/sh\nexec cat "{answer}"\n')
    program.chmod(0o755)
    terraform = Terraform(kind="terraform", command=[str(program)], env={"PATH": "/usr/bin:/bin"})
    assert terraform.provider_versions(tmp_path) == {}


def test_state_of_a_workspace(spoilt: bytes) -> None:
    """The state counts as one that cannot be had."""

    class Answering:
        def fetch(self, *_: Any) -> Fetched:
            return Fetched(io.BytesIO(spoilt), "", len(spoilt))

    task = msgspec.defstruct(
        "Task", [("task_result_callback_url", str, HOME), ("workspace_id", str, "ws-1")]
    )()
    assert fetch_state(cast("Client", Answering()), cast("RunTask", task), "token", 1000) is None


def test_cursor_of_a_sink(spoilt: bytes, tmp_path: Path) -> None:
    """Where a sink stands is not guessed."""
    file = CursorFile(tmp_path / "cursor.json")
    file.path.write_bytes(spoilt)
    with pytest.raises(AuditError):
        file.load()
