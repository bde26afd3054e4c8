"""``tfgate shim``."""

from __future__ import annotations

from pathlib import Path

import click

from tfgate.app.shim import install_shims
from tfgate.cli.output import tell, write_out
from tfgate.report.neutral import console


@click.group()
def shim() -> None:
    """Put the gate in front of terraform and tofu on PATH.

    Example: tfgate shim install ~/.tfgate/bin
    """


@shim.command("install", epilog="Example: tfgate shim install ~/.tfgate/bin")
@click.argument("directory", type=click.Path(path_type=Path))
def install(directory: Path) -> None:
    """Write stand-ins for terraform and tofu into DIRECTORY, to be put first on PATH.

    What cannot change anything passes through untouched. apply and destroy go through the gate,
    and every other command is recorded or denied ([commands] of tfgate.toml).
    """
    directory = directory.expanduser().resolve()
    for path in install_shims(directory):
        write_out(f"{console(str(path))}\n")
    tell(f'Put it first on PATH: export PATH="{directory}:$PATH"')
