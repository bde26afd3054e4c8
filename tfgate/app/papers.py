"""A check that writes papers for others: a receipt for the next job, a request for approvers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tfgate.app.approval_request import write_request
from tfgate.app.check import judge_and_record
from tfgate.app.gather import load_config
from tfgate.app.receipt import read_plan_file, signing_key, write_receipt
from tfgate.app.record import Recorder
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.app.check import CheckResult
    from tfgate.app.request import Request


@dataclass(frozen=True)
class Papers:
    """What is written for others, beside reports."""

    receipt: Path | None = None
    """Signed statement for the job that applies."""
    approval_request: Path | None = None
    """What approvers are asked with, where approvals could let the plan through."""


def check_with_papers(request: Request, papers: Papers, *, audit: bool = True) -> CheckResult:
    """Judge one plan as ``check`` does, and write the papers once the decision is on record.

    Raises as ``check`` does, and where a paper cannot be signed or written.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None
    read = None
    if papers.receipt is not None:
        if recorder is None:
            raise UsageError("A receipt is for a decision on record, so not with --no-audit.")
        signing_key(config)
        read = partial(read_plan_file, request)
    judged = judge_and_record(request, config, recorder, read)
    notes: tuple[str, ...] = ()
    if papers.approval_request is not None:
        notes = (write_request(judged, request, papers.approval_request),)
    if papers.receipt is not None and recorder is not None:
        write_receipt(judged, request, recorder, papers.receipt)
    return msgspec.structs.replace(judged.result, notes=notes)
