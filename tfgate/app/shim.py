"""Stand-ins for ``terraform`` and ``tofu``, to be put in front on PATH.

A stand-in is a shell script, so that what the gate has no business with costs about a millisecond.
It becomes the next program of its name on PATH where it is certain that the command changes
nothing: where the words are, one by one, those of the gate's own table, and the environment adds
none. Everything else starts tfgate, which reads the command line as Terraform does.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.errors import TfgateError, UsageError
from tfgate.terraform.arguments import HELP
from tfgate.terraform.cliargs import arguments_variable
from tfgate.terraform.commandline import GROUPS, READING, VERSION, WRITING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
  directory=.
  case ${{1-}} in -chdir=?*) directory=${{1#-chdir=}} && shift ;; esac
  case ${{1-}} in
    '' | {telling}) [ "$#" -lt 2 ] && return ;;
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
    """Write the stand-ins into ``directory`` (made where it is missing); give their paths.

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
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / MARKER).write_text("")
        for path in paths:
            _replace(path, shim_script(path.name, options))
    except OSError as error:
        raise TfgateError(f"{directory} cannot be written to: {error.strerror}.") from None
    return paths


def shim_script(name: str, options: Sequence[str] = ()) -> str:
    """Give the text of the stand-in called ``name``."""
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
        telling=" | ".join(sorted(HELP | VERSION)),
        groups=" | ".join(sorted(GROUPS)),
        commands="\n".join(commands),
        marker=MARKER,
    )


def tfgate_command() -> list[str]:
    """Give the command that starts this tfgate, whatever the working directory holds.

    ``python -m`` would look there first, and it belongs to the author of the change.
    """
    script = Path(sys.executable).with_name("tfgate")
    if os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-I", "-m", "tfgate"]


def shim_directories(env: Mapping[str, str]) -> list[Path]:
    """Give the directories on PATH that hold stand-ins."""
    entries = env.get("PATH", os.defpath).split(os.pathsep)
    return [Path(entry) for entry in entries if entry and Path(entry, MARKER).exists()]


def _is_shim(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST_LINES)) == _FIRST_LINES.encode()
    except OSError:
        return False


def _replace(path: Path, text: str) -> None:
    """Write a program so that a shell that runs the old one is not disturbed."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o755)
    new.replace(path)
