"""Targets of the run-task server: bodies of requests, and what it downloads."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.fuzzing.clear import check_clear
from tfgate.errors import SourceError
from tfgate.server.asgi import Intake, Rate
from tfgate.server.evaluation import unpack, working_directory
from tfgate.server.job import RunTask, read_kept, read_task
from tfgate.server.peers import Allowed, read_origins

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 4 * 1024 * 1024


class Kept:
    """A store that keeps the tasks of one request."""

    def __init__(self) -> None:
        self.tasks: list[RunTask] = []

    def accept(self, _key: str, task: RunTask) -> bool:
        """Keep a task."""
        self.tasks.append(task)
        return True


class Silent:
    """A log."""

    def bind(self, **_: Any) -> Silent:
        """Return itself."""
        return self

    def info(self, *_: Any, **__: Any) -> None:
        """Say nothing."""

    warning = error = info


def run_task(data: bytes, _folder: Path) -> None:
    """Take a request in: only what names allowed hosts is kept, and it can be read again."""
    kept = Kept()
    allowed = Allowed(read_origins(["app.terraform.io"], "hcp.hosts"))
    intake = Intake((), allowed, kept, lambda _key: None, Silent(), Rate(10**6))  # type: ignore[arg-type] # stand-ins
    said = intake.take(data, "")
    assert said.status in (200, 400, 422, 429)
    signed = Intake(("k",), allowed, kept, lambda _key: None, Silent(), Rate(10**6))  # type: ignore[arg-type] # stand-ins
    assert signed.take(data, data[:200].decode("latin-1")).status == 401
    for task in kept.tasks:
        # As the client reads it, which is not the library that allowed it:
        assert httpx.URL(task.task_result_callback_url).host == "app.terraform.io"
        assert read_kept(task.without_token()).access_token == "-"
    if kept.tasks:
        read_task(data)


def archive(data: bytes, folder: Path) -> None:
    """Unpack a configuration: what comes of it lies below the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "deep" / "root"
    root.mkdir(parents=True)
    try:
        unpack(io.BytesIO(data), root, LIMIT)
        working_directory(root, data[:30].decode("latin-1"))
    except SourceError as error:
        check_clear(error)
    outside = [path for path in folder.rglob("*") if root not in path.parents and path != root]
    assert outside == [folder / "deep"]
    assert not any(path.is_symlink() for path in folder.rglob("*"))
