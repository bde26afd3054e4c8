"""The process that holds the rules in memory and forks a child for each judgement.

A child costs a few milliseconds, shares the loaded rules, cannot harm its siblings, leaves no
memory behind and can be limited in time and space. The rules in a host never change: a reload is a
new host, which takes over when it has loaded everything, or never.

Started as ``python -m tfgate.server.judge_host FD``. The socket ``FD`` brings a start message, then
one byte a job together with its file descriptors: the job's own socket, and the file to judge.
It ends when the other side closes the socket.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from tfgate.errors import TfgateError
from tfgate.server.job import Job, Judgement, receive, send
from tfgate.server.settings import Policy, Settings, load_policies


class Start(msgspec.Struct):
    """First message to a host."""

    settings: Settings
    env: dict[str, str]


class Ready(msgspec.Struct):
    """Its answer."""

    error: str | None = None
    rulesets: tuple[str, ...] = ()
    """``id version digest`` of everything that is loaded."""


def main(descriptor: int) -> int:
    """Load, say so, and fork until the other side is gone."""
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
        _say(control, Ready(error=str(error)))
        return 1
    _import_all()
    if not _say(control, Ready(rulesets=_facts(policies))):
        return 1
    # Nobody waits for the children: the kernel may forget them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    return _serve(control, policies, start.env)


def _say(control: socket.socket, ready: Ready) -> bool:
    """Answer the server; False where it is gone meanwhile, which is nothing to tell it."""
    try:
        send(control, msgspec.json.encode(ready))
    except ConnectionError:
        return False
    return True


def _serve(control: socket.socket, policies: tuple[Policy, ...], env: dict[str, str]) -> int:
    while True:
        try:
            byte, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        except ConnectionError:  # the server was killed before it had read everything
            return 1
        if not byte:
            return 0
        if os.fork() == 0:
            control.close()
            _child(descriptors, policies, env)
        for descriptor in descriptors:
            os.close(descriptor)


def _child(descriptors: list[int], policies: tuple[Policy, ...], env: dict[str, str]) -> None:
    """Judge and end; nothing of the host's own code runs after this."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        connection = socket.socket(fileno=descriptors[0])
        job = msgspec.json.decode(receive(connection), type=Job)
        _limit(job)
        send(connection, msgspec.json.encode(_judge(job, descriptors[1:], policies, env)))
        code = 0
    except BaseException as error:
        # The type alone: a message may hold a value out of a plan.
        sys.stderr.write(f"tfgate: a judgement ended by {type(error).__name__}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _judge(
    job: Job, files: list[int], policies: tuple[Policy, ...], env: dict[str, str]
) -> Judgement:
    from tfgate.server.judge import judge, undecided

    try:
        if not files:
            return judge(job, None, policies[job.policy], env)
        with os.fdopen(files[0], "rb") as file:
            file.seek(0)
            return judge(job, file if job.has_file else None, policies[job.policy], env)
    except MemoryError:
        return undecided("judging needs more memory than limits.judge_memory_bytes.")


def _limit(job: Job) -> None:
    """Bound what this process may take; past its time it is gone."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(job.seconds)
    if job.memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["TMPDIR"] = job.folder


def _facts(policies: tuple[Policy, ...]) -> tuple[str, ...]:
    found: dict[str, Any] = {}
    for policy in policies:
        for ruleset in policy.rulesets.values():
            header = ruleset.header
            found[f"{header.id} {header.version} {ruleset.digest}"] = None
    return tuple(found)


def _import_all() -> None:
    """Import what a judgement needs before the fork, so that no child does it again."""
    import jinja2
    import re2
    import rfc8785

    import tfgate.audit.writer
    import tfgate.hcl
    import tfgate.report.html
    import tfgate.server.judge

    assert all((jinja2, re2, rfc8785, tfgate))


if __name__ == "__main__":
    os.chdir(Path("/"))
    os._exit(main(int(sys.argv[1])))
