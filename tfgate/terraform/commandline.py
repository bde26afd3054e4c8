"""A command line of Terraform, taken apart as far as a gate must know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS: Final = frozenset({"state", "workspace"})
"""Commands that have commands of their own."""
_ASKS_FOR_HELP: Final = frozenset({"-help", "--help", "-h", "-version", "--version", "-v"})


class CommandLine(NamedTuple):
    """``terraform [global options] command [arguments]``."""

    command: str
    """``apply``, ``state rm``, …; empty where there is none."""
    options: tuple[str, ...]
    """What stands before the command: ``-chdir=DIR``, ``-help``, ``-version``."""
    arguments: tuple[str, ...]
    """What stands behind it."""

    @property
    def only_tells(self) -> bool:
        """Whether it asks for help or the version, and does nothing else."""
        return not _ASKS_FOR_HELP.isdisjoint((*self.options, *self.arguments))

    @property
    def chdir(self) -> str | None:
        """The directory that ``-chdir`` gives."""
        given = [option for option in self.options if option.startswith(("-chdir=", "--chdir="))]
        return given[-1].partition("=")[2] if given else None

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
            if name.lstrip("-") == "var" and not equals:
                next(words, None)
        return shown


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Take the arguments of ``terraform`` apart."""
    words = list(arguments)
    start = 0
    while start < len(words) and words[start].startswith("-"):
        start += 1
    options, rest = tuple(words[:start]), words[start:]
    if not rest:
        return CommandLine("", options, ())
    command, rest = rest[0], rest[1:]
    if command in GROUPS and rest and not rest[0].startswith("-"):
        command, rest = f"{command} {rest[0]}", rest[1:]
    return CommandLine(command, options, tuple(rest))
