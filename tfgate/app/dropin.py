"""``tfgate exec``: in the place of ``terraform`` or ``tofu``, or around what calls them."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgate.app.check import new_decision_id
from tfgate.app.gather import load_config
from tfgate.app.interrupts import Interrupts
from tfgate.app.private import private_directory
from tfgate.app.record import NotDeliveredError, Recorder
from tfgate.app.shim import MARKER, NAMES, install_shims, shim_directories
from tfgate.errors import TerraformError, TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.ruleset.config_tables import GOVERNED, OnCommand
from tfgate.terraform import detect_operator, detect_workspace, find_terraform
from tfgate.terraform.find import kind_of, search_path
from tfgate.terraform.foreground import run_foreground
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tfgate.app.request import Request
    from tfgate.terraform import Terraform
    from tfgate.terraform.commandline import CommandLine

DEPTH = "TFGATE_EXEC_DEPTH"
"""Counts how often the gate was entered from within itself, so that a circle ends."""
_DEEPEST = 16


def terraform_of(program: str, env: Mapping[str, str]) -> Terraform | None:
    """Return the Terraform or OpenTofu that ``program`` is; ``None`` where it is something else.

    A path is taken as it is, a name is looked for on PATH, without stand-ins; then
    ``TFGATE_TERRAFORM`` wins. Raises ``TerraformError`` where there is no such program.
    """
    skip = shim_directories(env)
    named: str | None = program
    if program not in NAMES:
        named = program if os.sep in program else search_path(program, env)
        kind = None if named is None else kind_of(named, env, skip=skip)
        if kind is None:
            return None
        if named is not None and Path(os.path.realpath(named)).with_name(MARKER).exists():
            named = kind
    return find_terraform(env, env.get("TFGATE_TERRAFORM") or named, skip=skip)


def deeper(env: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for what the gate starts. Raises ``TerraformError`` in a circle."""
    depth = int(env[DEPTH][:9]) if env.get(DEPTH, "").isdecimal() else 0
    if depth >= _DEEPEST:
        raise TerraformError(
            "tfgate was started from within itself again and again.",
            hint="Let TFGATE_TERRAFORM name the Terraform that is meant.",
        )
    return {**env, DEPTH: str(depth + 1)}


@dataclass(frozen=True)
class GovernedCommand:
    """A command that changes something without a plan."""

    request: Request
    line: CommandLine
    terraform: Terraform
    clock: Callable[[], dt.datetime]

    def run(self) -> int:
        """Record the command and run it, or refuse it; give the exit code.

        Raises ``AuditError`` where it cannot be recorded: it is not run then.
        """
        config = load_config(self.request)
        recorder = Recorder.of(config, self.request, self.clock)
        decision_id = new_decision_id(self.request.now)
        key = self.line.name if self.line.name in GOVERNED else "other"
        with recorder.due(decision_id):
            about = self._about()
        with Interrupts() as interrupts, interrupts.held():
            allowed = config.commands.get(key, OnCommand.RECORD) is OnCommand.RECORD
            decision = "allow" if allowed else "deny"
            told = {**about, "decision": decision}
            try:
                recorder.append("command", decision_id, told, allows=allowed)
            except NotDeliveredError:
                recorder.append("command_finished", decision_id, {**about, "exit_code": None})
                raise
            if not allowed:
                raise CommandDeniedError(
                    f"`{self.terraform.kind} {clean(self.line.name, 40)}` is denied by the "
                    f"configuration ({config.shown}: commands).",
                    hint="It changes the state without a plan that could be judged."
                    if key != "other"
                    else "tfgate does not know what this command does with these options: it is "
                    "denied as `other`.",
                )
            begun = time.monotonic()
            finished = self.terraform.run(self.line.words, self.request.cwd, env=self.request.env)
            fields = {
                "exit_code": finished.exit_code,
                "signals": list(finished.signals),
                "duration_ms": round((time.monotonic() - begun) * 1000),
            }
            recorder.append("command_finished", decision_id, {**about, **fields})
        return finished.exit_code

    def _about(self) -> dict[str, Any]:
        directory = self.request.directory
        workspace = detect_workspace(self.request.env, self.request.workspace, directory)
        operator = detect_operator(self.request.env, self.request.operator, directory)
        return {
            "command": self.line.name,
            "arguments": self.line.shown,
            "workspace": workspace.name,
            "operator": operator.name,
        }


class CommandDeniedError(TfgateError):
    """The configuration does not let this command through."""

    exit_code = ExitCode.DENIED


@contextlib.contextmanager
def refusals_recorded(request: Request, clock: Callable[[], dt.datetime]) -> Iterator[None]:
    """Record what the block refuses: a command line that Terraform is not given."""
    try:
        yield
    except UsageError as error:
        recorder = Recorder.of(load_config(request), request, clock)
        recorder.undecided(new_decision_id(request.now), error)
        raise


def run_around(
    program: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    options: Sequence[str],
) -> int:
    """Run a program that calls Terraform (Terragrunt, make, a script) with stand-ins in front.

    ``options`` are passed on to the gate. Gives the program's exit code. Raises ``UsageError``
    where there is no such program.
    """
    path = program if os.sep in program else search_path(program, env)
    if path is None:
        raise UsageError(f"There is no program {program} on PATH.")
    with Interrupts() as interrupts, private_directory(interrupts) as directory:
        install_shims(directory, options=options)
        with interrupts.held():
            try:
                finished = run_foreground(
                    [path, *arguments], cwd=cwd, env=_with_shims(env, directory)
                )
            except OSError as error:
                raise UsageError(f"{program} cannot be started: {error.strerror}.") from None
    return finished.exit_code


_TERRAGRUNT = ("TG_TF_PATH", "TERRAGRUNT_TFPATH")
"""How Terragrunt is told which program to run; the second before version 0.73."""


def _with_shims(env: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Give the environment in which the stand-ins are what is called."""
    named = next((env[name] for name in _TERRAGRUNT if env.get(name)), None)
    skip = shim_directories(env)
    # Terragrunt takes tofu where both are there.
    usual = "terraform" if search_path("tofu", env, skip=skip) is None else "tofu"
    stand_in = (named and kind_of(named, env, skip=skip)) or usual
    changed = {
        "PATH": f"{directory}{os.pathsep}{env.get('PATH', os.defpath)}",
        **dict.fromkeys(_TERRAGRUNT, str(directory / stand_in)),
    }
    if named and os.sep in named:
        changed["TFGATE_TERRAFORM"] = named
    return {**deeper(env), **changed}
