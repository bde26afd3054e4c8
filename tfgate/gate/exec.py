"""``tfgate exec``: in the place of ``terraform`` or ``tofu``, or around what calls them."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tfgate.errors import NotDeliveredError, TerraformError, TfgateError, UsageError, explained
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import new_decision_id
from tfgate.gate.gather import load_config
from tfgate.gate.operator import operator_of
from tfgate.gate.plan_copy import Interrupts, private_directory
from tfgate.gate.record import Recorder
from tfgate.gate.request import Request
from tfgate.model import Frozen
from tfgate.model.text import clean
from tfgate.opening import replace_file, search_path
from tfgate.ruleset import GateConfig
from tfgate.ruleset.config_tables import GOVERNED, OnCommand
from tfgate.terraform import Terraform, detect_workspace, find_terraform
from tfgate.terraform.arguments import HELP
from tfgate.terraform.commandline import (
    GROUPS,
    READING,
    VERSION,
    WRITING,
    CommandLine,
    arguments_variable,
)
from tfgate.terraform.find import kind_of
from tfgate.terraform.runner import TOKENS, run_foreground

# A stand-in is a shell script, so that what the gate has no business with costs about a
# millisecond. It becomes the next program of its name on PATH where it is certain that the command
# changes nothing: where the words are, one by one, those of the gate's own table, and the
# environment adds none. Everything else starts tfgate, which reads the command line as Terraform
# does.
NAMES = ("terraform", "tofu")
MARKER = ".tfgate-shim"
"""Stands in a directory of stand-ins, so that the gate itself passes over it."""
_FIRST_LINES = "#!/bin/sh\n# Made by tfgate: "

_SCRIPT = """\
{first}puts the gate around {name}; what can change nothing goes straight on.
is_new() {{
  case $2 in
    *.tfstate* | *.terraform* | *[!-A-Za-z0-9_./=]*) return 1 ;;
    *=?*) ;;
    *) return 1 ;;
  esac
  case ${{2#*=}} in /*) file=${{2#*=}} ;; *) file=$1/${{2#*=}} ;; esac
  [ ! -e "$file" ] && [ ! -L "$file" ]
}}
changes_nothing() {{
  [ -z "${{TFGATE_TERRAFORM:-}}${{TF_CLI_ARGS:-}}${{TF_CLI_ARGS_:-}}" ] || return 1
  case $(export -p) in {tokens}) return 1 ;; esac
  directory=.
  case ${{1-}} in -chdir=?*) directory=${{1#-chdir=}} && shift ;; esac
  case ${{1-}} in
    '' | {asking}) [ "$#" -lt 2 ] && return ;;
    *[!a-z-]*) return 1 ;;
  esac
  command=$1
  case $1 in
    {groups})
      case ${{2-}} in
        '' | -*) ;;
        *[!a-z-]*) return 1 ;;
        *) command="$1 $2" && shift ;;
      esac
      ;;
  esac
  shift
  case $command in
{commands}
    *) return 1 ;;
  esac
  [ -z "$added" ] || return 1
  place=first
  for word in "$@"; do
    case $word in
      '' | --) return 1 ;;
      -*)
        option=${{word#-}}
        option=${{option#-}}
        option=${{option%%=*}}
        case $option in *[!a-z-]*) return 1 ;; esac
        case $options in *" $option "*) ;; *) return 1 ;; esac
        case $option in {writing}) is_new "$directory" "$word" || return 1 ;; esac
        ;;
      *) [ $place = "$words" ] && return 1 ;;
    esac
    place=later
  done
}}
changes_nothing "$@" || exec {gate} -- {name} "$@"
set -f
IFS=:
for directory in $PATH; do
  case $directory in /*) ;; *) continue ;; esac
  program=$directory/{name}
  if [ -f "$program" ] && [ -x "$program" ] && [ ! -e "$directory/{marker}" ]; then
    exec "$program" "$@"
  fi
done
echo "tfgate: there is no {name} on PATH behind this stand-in." >&2
exit 127
"""
_COMMAND = """\
    "{command}") added=${{{variable}-}} words={words} options=" {options} " ;;"""


def install_shims(directory: Path, *, options: Sequence[str] = ()) -> list[Path]:
    """Write the stand-ins into ``directory`` (made where it is missing); return their paths.

    ``options`` are passed to ``tfgate exec``. Raises ``UsageError`` where a file of that name is
    no stand-in of tfgate, and ``TfgateError`` where it cannot be written.
    """
    if os.name == "nt":
        raise UsageError(
            "Stand-ins are shell scripts, which Windows does not run.",
            hint="Call `tfgate exec -- terraform ...` there.",
        )
    paths = [directory / name for name in NAMES]
    for path in paths:
        if path.exists() and not _is_shim(path):
            raise UsageError(f"{path} is there already, and was not made by tfgate.")
    with explained(f"{directory} cannot be written to"):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / MARKER).write_text("")
        for path in paths:
            replace_file(path, shim_script(path.name, options).encode(), 0o755)
    return paths


def shim_script(name: str, options: Sequence[str] = ()) -> str:
    """Return the text of the stand-in called ``name``."""
    commands = [
        _COMMAND.format(
            command=command,
            variable=arguments_variable(command),
            # Where a command takes no words, none may come first: it may be another command.
            words="any" if reading.words else "first",
            options=" ".join(sorted(reading.options)),
        )
        for command, reading in READING.items()
    ]
    return _SCRIPT.format(
        first=_FIRST_LINES,
        name=name,
        gate=shlex.join([*tfgate_command(), "exec", *options]),
        writing=" | ".join(WRITING),
        asking=" | ".join(sorted(HELP | VERSION)),
        groups=" | ".join(sorted(GROUPS)),
        commands="\n".join(commands),
        marker=MARKER,
        tokens=" | ".join(f"*{name}*" for name in TOKENS),
    )


def tfgate_command() -> list[str]:
    """Return the command that starts this tfgate, whatever the working directory holds.

    ``python -m`` would look there first, and it belongs to the author of the change.
    """
    script = Path(sys.executable).with_name("tfgate")
    if os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-I", "-m", "tfgate"]


def shim_directories(env: Mapping[str, str]) -> list[Path]:
    """Return the directories on PATH that hold stand-ins."""
    entries = env.get("PATH", os.defpath).split(os.pathsep)
    return [Path(entry) for entry in entries if entry and Path(entry, MARKER).exists()]


def _is_shim(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST_LINES)) == _FIRST_LINES.encode()
    except OSError:
        return False


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
    """Return the environment for what the gate starts. Raises ``TerraformError`` in a circle."""
    depth = int(env[DEPTH][:9]) if env.get(DEPTH, "").isdecimal() else 0
    if depth >= _DEEPEST:
        raise TerraformError(
            "tfgate was started from within itself again and again.",
            hint="Let TFGATE_TERRAFORM name the Terraform that is meant.",
        )
    return {**env, DEPTH: str(depth + 1)}


class GovernedCommand(Frozen, frozen=True):
    """A command that changes something without a plan."""

    request: Request
    line: CommandLine
    terraform: Terraform
    clock: Callable[[], dt.datetime]

    def run(self) -> int:
        """Record the command and run it, or refuse it; return the exit code.

        Raises ``AuditError`` where it cannot be recorded: it is not run then.
        """
        config = load_config(self.request)
        recorder = Recorder.of(config, self.request, self.clock)
        decision_id = new_decision_id(self.request.now)
        key = self.line.name if self.line.name in GOVERNED else "other"
        with recorder.due(decision_id):
            about = self._about(config)
        with Interrupts() as interrupts, interrupts.held():
            allowed = config.commands.get(key, OnCommand.RECORD) is OnCommand.RECORD
            decision = "allow" if allowed else "deny"
            fields = {**about, "decision": decision}
            try:
                recorder.append("command", decision_id, fields, allows=allowed)
            except NotDeliveredError:
                recorder.append("command_finished", decision_id, {**about, "exit_code": None})
                raise
            if not allowed:
                raise CommandDeniedError(
                    f"`{self.terraform.kind} {clean(self.line.name, 40)}` is denied by the "
                    f"configuration ({config.shown}: commands).",
                    hint="It changes the state without a plan that could be evaluated."
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

    def _about(self, config: GateConfig) -> dict[str, Any]:
        directory = self.request.directory
        workspace = detect_workspace(self.request.env, self.request.workspace, directory)
        warnings: list[str] = []
        operator = operator_of(self.request, config, workspace.name, warnings.append)
        return {
            "command": self.line.name,
            "arguments": self.line.shown,
            "workspace": workspace.name,
            "operator": operator.name,
            "operator_facts": msgspec.to_builtins(operator),
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

    ``options`` are passed on to the gate. Returns the program's exit code. Raises ``UsageError``
    where there is no such program.
    """
    path = program if os.sep in program else search_path(program, env)
    if path is None:
        raise UsageError(f"There is no program {program} on PATH.")
    with Interrupts() as interrupts, private_directory(interrupts) as directory:
        install_shims(directory, options=options)
        with interrupts.held(), explained(f"{program} cannot be started", UsageError):
            finished = run_foreground([path, *arguments], cwd=cwd, env=_with_shims(env, directory))
    return finished.exit_code


_TERRAGRUNT = ("TG_TF_PATH", "TERRAGRUNT_TFPATH")
"""How Terragrunt learns which program to run; the second before version 0.73."""


def _with_shims(env: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment in which the stand-ins are what is called."""
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
