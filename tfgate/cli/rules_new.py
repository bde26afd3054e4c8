"""``tfgate rules new``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.app.new_rule import file_for, new_rule
from tfgate.cli.output import write_out
from tfgate.errors import UsageError
from tfgate.report.neutral import console


@click.command(
    epilog="Example: tfgate rules new --type aws_db_instance --attribute storage_encrypted"
)
@click.argument("rule_id", required=False, metavar="[ID]")
@click.option("--type", "kind", metavar="TYPE", help="Resource type that the rule is for.")
@click.option("--attribute", metavar="NAME",
              help="What it asks for (default: one that looks as if it mattered).")  # fmt: skip
@click.option("--from", "plan", metavar="PLAN",
              help="Take type and values out of a plan, without its secrets.")  # fmt: skip
@click.option("--address", metavar="ADDRESS", help="The resource of the plan.")
@click.option("--schema", "schemas", multiple=True, metavar="FILE|DIR",
              help="A provider's schema, as for lint.")  # fmt: skip
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path),
              help="Where to write. Default: rules/ID.toml in the ruleset here, else standard "
                   "output.")  # fmt: skip
def new(
    rule_id: str | None,
    kind: str | None,
    attribute: str | None,
    plan: str | None,
    address: str | None,
    schemas: tuple[str, ...],
    out: Path | None,
) -> None:
    """Write a rule with an example that passes, one that fails and one that is unknown.

    It loads, and its examples hold: change it from there.
    """
    text = new_rule(
        Path.cwd(),
        os.environ,
        kind=kind,
        attribute=attribute,
        rule_id=rule_id,
        plan=plan,
        address=address,
        schemas=schemas,
    )
    path = out or file_for(text, Path.cwd())
    if path is None:
        write_out(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already.", hint="Give another ID, or --out.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    write_out(f"{console(str(path))}\n")
