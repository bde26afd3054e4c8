"""``tfgate audit``: the trail, verified and read."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.cli.output import write_out
from tfgate.exitcodes import ExitCode


@click.group()
def audit() -> None:
    """Verify and read the audit trail.

    Example: tfgate audit verify
    """


_CONFIG = click.option("--config", metavar="FILE", help="Configuration that says where it is.")


@audit.command("verify", epilog="Example: tfgate audit verify ~/.local/state/tfgate/audit.jsonl")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@_CONFIG
def verify(files: tuple[str, ...], config: str | None) -> int:
    """Prove that nobody edited, removed, added or reordered a record.

    Without FILE: the trail in force. Exit code 0 means that it holds, 3 that it does not.
    """
    from tfgate.app.trail import verify_trail

    report = verify_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
    write_out(report.text)
    return int(ExitCode.ALLOWED if report.holds else ExitCode.UNDECIDED)


@audit.command("show", epilog="Example: tfgate audit show --last 3")
@click.argument("decision_id", required=False)
@click.option("--log", metavar="FILE", help="Trail to read (default: the one in force).")
@click.option("--last", default=1, show_default=True, help="How many of the newest records.")
@_CONFIG
def show(decision_id: str | None, log: str | None, last: int, config: str | None) -> None:
    """Show the records of one decision, or the newest ones."""
    from tfgate.app.trail import show_records

    records = show_records(
        decision_id, last=last, log=log, cwd=Path.cwd(), env=os.environ, config=config
    )
    write_out(records)
