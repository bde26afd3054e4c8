"""Faults and kills, a sample; ``scripts/faults`` is the whole of it."""

from __future__ import annotations

import platform
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.support.click_tree import paths
from tests.support.faults.box import Box, build
from tests.support.faults.kill import Killer, writers
from tests.support.faults.run import Fault, Runner, compile_shim, quick_place
from tests.support.faults.scenarios import SCENARIOS, Kind, Scenario
from tests.support.faults.sweep import ASKED, ERRORS, Sweep
from tests.support.parts import require_part
from tests.support.receiver import receiving
from tfgate.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS_EACH = 2
GATES = [one for one in SCENARIOS if one.kind is not Kind.TELLS]
OTHERS = [one for one in SCENARIOS if one.kind is Kind.TELLS and not one.slow]
KILLED_ROUNDS = 1
IMPORT = "waivers import . --owner ann@acme.example --expires 2027-01-31 --output w.toml"
FOUND = (
    ("audit deliver sinking", Fault("stderr", 1, "once", "ENOSPC")),
    (IMPORT, Fault("open", 1, "once", "EACCES")),
)
"""Faults that once broke a promise."""


class Laboratory:
    """The shim, a template of the box, and a process that runs commands with faults."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.shim = compile_shim(folder)
        self.template = build(folder / "template", port)
        self.runner = Runner(self.shim, self.template, folder / "runner")
        self.sweep = Sweep(self.runner)


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    """Everything that faults need."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("This test needs Linux and glibc: calls of its library are made to fail.")
    for part in ("cc", "git", "ssh-keygen"):
        require_part(part)
    for extra in ("dbos", "pygls", "duckdb"):
        pytest.importorskip(extra, reason=f"This test needs {extra}: install every extra.")
    with receiving() as receiver, TemporaryDirectory(dir=quick_place()) as folder:
        made = Laboratory(Path(folder), receiver.port)
        yield made
        made.runner.close()


def test_every_command_has_a_scenario() -> None:
    """A new command needs a command line for the faults to meet."""
    assert sorted(set(paths(cli))) == sorted({one.command for one in SCENARIOS})


def sampled(laboratory: Laboratory, scenario: Scenario, count: int) -> list[str]:
    """Run the scenario with some of its faults; say what was broken."""
    sweep = laboratory.sweep
    before = sweep.baseline(scenario)
    faults = list(sweep.faults(before))
    chosen = random.Random(scenario.name).sample(faults, min(count, len(faults)))
    return [
        f"{fault}: {one.what} ({one.ran.code}: {one.ran.err})"
        for fault in chosen
        for one in sweep.one(scenario, fault, before)
    ]


@pytest.mark.parametrize("part", range(4))
def test_gates_with_faults(laboratory: Laboratory, part: int) -> None:
    """No allow without a durable record, no damaged trail, no copy of a plan left."""
    found = [what for one in GATES[part::4] for what in sampled(laboratory, one, FAULTS_EACH)]
    assert found == []


def test_other_commands_with_faults(laboratory: Laboratory) -> None:
    """No traceback, no secret, no hanging; the trail holds."""
    assert [what for one in OTHERS for what in sampled(laboratory, one, 1)] == []


def test_each_class_of_calls_in_an_apply(laboratory: Laboratory) -> None:
    """The first and the last call of each class, with one of its errors, around an apply."""
    scenario = next(one for one in SCENARIOS if one.name == "apply -auto-approve")
    before = laboratory.sweep.baseline(scenario)
    assert before.ran is not None
    found = []
    for kind in ASKED:
        for number in {1, max(1, before.ran.count(kind))}:
            fault = Fault(kind, number, "once", random.choice(ERRORS))
            found += laboratory.sweep.one(scenario, fault, before)
    assert found == []


@pytest.mark.parametrize(("name", "fault"), FOUND)
def test_what_was_found(laboratory: Laboratory, name: str, fault: Fault) -> None:
    """It stays mended."""
    scenario = next(one for one in SCENARIOS if one.name == name)
    before = laboratory.sweep.baseline(scenario)
    assert list(laboratory.sweep.one(scenario, fault, before)) == []


@pytest.mark.parametrize("part", range(3))
def test_killed_at_random(laboratory: Laboratory, part: int) -> None:
    """``kill -9`` whenever it comes: the trail holds, and no copy of a plan outlives the gate."""
    killer = Killer(laboratory.shim, laboratory.folder, random.Random())
    found = []
    for scenario in writers()[part::3]:
        box: Box = laboratory.template.copy(laboratory.folder / "box")
        found += killer.scenario(box, scenario, KILLED_ROUNDS)
    assert found == []


def test_a_broken_promise_is_seen(laboratory: Laboratory) -> None:
    """The harness itself: an fsync that does not happen is an allow that is not durable."""
    scenario = SCENARIOS[0]
    before = laboratory.sweep.baseline(scenario)
    assert before.ran is not None
    from tests.support.faults.invariants import is_durable

    known = frozenset(call.path for call in before.ran.calls)
    assert is_durable(before.ran.calls, known)
    kept = [call for call in before.ran.calls if call.kind != "fsync"]
    assert not is_durable(tuple(kept), known)
