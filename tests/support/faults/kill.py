"""``kill -9`` at random moments, on one box, again and again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.faults.box import ROOT, Box
from tests.support.faults.invariants import Before, broken, look, records
from tests.support.faults.run import NONE, Fault, Ran, read_calls
from tests.support.faults.scenarios import SCENARIOS, Scenario
from tests.support.faults.sweep import Broken

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

KILLED = Fault("time", 0, "before")
WRITERS = (
    "check good.tfplan", "check good.json --audit-log {root}/fresh/new/audit.jsonl",
    "check good.tfplan --receipt new.json", "check good.json rotating", "check good.json signing",
    "check good.json strict", "apply good.tfplan -auto-approve", "apply -auto-approve",
    "exec -- terraform apply good.tfplan", "exec -- terraform import a b", "atlantis apply",
    "verify {decided} --state state.json", "audit checkpoint --key {gate}/keys/audit",
    "audit deliver sinking",
)  # fmt: skip
"""Names of the scenarios that write a trail or what belongs to it."""


def writers() -> list[Scenario]:
    """Return the scenarios of ``WRITERS`` and of ``approve``."""
    found = [one for one in SCENARIOS if one.name in WRITERS or one.command == "approve"]
    assert {one.name for one in found} >= set(WRITERS), "each of them is there"
    return found


class Killer:
    """Starts a command in the box and kills it, over and over."""

    def __init__(self, shim: Path, folder: Path, chance: random.Random) -> None:
        self._shim = shim
        self._folder = folder
        self._chance = chance
        self._seconds = 0.5
        self.rounds = 0
        self.killed = 0
        """Rounds in which the process had not ended before."""

    def scenario(self, box: Box, scenario: Scenario, rounds: int) -> Iterator[Broken]:
        """Run it to its end, kill it ``rounds`` times, and let it come to its end once more."""
        self._seconds = max(0.2, self._whole(box, scenario)[1])
        _forget(box)
        for _ in range(rounds):
            before = Before(look(box), len(records(box, scenario)))
            moment = self._chance.random() * self._seconds * 1.1
            ran = self._run(box, scenario, moment, together=self._chance.random() < 0.5)
            self.rounds += 1
            self.killed += ran.code == -9
            for what in broken(box, scenario, KILLED, ran, before):
                yield Broken(scenario.name, KILLED, f"after {moment:.3f} s: {what}", ran)
            _forget(box)
        before = Before(look(box), len(records(box, scenario)))
        ran, _ = self._whole(box, scenario)
        for what in broken(box, scenario, NONE, ran, before):
            yield Broken(scenario.name, NONE, f"the last run: {what}", ran)
        _forget(box)

    def _whole(self, box: Box, scenario: Scenario) -> tuple[Ran, float]:
        begun = time.monotonic()
        ran = self._run(box, scenario, 60, together=False)
        return ran, time.monotonic() - begun

    def _run(self, box: Box, scenario: Scenario, seconds: float, *, together: bool) -> Ran:
        out, err, log = (self._folder / name for name in ("out", "err", "log"))
        log.unlink(missing_ok=True)
        env = {
            **box.env, **scenario.environment(box), "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(self._shim), "FAULTS_NOTE": str(log), "FAULTS_LOG": str(log),
            "FAULTS_UNDER": str(box.root), "FAULTS_SPEC": NONE.spec,
        }  # fmt: skip
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [sys.executable, "-m", "tfgate", *scenario.words(box)],
                cwd=box.root / scenario.cwd, env=env, stdin=subprocess.DEVNULL,
                stdout=to_out, stderr=to_err, start_new_session=True,
            )  # fmt: skip
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            if process.poll() is None:
                # The gate alone, or everything that it has started as well.
                for member in _members(process.pid) if together else [process.pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(member, signal.SIGKILL)
            process.wait()
        _wait_for_the_others(process.pid)
        texts = (path.read_text("utf-8", "replace") for path in (out, err))
        return Ran(process.returncode, *texts, tuple(read_calls(log)))


def _members(session: int) -> list[int]:
    """Return the processes of a session: Terraform has its own process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, _group, its_session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(its_session) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def _wait_for_the_others(session: int) -> None:
    """Wait until what the process has started is gone too: it may still write."""
    end = time.monotonic() + 10
    while _members(session) and time.monotonic() < end:
        time.sleep(0.005)


def _forget(box: Box) -> None:
    """Take away what was noted of an apply, and papers that are written once."""
    for name in ("ran", "at-apply", "work/new.json"):
        (box.root / name).unlink(missing_ok=True)
