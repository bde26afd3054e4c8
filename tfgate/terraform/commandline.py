"""What Terraform does with a command line and an environment.

Terraform's own reading, from ``main.go`` and the ``cli`` package (github.com/hashicorp/cli,
``processArgs``; 0.12 to 1.17, OpenTofu alike), in its order:

1. ``-chdir=DIR`` is taken out of what stands before the first word without a dash.
2. ``TF_CLI_ARGS`` and ``TF_CLI_ARGS_<command>`` are put in their place.
3. ``-version``, ``--version`` or ``-v`` anywhere makes it ``version``.
4. The first word that is not empty and has no dash is the command; up to ``--`` a word that asks
   for help makes Terraform print help alone. Other options before the command are an error.

A command line that is read goes to Terraform in *plain words*, which the gate composes:
``[-chdir=DIR] command arguments``, with nothing left in the environment. So what Terraform does
is what was read here, even where this reading differs from Terraform's.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from tfgate.errors import UsageError
from tfgate.model import Frozen
from tfgate.terraform.arguments import HELP, PLAN_OPTIONS

# Terraform puts them behind the command's name, before what the user typed (``mergeEnvArgs`` in its
# ``main.go``): first those of ``TF_CLI_ARGS``, then, in front of these, those of the command's own
# variable. Where no command was typed they come first of all, and so may name one.
_PREFIX = "TF_CLI_ARGS"
# Terraform's splitter (github.com/mattn/go-shellwords) ends at some of these, fails at others, and
# its versions differ. Nobody means them.
_UNCLEAR = frozenset("`();&|<>")


def merge_arguments(env: Mapping[str, str], command: str, words: Sequence[str]) -> list[str]:
    """Return ``words`` with those of ``env`` in their place.

    ``words`` is a command line without ``-chdir``, in which Terraform reads ``command`` (empty
    where it reads none). Raises ``UsageError`` where a variable cannot be split into words.
    """
    merged = list(words)
    searched = command.rpartition(" ")[2]
    for name in (_PREFIX, arguments_variable(command)):
        place = merged.index(searched) + 1 if searched in merged else 0
        merged[place:place] = _split(name, env.get(name, ""))
    return merged


def arguments_variable(command: str) -> str:
    """Return the name of the variable that holds arguments of one command."""
    return f"{_PREFIX}_{command.replace('-', '_').replace(' ', '_')}"


def without_arguments(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without any of these variables."""
    return {
        name: value
        for name, value in env.items()
        if name != _PREFIX and not name.startswith(f"{_PREFIX}_")
    }


def _split(name: str, text: str) -> list[str]:
    """Split as Terraform does; unlike in a shell, a backslash counts in double quotes as well."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote != "'":
            escaped = next(characters, None)
            if escaped is None:
                raise UsageError(f"{name} ends with a backslash.")
            word = (word or "") + escaped
        elif quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in "'\"":
            quote, word = character, word or ""
        elif character in " \t\r\n":
            words += [] if word is None else [word]
            word = None
        elif character in _UNCLEAR:
            raise UsageError(f"{name} has a {character} outside of quotation marks.")
        else:
            word = (word or "") + character
    if quote:
        raise UsageError(f"{name} has a quotation mark that is not closed.")
    return words if word is None else [*words, word]


class Effect(Enum):
    """What a command line can do."""

    NONE = auto()
    """It changes no state, infrastructure, workspace or lock file."""
    APPLY = auto()
    """It applies a plan, which can be evaluated."""
    CHANGES = auto()
    """It changes something without a plan, or nobody knows."""


class Reading(NamedTuple):
    """A command that changes nothing."""

    options: frozenset[str]
    """The names of its options, without dashes. Any other may do anything."""
    words: bool = False
    """Whether it takes words. Where it takes none, one behind it may be a command of a group."""


def _reading(options: str = "", *, words: bool = False) -> Reading:
    # Variables may be given to most commands, as backends and module sources may use them.
    always = ("no-color", "var", "var-file")
    return Reading(frozenset((*options.split(), *always)), words)


READING: Final = {
    "console": _reading("compact-warnings input plan scope state"),
    "env": _reading(),
    "env list": _reading(),
    "fmt": _reading("check diff list recursive write", words=True),
    "get": _reading("json test-directory update"),
    "graph": _reading("draw-cycles format module-depth plan type verbose"),
    "metadata": _reading(),
    "metadata functions": _reading("json"),
    "modules": _reading("json"),
    "output": _reading("json json-into raw show-sensitive state", words=True),
    "plan": _reading(f"detailed-exitcode generate-config-out out {' '.join(PLAN_OPTIONS)}"),
    "providers": _reading("test-directory"),
    "providers mirror": _reading("lock-file platform", words=True),
    "providers schema": _reading("json"),
    "query": _reading("generate-config-out json"),
    "show": _reading("json json-into module-depth show-sensitive", words=True),
    "state": _reading(),
    "state identities": _reading("id json state"),
    "state list": _reading("id state", words=True),
    "state pull": _reading(),
    "state show": _reading("json show-sensitive state", words=True),
    "validate": _reading("json json-into no-tests query test-directory"),
    "version": _reading("json"),
    "workspace": _reading(),
    "workspace list": _reading("json"),
    "workspace show": _reading(),
}
"""Every command that changes nothing, whatever its words, as long as it has these options alone.

