"""The process that evaluators for a server ends without a word when the server is gone."""

from __future__ import annotations

import socket
import subprocess
import sys

import msgspec

from tfgate.server.evaluation_host import PROGRAM, Start
from tfgate.server.job import receive, send
from tfgate.server.settings import Settings


def host(ours: socket.socket, theirs: socket.socket) -> subprocess.Popen[str]:
    """Start one, and tell it what to load: nothing."""
    send(ours, msgspec.json.encode(Start(settings=Settings(), env={})))
    command = [sys.executable, "-m", PROGRAM, str(theirs.fileno())]
    descriptors = [theirs.fileno()]
    return subprocess.Popen(command, pass_fds=descriptors, stderr=subprocess.PIPE, text=True)


def test_a_server_that_is_killed_before_its_host_has_loaded() -> None:
    """Its answer finds nobody."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = host(ours, theirs)
        ours.close()
    _, said = process.communicate(timeout=60)
    assert said == ""
    assert process.returncode == 1


def test_a_server_that_ends() -> None:
    """The host ends with it."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = host(ours, theirs)
    assert b"error" in receive(ours)
    ours.close()
    _, said = process.communicate(timeout=60)
    assert said == ""
    assert process.returncode == 0
