"""``tfgate serve``."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import click

from tfgate.errors import UsageError


@click.command(epilog="Example: tfgate serve --config /etc/tfgate/server.toml")
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path),
              envvar="TFGATE_SERVER_CONFIG",
              help="The server's configuration. [env: TFGATE_SERVER_CONFIG]")  # fmt: skip
@click.option("--check", "check_only", is_flag=True,
              help="Read the configuration and load every ruleset, then end.")  # fmt: skip
def serve(config: Path | None, check_only: bool) -> int:
    """Evaluate the runs of HCP Terraform and Terraform Enterprise as their run task.

    SIGHUP reads the policies and their rulesets again; SIGTERM stops when what is in work is done.
    Needs the extra: pip install 'tfgate[server]'.
    """

    require_extra()
    if config is None:
        raise UsageError("tfgate serve needs --config FILE.")
    if check_only:
        return _check(config)
    from tfgate.server.server import serve as run

    return run(config, os.environ)


def _check(config: Path) -> int:
    from tfgate.command.output import write_out
    from tfgate.server.settings import load_policies, load_settings

    settings = load_settings(config, os.environ)
    policies = load_policies(settings, {"HOME": os.environ.get("HOME", "/")})
    write_out(f"{len(policies)} policies are complete.\n")
    return 0


# The packages that the server needs and that no other command does.


PACKAGES = (
    *("starlette", "uvicorn", "httpx", "prometheus_client"),
    *("cryptography", "dbos", "authlib", "joserfc"),
)


def require_extra() -> None:
    """Raise ``UsageError`` with one sentence where a package of the extra is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"tfgate serve needs {', '.join(missing)}, which is not installed.",
            hint="Install it with: pip install 'tfgate[server]'",
        )
