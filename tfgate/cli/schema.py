"""``tfgate schema``: JSON Schemas of tfgate's files, and indexes of providers' schemas."""

from __future__ import annotations

from typing import Any

import click

from tfgate.app.schemas import schema_names, schema_text
from tfgate.cli.lazy import LazyGroup
from tfgate.cli.output import write_out


class _Schemas(LazyGroup):
    """Takes the name of a schema for a command that prints it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give ``index``, or what prints the schema of that name."""
        return super().get_command(ctx, cmd_name) or _printer(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Let every name through: whether there is such a schema is told when it is printed."""
        if args and not args[0].startswith("-"):
            return args[0], self.get_command(ctx, args[0]), args[1:]
        return super().resolve_command(ctx, args)


def _printer(name: str) -> click.Command:
    def show() -> None:
        write_out(schema_text(name))

    return click.Command(name, callback=show, help=f"Print the JSON Schema {name}.")


_COMMANDS = {
    "index": ("tfgate.cli.schema_index", "index", "Make an index of providers' schemas for lint."),
}


@click.group(
    cls=_Schemas,
    lazy=_COMMANDS,
    invoke_without_command=True,
    subcommand_metavar="[NAME | index [OPTIONS]]",
    epilog="Example: tfgate schema ruleset > ruleset.schema.json",
)
@click.pass_context
def schema(ctx: click.Context, /, **_: Any) -> None:
    """Print the JSON Schema NAME. Without NAME, list what there is."""
    if ctx.invoked_subcommand is not None:
        return

    for known, what in schema_names().items():
        write_out(f"{known:12} {what}\n")
