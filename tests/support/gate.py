"""The gate as a program: a directory with a configuration, rules and a trail, and a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.machine import terraform_env
from tests.support.record_schema import check_records

ROOT = Path(__file__).parents[2]
WAIT = 60.0

MAIN = """
variable "name" {
  default = "x"
}
resource "terraform_data" "a" {
  input = var.name
}
"""
SLOW = """
resource "terraform_data" "slow" {
  input = "x"
  provisioner "local-exec" {
    command = "touch started; for i in 1 2 3 4 5 6 7 8; do sleep 0.25; done"
  }
}
resource "terraform_data" "next" {
  input      = "x"
  depends_on = [terraform_data.slow]
}
"""
RULES = """
[ruleset]
id = "test"
version = "1.0.0"
title = "Rules of a test"
owners = ["tester@tfgate.example"]

[[rules]]
id = "T-IN"
title = "The input is short"
severity = "high"
enforcement = "soft-mandatory"
match = { types = ["terraform_data"], actions = ["create", "update", "replace", "delete", "no-op"] }
require = "after.input == null || length(after.input) < `9`"
message = "{address} has the input {after.input}"
"""
OUTPUT_RULE = """
[[rules]]
id = "T-OUT"
title = "The output is good"
severity = "high"
enforcement = "{level}"
match = {{ types = ["terraform_data"] }}
require = "after.output != 'bad'"
message = "{{address}} has the output {{after.output}}"
"""
CONFIG = """
[gate]
rulesets = ["../gate/rules.toml"]
[audit]
log = "../gate/audit.jsonl"
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Gate:
    """A working directory ``work``, and ``gate`` beside it for what the gate's owner keeps."""

    def __init__(self, root: Path, terraform: str, *, main: str = MAIN, rules: str = RULES) -> None:
        self.work = root / "work"
        self.own = root / "gate"
        self.temporary = root / "tmp"
        for directory in (self.work, self.own, self.temporary):
            directory.mkdir()
        (self.work / "main.tf").write_text(main)
        (self.work / "tfgate.toml").write_text(CONFIG)
        (self.own / "rules.toml").write_text(rules)
        self.env = {
            **terraform_env(root),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            "TFGATE_TERRAFORM": terraform,
            # Some tests have no room on the disk, and Python 3.11 keeps a byte code file that it
            # could only write the beginning of.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.started: list[subprocess.Popen[bytes]] = []

    @property
    def command(self) -> list[str]:
        """The command ``tfgate``."""
        return [sys.executable, "-m", "tfgate"]

    def run(self, *arguments: str, typed: str = "", **env: str) -> Ended:
        """Run ``tfgate`` without a terminal and wait for its end."""
        return self._finish([*self.command, *arguments], typed, env)

    def terraform(self, *arguments: str) -> str:
        """Run the Terraform that is tested; it must succeed."""
        command = [sys.executable, "-m", "tfgate.terraform", *arguments]
        ended = self._finish(command, "", {})
        assert ended.code == 0, ended
        return ended.out

    def _finish(self, command: list[str], typed: str, env: dict[str, str]) -> Ended:
        done = subprocess.run(
            command,
            cwd=self.work,
            env={**self.env, **env},
            input=typed.encode(),
            capture_output=True,
            timeout=WAIT,
            check=False,
            start_new_session=True,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
        """Start ``tfgate`` without a terminal, in a session of its own."""
        process = subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.work,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **more,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a test that failed has left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait_for(self, name: str) -> None:
        """Wait until a file is there, as long as what was started last is running."""
        begun = time.monotonic()
        while not (self.work / name).exists():
            assert time.monotonic() - begun < WAIT, f"{name} never came"
            assert self.started[-1].poll() is None, f"it ended before {name} came"
            time.sleep(0.02)

    def plan(self, *arguments: str, name: str = "p.tfplan") -> Path:
        """Plan with the real Terraform, and give the plan file."""
        self.terraform("plan", "-input=false", f"-out={name}", *arguments)
        return self.work / name

    def wrap(self, body: str) -> Path:
        """Put a script before the real Terraform; in it ``$real`` runs that one."""
        path = self.own / "terraform"
        real = f"env TFGATE_TERRAFORM={shlex.quote(self.env['TFGATE_TERRAFORM'])} "
        real += f"{shlex.quote(sys.executable)} -m tfgate.terraform"
        path.write_text(f'#!/bin/sh\nreal="{real}"\n{body}\nexec $real "$@"\n')
        path.chmod(0o755)
        self.env["TFGATE_TERRAFORM"] = str(path)
        return path

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the trail, as far as it has been written, each as it must be."""
        try:
            lines = (self.own / "audit.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        records = [json.loads(line) for line in lines]
        check_records(records)
        return records

    def events(self) -> list[str]:
        """Return the events of the trail."""
        return [record["event"] for record in self.records()]

    def state(self) -> list[str]:
        """Return the addresses in the state."""
        path = self.work / "terraform.tfstate"
        if not path.exists():
            return []
        resources = json.loads(path.read_text())["resources"]
        return sorted(f"{resource['type']}.{resource['name']}" for resource in resources)

    def left_over(self) -> list[str]:
        """Return what is left of private directories."""
        return sorted(path.name for path in self.temporary.glob("tfgate-*"))


class Terminal:
    """``tfgate`` on a terminal of its own."""

    def __init__(self, gate: Gate, command: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            cwd=gate.work,
            env={**gate.env, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        gate.started.append(self.process)
        self.text = ""

    def until(self, marker: str) -> str:
        """Read until the text holds ``marker``."""
        begun = time.monotonic()
        while marker not in self.text:
            piece = self._read()
            assert piece, f"it ended without {marker!r}: {self.text}"
            assert time.monotonic() - begun < WAIT
        return self.text

    def type(self, text: str) -> None:
        """Type; ``\\x03`` is Ctrl-C."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read to the end and give the exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(timeout=WAIT)

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._ours], [], [], WAIT)
        assert ready, f"nothing came for {WAIT} s after: {self.text}"
        try:
            piece = os.read(self._ours, 1 << 16)
        except OSError:  # the other end is closed
            return b""
        self.text += piece.decode("utf-8", "replace")
        return piece


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """Send a signal and give the exit code."""
    process.send_signal(number)
    return process.wait(timeout=WAIT)
