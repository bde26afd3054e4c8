"""``tfgate approvals``: wait for the answer of people who approve in a browser."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import click

from tfgate.command.output import write_err
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.approval_server import WORDS, ApprovalServer, Waited, wait_for
from tfgate.gate.inputs import read_file
from tfgate.report.escape import console
from tfgate.ruleset import load_gate_config

_SPAN = re.compile(r"([1-9]\d{0,6})([smh])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@click.group()
def approvals() -> None:
    """Wait for approvals that people give in a browser.

    Example: tfgate approvals wait --plan p.tfplan --server https://gate.acme.example
    """


@approvals.command(
    epilog="Example: tfgate approvals wait --plan p.tfplan --server https://gate.acme.example "
    "--timeout 30m"
)
@click.argument("request", required=False)
@click.option("--plan", metavar="FILE", type=click.Path(path_type=Path),
              help="The plan that was checked, in place of the request's id.")  # fmt: skip
@click.option("--server", required=True, metavar="URL", envvar="TFGATE_APPROVAL_SERVER",
              help="Address of the server. [env: TFGATE_APPROVAL_SERVER]")  # fmt: skip
@click.option("--timeout", default="30m", show_default=True, metavar="TIME",
              help="How long to wait: 90s, 30m, 2h.")  # fmt: skip
@click.option("--output", "-o", default="approvals", show_default=True, metavar="DIR",
              type=click.Path(path_type=Path), help="Folder for the approvals.")  # fmt: skip
@click.option("--config", metavar="FILE", help="Configuration with [[identity.issuers]].")
def wait(
    request: str | None,
    plan: Path | None,
    server: str,
    timeout: str,
    output: Path,
    config: str | None,
) -> int:
    """Wait until REQUEST is answered, and write the approvals into a folder.

    tfgate check --approval-request=URL prints REQUEST. Hand the folder to tfgate apply --approval.
    Exit codes: 0 approved; 1 refused, withdrawn, replaced by a newer plan, or ended without an
    answer; 3 no answer within the time, or the server cannot be asked.
    """
    if (request is None) == (plan is None):
        raise UsageError("Name the request by its id, or the plan with --plan.")
    issuers = load_gate_config(Path.cwd(), os.environ, config=config).issuers
    asked = ApprovalServer(server, issuers, os.environ)
    if plan is not None:
        data = read_file(str(plan), what="plan")
        request = asked.find(hashlib.sha256(data).hexdigest()).id
    assert request is not None, "one of the two is there"
    return _report(wait_for(asked, request, output, _seconds(timeout)))


def _seconds(text: str) -> float:
    span = _SPAN.fullmatch(text)
    if span is None:
        raise UsageError(f"--timeout is not a time such as 90s, 30m or 2h: {text!r}.")
    return float(int(span[1]) * _SECONDS[span[2]])


def _report(waited: Waited) -> int:
    state = waited.state
    for answer in state.answers:
        word = "approved" if answer.approves else "refused"
        write_err(f"tfgate: {console(answer.by)} {word}: {console(answer.reason)}")
    for file in waited.files:
        write_err(f"tfgate: Wrote {file}.")
    write_err(f"tfgate: {console(state.url)} {WORDS.get(state.state, console(state.state))}.")
    if state.state == "waiting":
        return ExitCode.UNDECIDED
    return ExitCode.ALLOWED if state.state == "approved" and waited.files else ExitCode.DENIED