Some write a file that is named: see ``overwrites``. ``fmt`` writes the author's own.
"""
WRITING: Final = ("generate-config-out", "json-into", "out")
"""Options of these that name a file to be written."""
# What Terraform keeps there, also where it is not there yet.
_KEPT: Final = re.compile(r"\.tfstate|\.terraform\.lock\.hcl|\.terraform/+environment")
_APPLY: Final = ("apply", "destroy")
_CHANGING: Final = (
    "env delete", "env new", "env select", "force-unlock", "import", "init", "login", "logout",
    "providers lock", "push", "refresh", "rpcapi", "stacks", "state migrate", "state mv",
    "state push", "state replace-provider", "state rm", "taint", "test", "test cleanup", "untaint",
    "workspace delete", "workspace new", "workspace select",
)  # fmt: skip
_KNOWN: Final = frozenset((*READING, *_APPLY, *_CHANGING))
GROUPS: Final = frozenset(name.partition(" ")[0] for name in _KNOWN if " " in name)
"""Commands that have commands of their own."""
VERSION: Final = frozenset({"-version", "--version", "-v"})
_COMPLETION: Final = frozenset(
    f"{dashes}{verb}-autocomplete" for dashes in ("-", "--") for verb in ("install", "uninstall")
)
COMPLETES: Final = "COMP_LINE"
"""Set by a shell that completes a line: Terraform prints words for it, and does nothing else."""


class CommandLine(Frozen, frozen=True):
    """What Terraform does."""

    command: str = ""
    """``apply``, ``state rm``, …; empty where there is none."""
    arguments: tuple[str, ...] = ()
    """What stands behind it, that of the environment included."""
    chdir: str | None = None
    """The directory that ``-chdir`` names."""
    effect: Effect = Effect.NONE

    @property
    def name(self) -> str:
        """The command by its present name: ``env`` is what ``workspace`` once was called."""
        group, space, rest = self.command.partition(" ")
        return f"workspace{space}{rest}" if group == "env" else self.command

    @property
    def words(self) -> list[str]:
        """The same in plain words."""
        chdir = [] if self.chdir is None else [f"-chdir={self.chdir}"]
        return [*chdir, *self.command.split(), *self.arguments]

    @property
    def shown(self) -> list[str]:
        """The arguments as they may stand in a record: no value of an option is in it."""
        shown = []
        words = iter(self.arguments)
        for word in words:
            if not word.startswith("-"):
                shown.append(word)
                continue
            name, equals, _ = word.partition("=")
            shown.append(name)
            # `-var name=value`: the value is a word of its own.
            if name.lstrip("-") in ("var", "backend-config") and not equals:
                next(words, None)
        return shown


def read_command_line(words: Sequence[str], env: Mapping[str, str]) -> CommandLine:
    """Read the arguments of ``terraform`` as it does, with what ``env`` adds to them.

    Raises ``UsageError`` for what Terraform would not run, or what its versions read differently.
    """
    if env.get(COMPLETES):
        return CommandLine()
    chdir, rest = _take_chdir(words)
    merged = merge_arguments(env, _find(rest).command, rest)
    if not VERSION.isdisjoint(merged):
        asked = tuple(word for word in merged if word in ("-json", "--json"))
        return CommandLine("version", asked, chdir)
    found = _find(merged)
    if found.completion:
        return CommandLine(found.completion, (), chdir, Effect.CHANGES)
    if found.helps:
        return CommandLine(found.command, ("-help",), chdir)
    if found.stray:
        raise UsageError("Terraform takes no option before the command but -chdir=DIR.")
    return CommandLine(found.command, found.arguments, chdir, _effect(found))


def overwrites(line: CommandLine, cwd: str | os.PathLike[str]) -> bool:
    """Return whether a file that ``line`` names to be written is a state, a lock file or the like.

    That is known by its name, or as a file that is there and no plan; what is read here is a file
    of four bytes. ``cwd`` is where Terraform is started.
    """
    words = list(line.arguments)
    for place, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in WRITING:
            continue
        value = value if equals else "".join(words[place + 1 : place + 2])
        path = os.path.join(cwd, line.chdir or "", value)
        if _KEPT.search(os.path.normpath(path)) or not _may_be_written(path):
            return True
    return False


def _may_be_written(path: str) -> bool:
    if not os.path.lexists(path):
        return True
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return stat.S_ISCHR(mode)  # /dev/null
        with open(path, "rb") as file:
            return file.read(4) in (b"", b"PK\x03\x04")
    except (OSError, ValueError):
        return False


def _take_chdir(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take the last ``-chdir`` out; another one stays, and Terraform does not like it."""
    taken = None
    for place, word in enumerate(words):
        if not word.startswith("-"):
            break
        if word in ("-chdir", "-chdir="):
            raise UsageError("-chdir needs a directory, as in -chdir=DIR.")
        if word.startswith("-chdir="):
            taken = place
    if taken is None:
        return None, list(words)
    return words[taken].partition("=")[2], [*words[:taken], *words[taken + 1 :]]


