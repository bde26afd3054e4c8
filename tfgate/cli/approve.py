"""``tfgate approve``."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from tfgate.app import approve as app
from tfgate.cli.output import tell, terminal, write_out
from tfgate.errors import UsageError
from tfgate.report.approval import render_approval
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from tfgate.model.approval import ApprovalStatement


@click.command(
    epilog="Example: tfgate approve p.request.json --key ~/.ssh/id_ed25519 --reason 'planned move'"
)
@click.argument("request", type=click.Path(path_type=Path))
@click.option(
    "--key",
    required=True,
    metavar="FILE",
    help="Your SSH key: private, or public with the private half in the agent.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why it may go through.")
@click.option(
    "--expires",
    metavar="WHEN",
    help="How long it holds: 4h, 2d, a day, or RFC 3339. Default: what the gate allows.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the approval goes. Default: beside the request.",
)
@click.option("--yes", is_flag=True, help="Sign without asking.")
@click.option(
    "--config",
    metavar="FILE",
    help="Configuration of the gate, whose signers are looked at (default: the nearest).",
)
def approve(
    request: Path,
    key: str,
    reason: str,
    expires: str | None,
    output: Path | None,
    yes: bool,
    config: str | None,
) -> int:
    """Show what a REQUEST asks for, and sign that it may be applied.

    REQUEST is what tfgate check --approval-request wrote. The approval goes to whoever applies:
    tfgate apply --approval FILE. Where the gate's allowed signers are at hand, an approval that
    they would not let count is not written. Exit code 1: you did not say yes.
    """
    now = dt.datetime.now(dt.timezone.utc)
    approver = app.Approver(key, reason, now, expires)
    statement = app.statement_of(app.read_request(request), approver)
    _show(statement)
    if not yes and not _confirmed():
        tell("tfgate: Nothing was signed.")
        return 1
    signed = app.sign_approval(statement, key)
    app.check_counts(
        signed, now, load_gate_config(Path.cwd(), os.environ, config=config).allowed_signers
    )
    path = output or app.default_output(request, signed)
    app.write_approval(path, signed)
    tell(f"tfgate: Wrote {path}.")
    return 0


def _show(statement: ApprovalStatement) -> None:
    write_out(render_approval(statement, **asdict(terminal())))


def _confirmed() -> bool:
    """Ask on the terminal; without one, nobody has seen what would be signed."""
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on.", hint="Add --yes to sign what is shown above."
        )
    click.echo("\nSign this?\n  Only 'yes' will be accepted.\n\n  Enter a value: ", nl=False)
    return sys.stdin.readline().strip() == "yes"
