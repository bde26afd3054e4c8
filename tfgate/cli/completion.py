"""``tfgate completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tfgate.cli.main import cli
from tfgate.command.output import write_out


@click.command(epilog='Example: eval "$(tfgate completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes tfgate's commands and options in a shell."""
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells that the argument admits"
    write_out(found(cli, {}, "tfgate", "_TFGATE_COMPLETE").source())
