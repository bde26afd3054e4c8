"""``tfgate check``: evaluate a plan, record the decision, and only then say it."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tfgate.engine.evaluate import evaluate, evaluate_sources
from tfgate.errors import SeveralDocumentsError, TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.gather import data_facts, gather, gather_sources, load_config
from tfgate.gate.inputs import PlanInput, read_plan_input
from tfgate.gate.record import Recorder
from tfgate.gate.rule_origin import require_approved
from tfgate.model import Frozen
from tfgate.model.decision import Decision
from tfgate.plan.reading import split_stream
from tfgate.ruleset import From

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.gate.gather import Sources
    from tfgate.gate.record import Recorded
    from tfgate.gate.request import AnyGathered, Gathered, GatheredSources, Request
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


class Evaluated(Frozen, frozen=True):
    """A decision with everything it was made of."""

    result: CheckResult
    gathered: Gathered


def check(request: Request, *, audit: bool = True) -> CheckResult:
    """Evaluate ``request.plan``. When this returns, the record is on the disk.

    Raises ``TfgateError`` where nothing could be decided or recorded; where a decision was due,
    that too is recorded, as ``undecided``, if it can be.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None
    return evaluate_and_record(request, config, recorder).result


def evaluate_and_record(
    request: Request,
    config: GateConfig,
    recorder: Recorder | None,
    read: Callable[[], PlanInput] | None = None,
    *,
    stream: bool = False,
) -> Evaluated:
    """Evaluate what ``read`` gives, or what ``request.plan`` names; record it before anyone knows.

    Raises as ``check`` does. With ``stream`` a ``SeveralDocumentsError`` is left to the caller to
    record, who may take the documents one by one.
    """
    decision_id = new_decision_id(request.now)
    later = SeveralDocumentsError if stream else None
    with nullcontext() if recorder is None else recorder.due(decision_id, later=later):
        gathered = gather(request, config, read)
        if config.provenance.require_approved_rules:
            require_approved(gathered.effective.rulesets, config, request.env)
        decision = evaluate_gathered(gathered)
        if request.approvals:
            from tfgate.gate.approvals import with_approvals  # what few decisions need

            decision = with_approvals(decision, gathered, request)
        recorded = None if recorder is None else recorder.decision(decision_id, decision, gathered)
    return Evaluated(_result(decision_id, decision, gathered, recorded), gathered)


def _result(
    decision_id: str,
    decision: Decision,
    gathered: Gathered | GatheredSources,
    recorded: Recorded | None,
) -> CheckResult:
    return CheckResult(
        decision=decision,
        decision_id=decision_id,
        exit_code=decision.exit_code,
        recorded=recorded,
        rules=rules_by_id(gathered),
        plan_name=gathered.input.name,
        sources=gathered.sources,
    )


def evaluate_gathered(gathered: Gathered) -> Decision:
    """Evaluate what was gathered; nothing is recorded here."""
    context = gathered.context
    if gathered.input.plan_file_sha256 is not None:
        context = replace(context, plan_file_sha256=gathered.input.plan_file_sha256)
    decision = evaluate(gathered.plan, gathered.effective.rulesets, context)
    warnings = (*decision.warnings, *gathered.warnings, *gathered.sources.warnings())
    facts = {"sources": gathered.sources.facts(), "data": data_facts(gathered.effective)}
    return replace(decision, warnings=warnings, **facts)


def rules_by_id(gathered: AnyGathered) -> dict[str, Rule]:
    """Return the rules in force, for reports."""
    return {
        compiled.rule.id: compiled.rule
        for ruleset in gathered.effective.rulesets
        for compiled in ruleset.rules
    }


def new_decision_id(now: dt.datetime) -> str:
    """Name a decision: its time (UTC, to the second) and 64 random bits."""
    return f"{now.astimezone(dt.timezone.utc):%Y%m%dT%H%M%SZ}-{os.urandom(8).hex()}"


# --- ``tfgate check`` of several plans: one decision each, and one overall.


_NO_PLANS = (".tf.json", ".tofu.json", ".tfvars.json")
_BADNESS = (ExitCode.ALLOWED, ExitCode.DENIED, ExitCode.USAGE, ExitCode.UNDECIDED)


