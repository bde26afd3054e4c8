"""``tfgate schema``."""

from __future__ import annotations

import click


@click.command(epilog="Example: tfgate schema ruleset > ruleset.schema.json")
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print a JSON Schema. Without NAME, list what there is."""
    from tfgate.app.schemas import schema_names, schema_text
    from tfgate.cli.output import write_out

    if name is None:
        for known, what in schema_names().items():
            write_out(f"{known:12} {what}\n")
    else:
        write_out(schema_text(name))
