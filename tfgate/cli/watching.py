"""Runs something again whenever files change, until it is interrupted."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from tfgate.cli.output import write_out
from tfgate.errors import TfgateError
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SECONDS: Final = 0.5
"""Between two looks. Polling needs no dependency, and a ruleset is some hundred files."""
_SUFFIXES: Final = (".toml", ".json", ".tf")


def watch_files(
    run: Callable[[], int],
    paths: Callable[[], Iterable[Path]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``run`` at once and after each change below ``paths``, until Ctrl-C.

    A ruleset with a mistake is no reason to stop: its author is about to mend it.
    """
    before: dict[str, int] | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            now = _stamps(paths())
            if now != before:
                before = now
                _run(run)
            sleep(SECONDS)


def _run(run: Callable[[], int]) -> None:
    try:
        run()
    except TfgateError as error:
        write_out("".join(f"{console(line)}\n" for line in str(error).split("\n")))
    write_out("watching for changes; Ctrl-C ends it\n")


def _stamps(paths: Iterable[Path]) -> dict[str, int]:
    """Give each file with the time of its last change, in nanoseconds."""
    found: dict[str, int] = {}
    for path in paths:
        files = [path] if path.is_file() else path.rglob("*")
        for file in files:
            if file.name.endswith(_SUFFIXES):
                try:
                    found[os.fspath(file)] = file.stat().st_mtime_ns
                except OSError:  # gone between the two
                    continue
    return found