class _Found(NamedTuple):
    command: str
    arguments: tuple[str, ...]
    stray: bool
    """Whether there are options before the command."""
    helps: bool
    completion: str
    """The option that changes the completion of a shell."""


def _find(words: Sequence[str]) -> _Found:
    command, arguments = "", tuple[str, ...]()
    stray = helps = False
    completion = ""
    for place, word in enumerate(words):
        if word == "--":
            break
        if word in HELP:
            helps = True
        elif word in _COMPLETION:
            completion = word
        elif command:
            continue
        elif word.startswith("-"):
            stray = True
        elif word:
            command = _command(words[place:])
            arguments = tuple(words[place + 1 + command.count(" ") :])
    return _Found(command, arguments, stray, helps, completion)


def _command(words: Sequence[str]) -> str:
    """Return the command at the beginning of ``words``, with the command of a group."""
    first = words[0]
    second = words[1] if len(words) > 1 and first in GROUPS else ""
    if any(character.isspace() for character in first + second):
        raise UsageError("No command of Terraform has a space in a word.")
    name = f"{first} {second}" if f"{first} {second}" in _KNOWN else first
    line = " ".join(words)
    longest = max((known for known in _KNOWN if line.startswith(known)), key=len, default=name)
    # Terraform takes the beginning of a word for a command where that command stands elsewhere in
    # the line: `applyx my-apply` is `apply my-apply`.
    if longest != name and re.search(rf"{re.escape(longest)}( |\Z)", line):
        raise UsageError(f"Versions of Terraform read another command here: {longest}.")
    return name


def _effect(found: _Found) -> Effect:
    if found.command in _APPLY:
        return Effect.APPLY
    if not found.command:
        return Effect.NONE
    reading = READING.get(found.command)
    if reading is None:
        return Effect.CHANGES
    arguments = list(found.arguments)
    if arguments and not arguments[0].startswith("-") and not reading.words:
        return Effect.CHANGES
    if "--" in arguments:
        arguments = arguments[: arguments.index("--")]
    names = {
        word.removeprefix("-").removeprefix("-").partition("=")[0]
        for word in arguments
        if word.startswith("-") and word != "-"
    }
    return Effect.NONE if names <= reading.options else Effect.CHANGES
