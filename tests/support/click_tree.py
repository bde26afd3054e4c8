"""The commands of a command line, so that a new one is covered without being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


def nodes(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Yield every group and command below (and with) ``command``, as ``audit verify``."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, f"{name} is listed"
            yield from nodes(found, (*path, name))


def paths(root: click.Command) -> Iterator[str]:
    """Yield every command that can be run: of groups, those below the root that do something."""
    for path, command in nodes(root):
        if not isinstance(command, click.Group) or (path and command.invoke_without_command):
            yield path