class Entry(Frozen, frozen=True):
    """One plan of several: a decision, or why there is none."""

    name: str
    result: CheckResult | None = None
    error: TfgateError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What a check of this plan alone would end with."""
        if self.result is not None:
            return self.result.exit_code
        # No error allows anything, whatever a class of it may say.
        code = ExitCode.UNDECIDED if self.error is None else self.error.exit_code
        return code or ExitCode.UNDECIDED


def overall(entries: Sequence[Entry]) -> ExitCode:
    """Return the exit code of all together: the worst of them."""
    return max((entry.exit_code for entry in entries), key=_BADNESS.index)


def check_all(request: Request, *, audit: bool = True) -> list[Entry]:
    """Evaluate what ``request.plan`` names: a plan, a stream of plans, or a directory of them.

    Of one plan there is one entry, and what is wrong with it is raised as ``check`` raises it; of
    several every one is evaluated, whatever is wrong with another.
    """
    config = load_config(request)
    recorder = Recorder.of(config, request) if audit else None

    def evaluate_one(read: Callable[[], PlanInput], *, stream: bool = False) -> CheckResult:
        return evaluate_and_record(request, config, recorder, read, stream=stream).result

    if request.plan != "-" and Path(request.plan).is_dir():
        return [_entry(name, read, evaluate_one) for name, read in _in_directory(request)]
    plan: PlanInput | None = None

    def single() -> PlanInput:
        nonlocal plan
        plan = read_plan_input(
            request.plan, env=request.env, cwd=request.directory, early=request.early
        )
        return plan

    try:
        result = evaluate_one(single, stream=True)
    except SeveralDocumentsError as error:
        parts = [] if plan is None else split_stream(plan.data)
        if plan is None or len(parts) < 2:
            if recorder is not None:
                recorder.undecided(new_decision_id(request.now), error)
            raise
        return [
            _entry(part.name, partial(_same, part), evaluate_one) for part in _named(plan, parts)
        ]
    return [Entry(result.plan_name, result)]


def _same(plan: PlanInput) -> PlanInput:
    return plan


def _named(plan: PlanInput, parts: Sequence[bytes]) -> list[PlanInput]:
    return [
        PlanInput(part, f"{plan.name} (plan {number} of {len(parts)})")
        for number, part in enumerate(parts, 1)
    ]


def _entry(
    name: str,
    read: Callable[[], PlanInput],
    evaluate_one: Callable[[Callable[[], PlanInput]], CheckResult],
) -> Entry:
    try:
        return Entry(name, evaluate_one(read))
    except TfgateError as error:
        if error.exit_code is ExitCode.USAGE:
            raise
        return Entry(name, error=error)


def _in_directory(request: Request) -> Iterator[tuple[str, Callable[[], PlanInput]]]:
    """Yield every plan below a directory, by path. Raises ``UsageError`` where there is none."""
    files = find_plans(Path(request.plan))
    if not files:
        raise UsageError(
            f"There is no plan in {request.plan}.",
            hint="Plans are files that end in .tfplan or .json, as terragrunt's --out-dir and "
            "--json-out-dir write them.",
        )
    for file in map(str, files):
        yield file, partial(read_plan_input, file, env=request.env, cwd=request.directory)


def find_plans(directory: Path) -> list[Path]:
    """Find the plans below a directory, sorted, and not those in directories that begin with a dot.

    Of a plan file and its JSON of the same name the JSON is taken: it needs no Terraform.
    """
    found: dict[Path, Path] = {}
    for folder, below, names in os.walk(directory):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in (".json", ".tfplan") and not name.endswith(_NO_PLANS):
                stem = path.with_suffix("")
                stem = stem.with_suffix("") if stem.suffix == ".tfplan" else stem
                if path.suffix == ".json" or stem not in found:
                    found[stem] = path
    return sorted(found.values())


# --- ``tfgate check --source``: evaluate sources by the rules on them, before there is a plan.


DEFAULT_RULESETS: Final = ["tfgate:source"]
"""What is used where nobody names rulesets: the default ones have no rule on sources."""


def check_sources(request: Request, *, audit: bool = True) -> CheckResult:
    """Evaluate the sources in ``request.directory``. When this returns, the record is on the disk.

    The record is that of a decision without a plan, on which nothing can be applied. Raises as
    ``tfgate.gate.check.check`` does.
    """
    request, config = _with_rules(request)
    recorder = Recorder.of(config, request) if audit else None
    decision_id = new_decision_id(request.now)
    with nullcontext() if recorder is None else recorder.due(decision_id):
        gathered = gather_sources(request, config)
        decision = evaluate_gathered_sources(gathered)
        recorded = None if recorder is None else recorder.decision(decision_id, decision, gathered)
    return _result(decision_id, decision, gathered, recorded)


def _with_rules(request: Request) -> tuple[Request, GateConfig]:
    config = load_config(request)
    if config.values["gate.rulesets"].origin.layer is not From.DEFAULT:
        return request, config
    flags = {**request.flags, "gate.rulesets": DEFAULT_RULESETS}
    request = replace(request, flags=flags)
    return request, load_config(request)


def evaluate_gathered_sources(gathered: GatheredSources) -> Decision:
    """Evaluate what was gathered; nothing is recorded here."""
    decision = evaluate_sources(gathered.effective.rulesets, gathered.context)
    warnings = (*decision.warnings, *gathered.warnings, *gathered.sources.warnings())
    facts = {"sources": gathered.sources.facts(), "data": data_facts(gathered.effective)}
    return replace(decision, warnings=warnings, **facts)
