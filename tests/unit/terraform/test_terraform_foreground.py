"""Run a command in the user's stead: streams, exit code, and each signal once."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfgate.terraform.runner import Finished, run_foreground

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]

# Notes each signal it gets, and ends well a moment after the first.
CHILD = """
import signal, sys, time
got = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda n, f: got.append(n))
print("tty" if sys.stdout.isatty() else "pipe", flush=True)
open(sys.argv[1] + ".ready", "w").close()
while not got:
    time.sleep(0.01)
time.sleep(0.3)
open(sys.argv[1], "w").write(" ".join(str(int(n)) for n in got))
sys.exit(7)
"""
DRIVER = """
import os, sys
from tfgate.terraform.runner import run_foreground
child = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
done = run_foreground(child, cwd="/", env=dict(os.environ))
open(sys.argv[2] + ".done", "w").write(repr((done.exit_code, [int(n) for n in done.signals])))
"""


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "note"


def start(note: Path, *, terminal: int | None = None) -> subprocess.Popen[bytes]:
    """Start the driver in a session of its own, with ``terminal`` as its terminal if given."""
    command = [sys.executable, "-c", DRIVER, CHILD, str(note)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    if terminal is None:
        return subprocess.Popen(
            command, env=env, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    # setsid --ctty makes the terminal the session's own, as a login does.
    return subprocess.Popen(
        ["setsid", "--ctty", *command], env=env, stdin=terminal, stdout=terminal, stderr=terminal
    )


def wait_for(path: Path, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def outcome(note: Path, driver: subprocess.Popen[bytes]) -> tuple[str, str]:
    driver.wait(timeout=15)
    return note.read_text(), note.with_name("note.done").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("group", [False, True])
def test_without_a_terminal_each_signal_arrives_once(number: int, group: bool, note: Path) -> None:
    """A CI runner may signal the gate alone or its whole group: Terraform gets it once."""
    driver = start(note)
    wait_for(note.with_name("note.ready"))
    (os.killpg if group else os.kill)(driver.pid, number)
    assert outcome(note, driver) == (str(int(number)), f"(7, [{int(number)}])")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_ctrl_c_at_a_terminal_arrives_once(terminal: tuple[int, int], note: Path) -> None:
    """The terminal sends it to the whole foreground group; it is not repeated."""
    ours, theirs = terminal
    driver = start(note, terminal=theirs)
    wait_for(note.with_name("note.ready"))
    os.write(ours, b"\x03")
    two = str(int(signal.SIGINT))
    assert outcome(note, driver) == (two, f"(7, [{two}])")
    assert b"tty" in os.read(ours, 1000)


def test_sigterm_at_a_terminal_is_passed_on(terminal: tuple[int, int], note: Path) -> None:
    """A terminal never sends it, so it came to the gate alone."""
    driver = start(note, terminal=terminal[1])
    wait_for(note.with_name("note.ready"))
    os.kill(driver.pid, signal.SIGTERM)
    number = int(signal.SIGTERM)
    assert outcome(note, driver) == (str(number), f"(7, [{number}])")


def shell(script: str, **options: object) -> Finished:
    return run_foreground(["/bin/sh", "-c", script], cwd="/", env={"A": "b"}, **options)  # type: ignore[arg-type]  # on_stdout only


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 2", 2), ("kill -9 $$", 137), ("kill -2 $$", 130)]
)
def test_exit_codes_are_a_shells(script: str, code: int) -> None:
    """What ended by a signal reports 128 and its number."""
    assert shell(script) == Finished(code)


def test_output_can_be_taken(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output goes to the caller in pieces, standard error stays where it is."""
    pieces: list[bytes] = []
    assert shell("echo $A; echo err >&2; echo c", on_stdout=pieces.append).exit_code == 0
    assert b"".join(pieces) == b"b\nc\n"
    assert capfd.readouterr().err == "err\n"


def test_handlers_are_put_back() -> None:
    """Afterwards a signal does what it did before."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    shell("exit 0")
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """The caller gets the system's own error."""
    with pytest.raises(FileNotFoundError):
        run_foreground([str(tmp_path / "none")], cwd="/", env={})
