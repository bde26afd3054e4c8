"""Run a command with one fault in it, and tell how it ended."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.faults.box import ROOT, Box

if TYPE_CHECKING:
    from tests.support.faults.scenarios import Scenario

HERE = Path(__file__).parent


class Fault(NamedTuple):
    """The ``number``-th call of a class, and what becomes of it."""

    kind: str
    """Class of system calls, as the shim calls it."""
    number: int = 0
    """0 for none."""
    how: str = "once"
    """once, ever (from that call on), short (half is written, then nothing), before, after."""
    error: str = "EIO"

    @property
    def kills(self) -> bool:
        """Whether it is the end of the process."""
        return self.how in ("before", "after")

    @property
    def spec(self) -> str:
        """For the shim."""
        return f"{self.kind}:{self.number}:{self.how}:{getattr(errno, self.error)}"

    def __str__(self) -> str:
        what = f"SIGKILL {self.how}" if self.kills else f"{self.error} {self.how}"
        return f"{self.kind} {self.number}: {what}"


NONE = Fault("none")


class Call(NamedTuple):
    """A system call that counted."""

    kind: str
    code: int
    """0, the error, or -1 where the process was killed at it."""
    path: str


class Ran(NamedTuple):
    """How a command ended."""

    code: int | None
    """Minus the signal where one ended it; ``None`` where it had to be stopped."""
    out: str
    err: str
    calls: tuple[Call, ...]

    def reached(self, fault: Fault) -> bool:
        """Whether the fault came at all."""
        code = -1 if fault.kills else getattr(errno, fault.error)
        if fault.how == "short":
            return sum(call.kind == fault.kind for call in self.calls) >= fault.number
        return any(call.kind == fault.kind and call.code == code for call in self.calls)

    def count(self, kind: str) -> int:
        """How many calls of a class there were."""
        return sum(call.kind == kind for call in self.calls)


def quick_place() -> str | None:
    """Return a folder in memory, where there is one: what is synced is noted, not waited for."""
    place = "/dev/shm"
    return place if os.access(place, os.W_OK) else None


def compile_shim(folder: Path) -> Path:
    """Compile the shim. Raises ``CalledProcessError``."""
    made = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    command += ["-o", str(made), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


class Runner:
    """A process that forks one ``tfgate`` after another, on a copy of a box."""

    def __init__(self, shim: Path, template: Box, folder: Path, *, seconds: float = 30) -> None:
        self.folder = folder
        self.template = template
        self._seconds = seconds
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(shim)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def fresh(self, scenario: Scenario) -> Box:
        """Return the box as it was made, as far as the scenario needs it."""
        shutil.rmtree(self.folder / "io", ignore_errors=True)
        (self.folder / "io").mkdir()
        git = scenario.config == "history" or scenario.command == "rules update"
        return self.template.copy(self.folder / "box", git=git)

    def run(self, box: Box, scenario: Scenario, fault: Fault = NONE) -> Ran:
        """Run the scenario's command in the box."""
        io = self.folder / "io"
        log = io / "log"
        log.unlink(missing_ok=True)
        (io / "in").write_text(scenario.typed)
        job = {
            "arguments": scenario.words(box),
            "cwd": str(box.root / scenario.cwd),
            "env": {**box.env, "FAULTS_NOTE": str(log), **scenario.environment(box)},
            "input": str(io / "in"),
            "out": str(io / "out"),
            "err": str(io / "err"),
            "spec": fault.spec,
            "under": f"{box.root}\n/dev/null\n{ROOT / 'rulesets'}",
            "log": str(log),
            "seconds": self._seconds,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode().strip()
        out, err = ((io / name).read_text("utf-8", "replace") for name in ("out", "err"))
        code = None if answer == "None" else int(answer)
        return Ran(code, out, err, tuple(read_calls(log)))


def read_calls(log: Path) -> list[Call]:
    """Read what the shim has noted."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    calls = []
    for line in lines:
        kind, code, path = line.split(" ", 2)
        calls.append(Call(kind, int(code), path))
    return calls
