"""``tfgate audit``: the trail, verified and read."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.audit.search import Unread
from tfgate.command.lazy import LazyGroup
from tfgate.command.output import bytes_bar, write_err, write_out
from tfgate.exitcodes import ExitCode
from tfgate.gate.trail import Trail, checkpoint_trail, find_trail, show_records, verify_trail

_LAZY = {
    "search": ("tfgate.trail.search", "search", "Find records."),
    "report": ("tfgate.trail.report", "report", "Write evidence for an auditor."),
    "export": ("tfgate.trail.bundle", "export", "Write all about a decision as a bundle."),
    "deliver": ("tfgate.trail.sinks", "deliver", "Give sinks what they have not yet."),
    "status": ("tfgate.trail.sinks", "status", "Show how far each sink has come."),
    "sql": ("tfgate.trail.search", "sql", "Ask the trail in SQL."),
}


@click.group(cls=LazyGroup, lazy=_LAZY)
def audit() -> None:
    """Verify and read the audit trail.

    Example: tfgate audit verify
    """


CONFIG = click.option(
    "--config", metavar="FILE", help="Configuration that says where the trail is."
)
EVIDENCE = click.option(
    "--evidence",
    metavar="DIR",
    help="Evidence files to check with it (default, without FILE: the trail's own).",
)
CHECKPOINTS = click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE|DIR",
    help="Checkpoint that was kept elsewhere. Repeatable.",
)
ALLOWED_SIGNERS = click.option(
    "--allowed-signers",
    metavar="FILE",
    help="OpenSSH allowed-signers file of whose checkpoints to believe.",
)
LOG = click.option("--log", metavar="FILE", help="Trail to use (default: the one in force).")


@audit.command("verify", epilog="Example: tfgate audit verify ~/.local/state/tfgate/audit.jsonl")
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@EVIDENCE
@CHECKPOINTS
@ALLOWED_SIGNERS
@click.option("--all", "everything", is_flag=True, help="Print every problem, however many.")
@CONFIG
def verify(
    files: tuple[str, ...],
    evidence: str | None,
    checkpoints: tuple[str, ...],
    allowed_signers: str | None,
    everything: bool,
    config: str | None,
) -> int:
    """Prove that nobody edited, removed, added or reordered a record.

    Without FILE: the trail in force. Exit code 0 means that it holds, 3 that it does not.
    """
    trail = _trail(files, config)
    with bytes_bar("verifying") as progress:
        report = verify_trail(
            trail,
            evidence=evidence,
            checkpoints=checkpoints,
            allowed_signers=allowed_signers,
            everything=everything,
            progress=progress,
        )
    write_out(report.text)
    return int(ExitCode.ALLOWED if report.holds else ExitCode.UNDECIDED)


@audit.command("checkpoint", epilog="Example: tfgate audit checkpoint --key ~/.ssh/audit_key")
@click.option(
    "--key",
    metavar="FILE",
    help="SSH key to sign with (default: audit.checkpoint_key). A public key whose "
    "private half the agent holds will do.",
)
@click.option(
    "--directory",
    metavar="DIR",
    help="Where the two files go (default: checkpoints/ beside the log).",
)
@LOG
@CONFIG
def checkpoint(key: str | None, directory: str | None, log: str | None, config: str | None) -> None:
    """Sign how far the trail has come. Kept elsewhere, it shows when the end is cut off.

    OpenSSH alone verifies it; the command is printed.
    """
    made = checkpoint_trail(
        key=key, directory=directory, cwd=Path.cwd(), env=os.environ, config=config, log=log
    )
    write_out(
        f"Record {made.statement.seq} of {made.statement.time} is vouched for: {made.file}\n"
        f"Keep it and {made.file}.sig where nobody who can write to the trail can.\n"
        "To verify: ssh-keygen -Y verify -f ALLOWED_SIGNERS -I WHO -n tfgate-checkpoint "
        f"-s {made.file}.sig < {made.file}\n"
    )


@audit.command("show", epilog="Example: tfgate audit show --last 3")
@click.argument("decision_id", required=False)
@LOG
@click.option("--last", default=1, show_default=True, help="How many of the newest records.")
@CONFIG
def show(decision_id: str | None, log: str | None, last: int, config: str | None) -> None:
    """Show the records of one decision (its id may be shortened), or the newest ones."""
    unread = Unread()
    records = show_records(
        decision_id,
        last=last,
        log=log,
        cwd=Path.cwd(),
        env=os.environ,
        config=config,
        unread=unread,
    )
    write_out(records)
    for sentence in unread.sentences():
        write_err(f"tfgate: {sentence}")


def _trail(files: tuple[str, ...], config: str | None) -> Trail:
    return find_trail(files, cwd=Path.cwd(), env=os.environ, config=config)
