"""``tfgate check --source``: judge sources by the rules on them, before there is a plan."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tfgate.app.check import CheckResult, exit_code_of, new_decision_id, rules_by_id
from tfgate.app.gather import gather_sources, load_config
from tfgate.app.record import Recorder
from tfgate.engine.evaluate import evaluate_sources
from tfgate.ruleset import From

if TYPE_CHECKING:
    from tfgate.app.request import GatheredSources, Request
    from tfgate.model.decision import Decision
    from tfgate.ruleset import GateConfig

DEFAULT_RULESETS: Final = ["tfgate:source"]
"""What is used where nobody names rulesets: the default ones have no rule on sources."""


def check_sources(request: Request, *, audit: bool = True) -> CheckResult:
    """Judge the sources in ``request.directory``. When this returns, the record is on the disk.

    The record is that of a decision without a plan, on which nothing can be applied. Raises as
    ``tfgate.app.check.check`` does.
    """
    request, config = _with_rules(request)
    recorder = Recorder.of(config, request) if audit else None
    decision_id = new_decision_id(request.now)
    with nullcontext() if recorder is None else recorder.due(decision_id):
        gathered = gather_sources(request, config)
        decision = judge_sources(gathered)
        recorded = None if recorder is None else recorder.decision(decision_id, decision, gathered)
    return CheckResult(
        decision=decision,
        decision_id=decision_id,
        exit_code=exit_code_of(decision),
        recorded=recorded,
        rules=rules_by_id(gathered),
        plan_name=gathered.input.name,
        sources=gathered.sources,
    )


def _with_rules(request: Request) -> tuple[Request, GateConfig]:
    config = load_config(request)
    if config.values["gate.rulesets"].origin.layer is not From.DEFAULT:
        return request, config
    flags = {**request.flags, "gate.rulesets": DEFAULT_RULESETS}
    request = replace(request, flags=flags)
    return request, load_config(request)


def judge_sources(gathered: GatheredSources) -> Decision:
    """Judge what was gathered; nothing is recorded here."""
    decision = evaluate_sources(gathered.effective.rulesets, gathered.context)
    warnings = (*decision.warnings, *gathered.warnings, *gathered.sources.warnings())
    return replace(decision, warnings=warnings, sources=gathered.sources.facts())
