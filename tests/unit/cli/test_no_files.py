"""What is named as a file and is none: every command refuses it at once, in one sentence."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate.cli.main import main
from tfgate.opening import NotAFileError, open_file, open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    Capture = pytest.CaptureFixture[str]

WAIT = 30
"""Seconds that no refusal takes, on however slow a machine."""


def make_socket(path: Path) -> None:
    """A socket that nobody listens on any more."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


KINDS = {
    "pipe": os.mkfifo,
    "link to a pipe": lambda path: (os.mkfifo(f"{path}.there"), path.symlink_to(f"{path}.there")),
    "socket": make_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "directory": Path.mkdir,
}

PLAN = "good.json"
COMMANDS: dict[str, list[str]] = {
    "audit verify": ["audit", "verify", "X"],
    "audit verify --checkpoint": ["audit", "verify", "trail.jsonl", "--checkpoint", "X"],
    "audit search": ["audit", "search", "X"],
    "audit search, a second one": ["audit", "search", "trail.jsonl", "X"],
    "audit report": ["audit", "report", "X", "--format", "json"],
    "audit show": ["audit", "show", "abc", "--log", "X"],
    "check": ["check", "X", "-r", "rules.toml", "--no-audit"],
    "check --audit-log": ["check", PLAN, "-r", "rules.toml", "--audit-log", "X"],
    "check --config": ["check", PLAN, "--config", "X"],
    "check --ruleset": ["check", PLAN, "-r", "X", "--no-audit"],
    "check --source": ["check", "--source", "X", "--no-audit"],
    "eval": ["eval", "X", "type"],
    "explain": ["explain", "X", "-r", "rules.toml", "--rule", "T-1", "--address", "a.b"],
    "review": ["review", "X", "-r", "rules.toml"],
    "approve": ["approve", "X", "--key", "key", "--reason", "r"],
    "rules test": ["rules", "test", "X"],
    "rules list": ["rules", "list", "-r", "X"],
    "schema index": ["schema", "index", "--from", "X", "--out", "made"],
    "serve": ["serve", "--config", "X"],
    "atlantis doctor": ["atlantis", "doctor", "--repos", "X"],
}
TAKES_DIRECTORIES = {
    "audit verify", "audit verify --checkpoint", "audit search", "audit search, a second one",
    "audit report", "audit show", "check", "check --source", "check --ruleset", "rules test",
    "rules list", "schema index",
}  # fmt: skip
READS_DEVICES = {"check", "eval", "explain", "review"}
"""Commands that read a plan: a device (a terminal) is read to its end, up to a bound."""


@contextlib.contextmanager
def soon() -> Iterator[None]:
    """Fail where the block waits for something that does not come."""

    def late(*_: Any) -> None:
        pytest.fail("it waits for the other end of a pipe")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(WAIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a plan, a ruleset and a trail."""
    (tmp_path / PLAN).write_bytes(plan_bytes(change("aws_s3_bucket.a", after={"a": 1})))
    (tmp_path / "rules.toml").write_text(HEADER + rule(require="after"))
    (tmp_path / "trail.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_file_is_refused_at_once(
    folder: Path, capsys: Capture, command: str, kind: str
) -> None:
    """By every command that opens what somebody names; none waits, none allows."""
    if (kind == "directory" and command in TAKES_DIRECTORIES) or (
        kind == "device" and command in READS_DEVICES
    ):
        pytest.skip("this command takes it")
    KINDS[kind](folder / "named.json")
    with soon():
        code = main([word.replace("X", "named.json") for word in COMMANDS[command]])
    said = capsys.readouterr()
    assert code not in (0, 1), (said.out, said.err)
    assert "named.json" in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("kind", KINDS)
def test_opening(tmp_path: Path, kind: str) -> None:
    """A file is opened; of anything else it is said what it is."""
    path = tmp_path / "named"
    KINDS[kind](path)
    expected = IsADirectoryError if kind == "directory" else NotAFileError
    with soon(), pytest.raises(expected) as caught:
        open_file(path)
    if expected is NotAFileError:
        assert kind.split()[-1] in str(caught.value.strerror)


def test_a_link_is_followed_or_not(tmp_path: Path) -> None:
    """As the one who opens it wants it."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    with open_file(tmp_path / "link") as file:
        assert file.read() == b"x"
    with pytest.raises(OSError, match="symbolic link"):
        open_file(tmp_path / "link", follow=False)


def test_a_stream_that_is_open_is_read(tmp_path: Path) -> None:
    """By its number, as a shell names it; a pipe of any other name is not."""
    ours, theirs = os.pipe()
    os.write(theirs, b"plan")
    os.close(theirs)
    with open_stream(f"/dev/fd/{ours}") as file:
        assert file.read() == b"plan"
    os.close(ours)
    os.mkfifo(tmp_path / "pipe")
    with soon(), pytest.raises(NotAFileError):
        open_stream(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    "line", ["cat good.json | $T -", "$T <(cat good.json)", "$T /dev/stdin < good.json"]
)
def test_a_plan_out_of_a_pipe(folder: Path, line: str) -> None:
    """Standard input and a shell's process substitution are read."""
    command = f"{sys.executable} -m tfgate check -r rules.toml --no-audit"
    ended = subprocess.run(
        ["bash", "-c", line.replace("$T", command)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("ALLOWED")


def test_a_report_into_a_pipe(folder: Path, capsys: Capture) -> None:
    """It is written where somebody reads, and nobody is waited for."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    words = ["check", PLAN, "-r", "rules.toml", "--no-audit", "--report", f"json={pipe}"]
    with soon():
        assert main(words) == 3
    assert "a pipe or a socket that nobody reads" in capsys.readouterr().err
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(words) == 0
        assert os.read(reader, 1) == b"{"
    finally:
        os.close(reader)
