"""What reports say beside the decision: gathered once for all of a command's formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from tfgate._version import __version__
from tfgate.cli.output import terminal
from tfgate.report import AuditFacts, ReportContext

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from tfgate.app.check import CheckResult

FROM_THE_TOP = frozenset({"sarif", "github", "gitlab"})
"""Formats whose readers count paths from the top of the repository."""


def report_context(
    result: CheckResult, now: dt.datetime, formats: Collection[str]
) -> ReportContext:
    """Give the context of every report on ``result``."""
    recorded = result.recorded
    sources = result.sources if FROM_THE_TOP.intersection(formats) else None
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
