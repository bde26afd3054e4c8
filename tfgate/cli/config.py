"""``tfgate config``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.app.settings import describe_settings
from tfgate.cli.output import write_out


@click.command(epilog="Example: tfgate config --config ops/tfgate.toml")
@click.option("--config", metavar="FILE", help="Configuration to use.")
def config(config: str | None) -> None:
    """Show the configuration in force, and where each value comes from."""
    write_out(describe_settings(Path.cwd(), os.environ, config=config))
