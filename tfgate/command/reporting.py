"""The context of a command's reports, and the reports on several plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import PurePath

from msgspec.structs import asdict

from tfgate._version import __version__
from tfgate.command.output import terminal, write_err, write_out, write_reports
from tfgate.errors import UsageError
from tfgate.gate.check import CheckResult, Entry
from tfgate.report import FORMATS, AuditFacts, ReportContext, ReportRequest
from tfgate.report.escape import console


def report_context(
    result: CheckResult, now: dt.datetime, formats: Collection[str]
) -> ReportContext:
    """Return the context of every report on ``result``."""
    recorded = result.recorded
    sources = result.sources if any(FORMATS[name].from_the_top for name in formats) else None
    return ReportContext(
        tfgate_version=__version__,
        exit_code=int(result.exit_code),
        decision_id=result.decision_id,
        audit=None
        if recorded is None
        else AuditFacts(path=str(recorded.trail), seq=recorded.seq, hash=recorded.hash),
        now=now,
        rules=result.rules,
        path_prefix="" if sources is None else sources.prefix,
        fallback_file=None if sources is None else sources.fallback_file,
        plan_name=result.plan_name,
        **asdict(terminal()),
    )


def report_many(
    entries: Sequence[Entry], requests: Sequence[ReportRequest], now: dt.datetime
) -> None:
    """Write the reports of every plan, and one line about all of them.

    In the name of a report's file the number of the plan is put before the suffix. Raises
    ``UsageError`` for formats that can hold one plan alone and were given no file.
    """
    for request in requests:
        if request.file is None and not FORMATS[request.format].in_a_row:
            raise UsageError(
                f"The format {request.format} holds one plan, and there are {len(entries)}.",
                hint=f"Give it a file: --report {request.format}=FILE gets a number for each.",
            )
    formats = [request.format for request in requests]
    for number, entry in enumerate(entries, 1):
        if entry.error is not None:
            write_err(f"tfgate: {entry.error}")
        if entry.result is not None:
            own = [ReportRequest(r.format, _numbered(r.file, number)) for r in requests]
            write_reports(own, entry.result.decision, report_context(entry.result, now, formats))
            if any(request == ReportRequest("text", None) for request in requests):
                write_out("\n")
    write_err(summary(entries))


def summary(entries: Sequence[Entry]) -> str:
    """Count the allowed, denied and undecided plans, and name those not allowed."""
    names: dict[str, list[str]] = {"allowed": [], "denied": [], "undecided": []}
    for entry in entries:
        names[_WORDS[int(entry.exit_code)]].append(entry.name)
    counts = ", ".join(f"{len(found)} {word}" for word, found in names.items())
    lines = [f"tfgate: {len(entries)} plans: {counts}."]
    for word in ("denied", "undecided"):
        lines += [f"tfgate: {word}: {console(name)}" for name in names[word]]
    return "\n".join(lines)


_WORDS = {0: "allowed", 1: "denied", 2: "undecided", 3: "undecided", 4: "undecided"}


def _numbered(file: str | None, number: int) -> str | None:
    if file is None:
        return None
    path = PurePath(file)
    return str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
