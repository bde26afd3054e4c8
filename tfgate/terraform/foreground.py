"""Run a command in the user's stead: their terminal, their streams, each signal once.

Two ways a signal comes. From the terminal (Ctrl-C) the kernel sends it to every process of the
foreground group, so the command has it already, and a second one would make Terraform stop at
once and lose state. From ``kill`` (a CI runner that cancels) it comes to this process alone and
must be passed on. So where there is a terminal the command shares our group, and what the
terminal sends is not repeated; where there is none the command gets a group of its own, and
everything is passed on, once, even what was sent to our whole group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

# What a terminal can send to its foreground group, and what only a process sends.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGHUP")
_FROM_PROCESSES = ("SIGTERM", "SIGUSR1", "SIGUSR2")


# Popen has process_group from 3.11 on. Before, the same system call between fork and exec.
_OWN_GROUP: dict[str, Any] = (
    {"process_group": 0}
    if sys.version_info >= (3, 11)
    else {"preexec_fn": partial(os.setpgid, 0, 0)}
)


class Finished(NamedTuple):
    """How a command ended."""

    exit_code: int
    """As a shell reports it: 128 + the signal's number where one ended the command."""
    signals: tuple[int, ...] = ()
    """Signals that came to this process meanwhile, in order."""

    @property
    def interrupted(self) -> bool:
        """Whether somebody asked for it to stop."""
        return bool(self.signals)


def run_foreground(
    command: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    on_stdout: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run ``command`` and wait for its end, whatever signals come.

    Called from another thread than the main one it cannot take signals; they then act on this
    process as before. Raises ``OSError`` where the command cannot be started.
    """
    import subprocess

    terminal = _terminal()
    own_group = terminal is None and sys.platform != "win32"
    received: list[int] = []
    try:
        with _Relay(terminal, received) as relay:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(env),
                stdout=None if on_stdout is None else subprocess.PIPE,
                **(_OWN_GROUP if own_group else {}),
            )
            relay.pass_on_to(process)
            code = _wait(process, on_stdout)
    finally:
        if terminal is not None:
            os.close(terminal)
    return Finished(code if code >= 0 else 128 - code, tuple(received))


def _terminal() -> int | None:
    """Open the controlling terminal, or give ``None`` where this process has none."""
    try:
        return os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return None


def _wait(process: subprocess.Popen[bytes], on_stdout: Callable[[bytes], None] | None) -> int:
    if on_stdout is not None and process.stdout is not None:
        with process.stdout as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                on_stdout(chunk)
    return process.wait()


class _Relay:
    """Takes this process's signals while a command runs, and passes on what it has not got."""

    def __init__(self, terminal: int | None, received: list[int]) -> None:
        self._terminal = terminal
        self._received = received
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Relay:
        if threading.current_thread() is threading.main_thread():
            for number in _numbers((*_FROM_TERMINAL, *_FROM_PROCESSES)):
                # What our parent ignores (nohup) the command inherits as ignored: leave it so.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave us

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Name the command, and pass on what came before it could be named."""
        self._process = process
        while self._early:
            self._send(self._early.pop(0))

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        if self._process is None:
            self._early.append(number)
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        if self._process is None or self._has_it_already(number):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.send_signal(number)

    def _has_it_already(self, number: int) -> bool:
        """Whether the terminal sent this to the command as well."""
        if self._terminal is None or number not in _numbers(_FROM_TERMINAL):
            return False
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:  # the terminal is gone: its hang-up went to everybody
            return True


def _numbers(names: tuple[str, ...]) -> Iterator[int]:
    return (getattr(signal, name) for name in names if hasattr(signal, name))
