"""docs/reference/commands.md, from the commands' own help."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tfgate.cli.main import cli

WIDTH = 96


def commands_page() -> str:
    """Return the page: every command with what ``--help`` prints."""
    lines = [
        "<!-- Made by scripts/generate: change the help texts, and run it again. -->",
        "",
        "# Commands",
        "",
    ]
    for path, command in _commands(cli, ("tfgate",)):
        context = click.Context(
            command, info_name=" ".join(path), max_content_width=WIDTH, terminal_width=WIDTH
        )
        lines += [f"## `{' '.join(path)}`", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(line.rstrip() for line in "\n".join(lines).split("\n")).rstrip() + "\n"


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _commands(found, (*path, name))
