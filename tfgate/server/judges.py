"""The judging processes, as the server sees them: one host in force, replaced as a whole."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING

import msgspec

from tfgate.errors import TfgateError
from tfgate.server.hosts import JudgeError
from tfgate.server.job import Job, Judgement, receive, send
from tfgate.server.judge_host import Ready, Start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.server.settings import Settings

_LOAD_SECONDS = 300.0


class Host:
    """One host process, loaded and ready."""

    def __init__(self, settings: Settings, env: Mapping[str, str]) -> None:
        """Start it and wait until it is ready. Raises ``TfgateError`` with what is wrong."""
        self.settings = settings
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tfgate.server.judge_host", str(number)],
                pass_fds=[number],
                env=_own_environment(),
                stdin=subprocess.DEVNULL,
            )
        try:
            self._control.settimeout(_LOAD_SECONDS)
            send(self._control, msgspec.json.encode(Start(settings, dict(env))))
            ready = msgspec.json.decode(receive(self._control), type=Ready)
            self._control.settimeout(None)
        except (OSError, EOFError):
            self.close()
            raise JudgeError("The judging process did not start.") from None
        if ready.error is not None:
            self.close()
            raise TfgateError(ready.error)
        self.rulesets = ready.rulesets

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def judge(self, job: Job, file: IO[bytes] | None) -> Judgement:
        """Have a child judge. Raises ``JudgeError`` where it ends without a word."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                handed = [theirs.fileno(), *([file.fileno()] if file is not None else [])]
                try:
                    with self._lock:
                        socket.send_fds(self._control, [b"j"], handed)
                except OSError:
                    raise JudgeError("The judging process is gone.") from None
            ours.settimeout(job.seconds + 10)
            try:
                send(ours, msgspec.json.encode(job))
                return msgspec.json.decode(receive(ours), type=Judgement)
            except (OSError, EOFError, msgspec.DecodeError, UnicodeError, RecursionError):
                raise JudgeError(
                    "The judgement ended without a result: it may have taken more time or memory "
                    "than limits.judge_seconds and limits.judge_memory_bytes give it."
                ) from None

    def close(self) -> None:
        """Let it end; children that are at work finish and answer all the same."""
        self._control.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Judges:
    """Judges with the host in force, so many at once."""

    def __init__(self, host: Host, env: Mapping[str, str]) -> None:
        self._host = host
        self._env = env
        self._swap = threading.Lock()
        self._places = threading.BoundedSemaphore(host.settings.limits.judges)

    @property
    def host(self) -> Host:
        """The host in force."""
        return self._host

    def judge(self, job: Job, file: IO[bytes] | None, host: Host) -> Judgement:
        """Judge by the rules of ``host``. Raises ``JudgeError``."""
        with self._places:
            return host.judge(job, file)

    def reload(self, settings: Settings) -> tuple[str, ...]:
        """Put new rules in force, all of them at once; give their names.

        Raises ``TfgateError`` where anything is wrong: the old ones stay in force.
        """
        with self._swap:
            fresh = Host(settings, self._env)
            old, self._host = self._host, fresh
        # What was begun with the old rules is finished with them.
        threading.Timer(1.0, old.close).start()
        return fresh.rulesets

    def revive(self) -> bool:
        """Start the host again where it died; whether one is alive now."""
        with self._swap:
            if self._host.alive():
                return True
            try:
                self._host = Host(self._host.settings, self._env)
            except TfgateError:
                return False
            return True

    def close(self) -> None:
        """Let the host end."""
        self._host.close()


def _own_environment() -> dict[str, str]:
    """Give a host no secret of the server: what judges needs none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TFGATE_")}
