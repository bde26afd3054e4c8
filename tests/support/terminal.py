"""A command at a real pseudo-terminal: what it shows to who answers its questions."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def at_terminal(
    arguments: Sequence[str],
    *,
    answers: Sequence[str] = (),
    cwd: Path,
    env: Mapping[str, str] | None = None,
    quiet: float = 1.5,
    limit: float = 60.0,
) -> str:
    """Run ``tfgate`` at a terminal, type a line whenever it is quiet, and return the screen.

    ``quiet`` are seconds without output after which the next answer is typed; the process is
    stopped after ``limit`` seconds.
    """
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "HOME": str(cwd), **(env or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "tfgate", *arguments],
        stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=environment, close_fds=True,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown = b""
    left = list(answers)
    end = time.monotonic() + limit
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], quiet)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                if not data:
                    break
                if b"\x1b[6n" in data:  # a terminal answers where its cursor is
                    os.write(master, b"\x1b[1;1R")
                shown += data
            elif left and shown:
                os.write(master, left.pop(0).encode() + b"\r")
            elif process.poll() is not None:
                break
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")
