"""The process that holds the rules in memory and forks a child for each evaluation.

A child costs a few milliseconds, shares the loaded rules, cannot harm its siblings, leaves no
memory behind and can be limited in time and space. The rules in a host never change: a reload is a
new host, which takes over when it has loaded everything, or never.

The host is the program `PROGRAM` with the number of a socket. The socket brings a start message,
then one byte a job together with its file descriptors: the job's own socket, and the file to
evaluate. The host ends when the other side closes the socket.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Final

import msgspec
import re2
import rfc8785

import tfgate.audit.writer
import tfgate.hcl
from tfgate.errors import TfgateError
from tfgate.server.evaluation import ReviewPage, evaluate, undecided
from tfgate.server.job import Evaluation, Job, receive, send
from tfgate.server.peers import HostError
from tfgate.server.settings import Policy, Settings, load_policies

PROGRAM: Final = "tfgate.cli.evaluation_host"
"""The module that calls `run_host`, with the renderer of another feature: the server starts it by
its name, and knows neither it nor that feature."""
_LOAD_SECONDS = 300.0
_PRELOADED = (re2, rfc8785, tfgate.audit.writer, tfgate.hcl)
"""What an evaluation imports late: imported before the fork, so that no child does it again."""


class Start(msgspec.Struct):
    """First message to a host."""

    settings: Settings
    env: dict[str, str]


class Ready(msgspec.Struct):
    """Its answer."""

    error: str | None = None
    rulesets: tuple[str, ...] = ()
    """``id version digest`` of everything that is loaded."""


# The host itself.


def run_host(descriptor: int, page: ReviewPage) -> int:
    """Load the rules, answer that they are loaded, and fork until the other side is gone.

    ``page`` renders the page of each evaluated plan. Returns the exit code.
    """
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    # A terminal's ctrl-C is for the server; it lets its host finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        start = msgspec.json.decode(receive(control), type=Start)
    except (EOFError, OSError):  # the server is gone before it has begun
        return 1
    try:
        policies = load_policies(start.settings, start.env)
    except TfgateError as error:
        _answer(control, Ready(error=str(error)))
        return 1
    rulesets = {
        f"{ruleset.header.id} {ruleset.header.version} {ruleset.digest}": None
        for policy in policies
        for ruleset in policy.rulesets.values()
    }
    if not _answer(control, Ready(rulesets=tuple(rulesets))):
        return 1
    # Nobody waits for the children: the kernel may forget them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    return _fork_for_each_job(control, policies, start.env, page)


def _answer(control: socket.socket, ready: Ready) -> bool:
    """Answer the server; False where it is gone meanwhile."""
    try:
        send(control, msgspec.json.encode(ready))
    except ConnectionError:
        return False
    return True


def _fork_for_each_job(
    control: socket.socket, policies: tuple[Policy, ...], env: dict[str, str], page: ReviewPage
) -> int:
    while True:
        try:
            byte, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        except ConnectionError:  # the server was killed before it had read everything
            return 1
        if not byte:
            return 0
        if os.fork() == 0:
            control.close()
            _child(descriptors, policies, env, page)
        for descriptor in descriptors:
            os.close(descriptor)


def _child(
    descriptors: list[int], policies: tuple[Policy, ...], env: dict[str, str], page: ReviewPage
) -> None:
    """Evaluate and end; nothing of the host's own code runs after this."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        connection = socket.socket(fileno=descriptors[0])
        job = msgspec.json.decode(receive(connection), type=Job)
        _limit(job)
        try:
            evaluation = _evaluate(job, descriptors[1:], policies, env, page)
        except MemoryError:
            evaluation = undecided("evaluating needs more memory than limits.judge_memory_bytes.")
        send(connection, msgspec.json.encode(evaluation))
        code = 0
    except BaseException as error:
        # The type alone: a message may hold a value out of a plan.
        sys.stderr.write(f"tfgate: an evaluation ended by {type(error).__name__}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _evaluate(
    job: Job, files: list[int], policies: tuple[Policy, ...], env: dict[str, str], page: ReviewPage
) -> Evaluation:
    policy = policies[job.policy]
    if not files:
        return evaluate(job, None, policy, env, page)
    with os.fdopen(files[0], "rb") as file:
        file.seek(0)
        return evaluate(job, file if job.has_file else None, policy, env, page)


def _limit(job: Job) -> None:
    """Bound what this process may take; past its time it is gone."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(job.seconds)
    if job.memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["TMPDIR"] = job.folder


# The host as the server sees it: one in force, replaced as a whole.


class Host:
    """One host process, loaded and ready."""

    def __init__(self, settings: Settings, env: Mapping[str, str]) -> None:
        """Start it and wait until it is ready. Raises ``TfgateError`` with what is wrong."""
        self.settings = settings
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        # No secret of the server: an evaluation needs none.
        own = {name: text for name, text in os.environ.items() if not name.startswith("TFGATE_")}
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(number)],
                pass_fds=[number],
                env=own,
                stdin=subprocess.DEVNULL,
            )
        try:
            self._control.settimeout(_LOAD_SECONDS)
            send(self._control, msgspec.json.encode(Start(settings, dict(env))))
            ready = msgspec.json.decode(receive(self._control), type=Ready)
            self._control.settimeout(None)
        except (OSError, EOFError):
            self.close()
            raise HostError("The evaluation process did not start.") from None
        if ready.error is not None:
            self.close()
            raise TfgateError(ready.error)
        self.rulesets = ready.rulesets

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def evaluate(self, job: Job, file: IO[bytes] | None) -> Evaluation:
        """Have a child evaluate. Raises ``HostError`` where it ends without a result."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                handed = [theirs.fileno(), *([file.fileno()] if file is not None else [])]
                try:
                    with self._lock:
                        socket.send_fds(self._control, [b"j"], handed)
                except OSError:
                    raise HostError("The evaluation process is gone.") from None
            ours.settimeout(job.seconds + 10)
            try:
                send(ours, msgspec.json.encode(job))
                return msgspec.json.decode(receive(ours), type=Evaluation)
            except (OSError, EOFError, msgspec.DecodeError, UnicodeError, RecursionError):
                raise HostError(
                    "The evaluation ended without a result: it may have taken more time or memory "
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


class Evaluators:
    """The host in force, and how many evaluations run at once."""

    def __init__(self, host: Host, env: Mapping[str, str]) -> None:
        self.host = host
        self._env = env
        self._swap = threading.Lock()
        self._places = threading.BoundedSemaphore(host.settings.limits.judges)

    def evaluate(self, job: Job, file: IO[bytes] | None, host: Host) -> Evaluation:
        """Evaluate by the rules of ``host``. Raises ``HostError``."""
        with self._places:
            return host.evaluate(job, file)

    def reload(self, settings: Settings) -> tuple[str, ...]:
        """Put new rules in force, all of them at once; return their names.

        Raises ``TfgateError`` where anything is wrong: the old ones stay in force.
        """
        with self._swap:
            fresh = Host(settings, self._env)
            old, self.host = self.host, fresh
        # What was begun with the old rules is finished with them.
        threading.Timer(1.0, old.close).start()
        return fresh.rulesets

    def revive(self) -> bool:
        """Start the host again where it died; whether one is alive now."""
        with self._swap:
            if self.host.alive():
                return True
            try:
                self.host = Host(self.host.settings, self._env)
            except TfgateError:
                return False
            return True
