"""``tfgate check``: judge a plan, record the decision, and only then say it."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tfgate.app.gather import gather, load_config
from tfgate.app.provenance import require_approved
from tfgate.app.record import Recorder
from tfgate.engine.evaluate import evaluate
from tfgate.errors import SeveralDocumentsError
from tfgate.exitcodes import ExitCode
from tfgate.model.decision import Decision, Verdict
from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.app.inputs import PlanInput
    from tfgate.app.record import Recorded
    from tfgate.app.request import AnyGathered, Gathered, Request
    from tfgate.app.sources import Sources
    from tfgate.model.rule import Rule
    from tfgate.ruleset import GateConfig


class CheckResult(Frozen, frozen=True):
    """A decision that is on record (unless recording was turned off)."""

    decision: Decision
    decision_id: str
    exit_code: ExitCode
    recorded: Recorded | None
    rules: dict[str, Rule] = {}  # noqa: RUF012 - msgspec gives each its own
    """Rules by id, for reports."""
    plan_name: str = "plan"
    sources: Sources | None = None
    """Where the findings' places are relative to."""
    notes: tuple[str, ...] = ()
    """What else was done, in sentences."""


class Judged(Frozen, frozen=True):
    """A decision with everything it was made of."""

    result: CheckResult
    gathered: Gathered


def check(request: Request, *, audit: bool = True) -> CheckResult:
    """Judge ``request.plan``. When this returns, the record is on the disk.

    Raises ``TfgateError`` where nothing could be decided or recorded; where a decision was due,
    that too is recorded, as ``undecided``, if it can be.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None
    return judge_and_record(request, config, recorder).result


def judge_and_record(
    request: Request,
    config: GateConfig,
    recorder: Recorder | None,
    read: Callable[[], PlanInput] | None = None,
    *,
    stream: bool = False,
) -> Judged:
    """Judge what ``read`` gives, or what ``request.plan`` names; record it before anyone knows.

    Raises as ``check`` does. With ``stream`` a ``SeveralDocumentsError`` is left to the caller to
    record, who may take the documents one by one.
    """
    decision_id = new_decision_id(request.now)
    later = SeveralDocumentsError if stream else None
    with nullcontext() if recorder is None else recorder.due(decision_id, later=later):
        gathered = gather(request, config, read)
        if config.on("provenance.require_approved_rules"):
            require_approved(gathered.effective.rulesets, config, request.env)
        decision = evaluate_gathered(gathered)
        if request.approvals:
            from tfgate.app.approvals import with_approvals  # what few decisions need

            decision = with_approvals(decision, gathered, request)
        recorded = None if recorder is None else recorder.decision(decision_id, decision, gathered)
    result = CheckResult(
        decision=decision,
        decision_id=decision_id,
        exit_code=exit_code_of(decision),
        recorded=recorded,
        rules=rules_by_id(gathered),
        plan_name=gathered.input.name,
        sources=gathered.sources,
    )
    return Judged(result, gathered)


def evaluate_gathered(gathered: Gathered) -> Decision:
    """Judge what was gathered; nothing is recorded here."""
    context = gathered.context
    if gathered.input.plan_file_sha256 is not None:
        context = replace(context, plan_file_sha256=gathered.input.plan_file_sha256)
    decision = evaluate(gathered.plan, gathered.effective.rulesets, context)
    warnings = (*decision.warnings, *gathered.warnings, *gathered.sources.warnings())
    return replace(decision, warnings=warnings, sources=gathered.sources.facts())


def rules_by_id(gathered: AnyGathered) -> dict[str, Rule]:
    """Give the rules in force, for reports."""
    return {
        compiled.rule.id: compiled.rule
        for ruleset in gathered.effective.rulesets
        for compiled in ruleset.rules
    }


def exit_code_of(decision: Decision) -> ExitCode:
    """Turn a decision into the exit code that says it: the one place that does."""
    if decision.undecided:
        return ExitCode.UNDECIDED
    return ExitCode.ALLOWED if decision.verdict is Verdict.ALLOW else ExitCode.DENIED


def new_decision_id(now: dt.datetime) -> str:
    """Name a decision: its time (UTC, to the second) and 64 random bits."""
    return f"{now.astimezone(dt.timezone.utc):%Y%m%dT%H%M%SZ}-{os.urandom(8).hex()}"


__all__ = [
    "CheckResult",
    "Judged",
    "check",
    "exit_code_of",
    "judge_and_record",
    "new_decision_id",
]
