"""Evaluate recorded plans under two sets of rules, and compare what comes out."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict, replace

from tfgate.audit.decision import read_packed
from tfgate.audit.record import moment_of
from tfgate.engine.context import Context
from tfgate.engine.evaluate import evaluate
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.model.decision import Decision, Operator, Outcome, OutcomeKind, Run, Workspace
from tfgate.plan import Plan, read_plan
from tfgate.ruleset import Effective, Evaluate, GateConfig, Ruleset
from tfgate.ruleset.effective import load_rulesets, resolve, sources_for

SAME = "same"
"""Stands for both decisions where they are certainly the same, whichever it is."""


class RecordedPlan(msgspec.Struct, frozen=True):
    """A plan to be evaluated again, with what the record says of its run."""

    file: str
    name: str
    """For people: path or digest."""
    workspace: str
    now: str
    """The time to evaluate it at where no record says another: RFC 3339."""
    operator: str = "unknown"
    time: str | None = None
    """When it was evaluated: RFC 3339."""
    decision_id: str | None = None


class FindingChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule on one subject, where the old and the new rules do not agree."""

    rule: str
    address: str
    before: str
    """Outcome under the old rules: ``fail``, …; ``none`` where no rule of that name looked."""
    after: str
    blocked: bool
    """Whether it denied the plan under the old rules."""
    blocks: bool
    """Whether it denies the plan under the new rules."""
    message: str = ""
    """Of the finding that there is, the new one first."""


class PlanImpact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One plan under both."""

    plan: str
    """File, or digest in the archive."""
    workspace: str
    before: str
    """``allow``, ``deny``, ``undecided`` where it could not be evaluated, or ``same``."""
    after: str
    changes: tuple[FindingChange, ...] = ()
    problem: str | None = None
    """Why it could not be evaluated under one of the two."""
    decision_id: str | None = None
    """The decision in the trail, for a plan from the archive."""
    time: str | None = None

    @property
    def newly_denied(self) -> bool:
        """Whether the new rules deny what the old ones let through."""
        return self.before == "allow" and self.after in ("deny", "undecided")

    @property
    def newly_allowed(self) -> bool:
        """Whether the new rules let through what the old ones denied."""
        return self.before in ("deny", "undecided") and self.after == "allow"


class RuleImpact(msgspec.Struct, frozen=True):
    """One rule over all plans."""

    rule: str
    newly_blocking: int
    """Findings that deny now and did not."""
    no_longer_blocking: int
    other: int
    """Findings that came, went or changed without denying, before or after."""
    plans: int
    """Plans in which anything about it changed."""
    workspaces: tuple[str, ...]


class Impact(msgspec.Struct, frozen=True):
    """All plans under both."""

    base: str
    """Reference of the old rules, as asked for."""
    commit: str
    plans: tuple[PlanImpact, ...]

    @property
    def newly_denied(self) -> list[PlanImpact]:
        """Plans that the new rules deny, and the old ones did not."""
        return [plan for plan in self.plans if plan.newly_denied]

    @property
    def newly_allowed(self) -> list[PlanImpact]:
        """Plans that the new rules let through, and the old ones did not."""
        return [plan for plan in self.plans if plan.newly_allowed]

    @property
    def problems(self) -> list[PlanImpact]:
        """Plans that could not be evaluated."""
        return [plan for plan in self.plans if plan.problem is not None]

    def by_rule(self) -> list[RuleImpact]:
        """Sum up per rule, those that block most of what they did not first."""
        counts: dict[str, Counter[str]] = {}
        workspaces: dict[str, set[str]] = {}
        for plan in self.plans:
            for change in plan.changes:
                counts.setdefault(change.rule, Counter())[_kind(change)] += 1
                workspaces.setdefault(change.rule, set()).add(plan.workspace)
            for rule in {change.rule for change in plan.changes}:
                counts[rule]["plans"] += 1
        found = [
            RuleImpact(
                rule, count["new"], count["gone"], count["other"], count["plans"],
                tuple(sorted(workspaces[rule])),
            )
            for rule, count in counts.items()
        ]  # fmt: skip
        return sorted(found, key=lambda r: (-r.newly_blocking, -r.no_longer_blocking, r.rule))

    def by_workspace(self) -> dict[str, tuple[int, int, int]]:
        """Return plans, newly denied ones and newly allowed ones per workspace."""
        found: dict[str, tuple[int, int, int]] = {}
        for plan in self.plans:
            plans, denied, allowed = found.get(plan.workspace, (0, 0, 0))
            found[plan.workspace] = (
                plans + 1, denied + plan.newly_denied, allowed + plan.newly_allowed
            )  # fmt: skip
        return dict(sorted(found.items()))


def _kind(change: FindingChange) -> str:
    if change.blocks and not change.blocked:
        return "new"
    return "gone" if change.blocked and not change.blocks else "other"


_WORST = (OutcomeKind.ERROR, OutcomeKind.FAIL, OutcomeKind.UNKNOWN, OutcomeKind.WAIVED)
_WORDS = frozenset(
    {"title", "message", "remediation", "description", "references", "owners", "controls",
     "severity", "tests", "mutants", "approvals", "file", "line"}
)  # fmt: skip
"""Parts of a rule that no outcome depends on."""
_Key = tuple[str, str, str | None]


class TwoRules(NamedTuple):
    """The configurations that plans are evaluated under."""

    before: GateConfig
    after: GateConfig


class _Side(NamedTuple):
    """One of the two sets of rules, for one workspace."""

    config: GateConfig
    whole: Effective
    part: tuple[Ruleset, ...]
    """The rules that are not the same on both sides."""

    def decide(self, plan: Plan, recorded: RecordedPlan, *, whole: bool) -> Decision:
        rulesets = self.whole.rulesets if whole else self.part
        return evaluate(plan, rulesets, _context(self.config, self.whole, recorded))


class Evaluator:
    """Evaluates plans; rules are loaded once for each workspace.

    Rules that are the same on both sides come to the same. They are evaluated only where the others
    do not settle whether the decision is the same.
    """

    def __init__(self, rules: TwoRules) -> None:
        self.rules = rules
        self._loaded: dict[str, tuple[_Side, _Side]] = {}
        self._rulesets: dict[tuple[Any, ...], tuple[Ruleset, ...]] = {}

    def __call__(self, recorded: RecordedPlan) -> PlanImpact:
        """Return what differs for one plan. Never raises ``TfgateError``: that is a result too."""
        try:
            plan = read_plan(read_packed(Path(recorded.file)), name=recorded.name)
            return self._compare(plan, recorded)
        except TfgateError as error:
            return _impact(recorded, "undecided", "undecided", problem=str(error))

    def _compare(self, plan: Plan, recorded: RecordedPlan) -> PlanImpact:
        sides = self._sides(recorded.workspace)
        before, after = (side.decide(plan, recorded, whole=False) for side in sides)
        changes = tuple(_changes(before, after))
        if _settles(before) == _settles(after):
            return _impact(recorded, SAME, SAME, changes)
        before, after = (side.decide(plan, recorded, whole=True) for side in sides)
        return _impact(recorded, _verdict(before), _verdict(after), changes)

    def _sides(self, workspace: str) -> tuple[_Side, _Side]:
        found = self._loaded.get(workspace)
        if found is None:
            old, new = (
                self._load(self.rules.before, workspace),
                self._load(self.rules.after, workspace),
            )
            differ = differing(self.rules, old, new)
            found = (
                _Side(self.rules.before, old, _part(old, differ)),
                _Side(self.rules.after, new, _part(new, differ)),
            )
            self._loaded[workspace] = found
        return found

    def _load(self, config: GateConfig, workspace: str) -> Effective:
        """Load the rulesets once for all the workspaces that have the same."""
        sources = sources_for(config, workspace)
        key = (config is self.rules.after, *((source.text, source.base) for source in sources))
        rulesets = self._rulesets.get(key)
        if rulesets is None:
            rulesets = load_rulesets(
                sources,
                functions=rule_functions(),
                shipped_examples=False,
                remote=lambda: config.remote,
            )
            self._rulesets[key] = rulesets
        return resolve(config, rulesets, workspace)


def differing(rules: TwoRules, old: Effective, new: Effective) -> frozenset[str] | None:
    """Return the ids of rules that may come to something else; ``None`` for all of them."""
    if _settings(rules.before) != _settings(rules.after):
        return None
    before, after = _behaviours(old), _behaviours(new)
    return frozenset(
        rule_id for rule_id in before.keys() | after.keys()
        if before.get(rule_id) != after.get(rule_id)
    )  # fmt: skip


def _settings(config: GateConfig) -> tuple[Any, ...]:
    return (config.gate.evaluate, config.gate.allow_empty, config.waivers)


def _behaviours(effective: Effective) -> dict[str, Any]:
    """Return all that a rule's outcomes depend on, by the rule's id."""
    found = {}
    for ruleset in effective.rulesets:
        data = {name: file.sha256 for name, file in effective.data[ruleset.id].items()}
        shared = (ruleset.id, dict(effective.params.get(ruleset.id, {})), data)
        for compiled in ruleset.rules:
            rule = {k: v for k, v in asdict(compiled.rule).items() if k not in _WORDS}
            found[compiled.id] = (rule, effective.level(compiled), shared)
    return found


def _part(effective: Effective, differ: frozenset[str] | None) -> tuple[Ruleset, ...]:
    if differ is None:
        return effective.rulesets
    parts = (
        replace(ruleset, rules=tuple(rule for rule in ruleset.rules if rule.id in differ))
        for ruleset in effective.rulesets
    )
    return tuple(ruleset for ruleset in parts if ruleset.rules)


def _settles(decision: Decision) -> tuple[bool, bool]:
    """What of these rules may make the decision of all of them another one."""
    evaluated = bool(decision.passed) or bool(decision.outcomes)
    return evaluated, any(outcome.blocks for outcome in decision.outcomes)


def _impact(
    recorded: RecordedPlan,
    before: str,
    after: str,
    changes: tuple[FindingChange, ...] = (),
    problem: str | None = None,
) -> PlanImpact:
    return PlanImpact(
        recorded.name, recorded.workspace, before, after, changes, problem,
        recorded.decision_id, recorded.time,
    )  # fmt: skip


def _context(config: GateConfig, effective: Effective, recorded: RecordedPlan) -> Context:
    """Return the run as far as the record shows it: the time is that of the decision."""
    return Context(
        workspace=Workspace(recorded.workspace, "record"),
        operator=Operator(recorded.operator, "record"),
        now=moment_of(recorded.time or recorded.now),
        run=Run(),
        params=effective.params,
        data={
            ruleset: {name: file.value for name, file in files.items()}
            for ruleset, files in effective.data.items()
        },
        levels=effective.levels,
        evaluate_all=config.gate.evaluate is Evaluate.ALL,
        allow_empty=config.gate.allow_empty,
        waivers=config.waivers,
    )


def _verdict(decision: Decision) -> str:
    return "undecided" if decision.undecided else decision.verdict.value


def _changes(before: Decision, after: Decision) -> list[FindingChange]:
    old, new = _worst(before), _worst(after)
    passed_before, passed_after = _passed(before), _passed(after)
    found = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0], key[1], key[2] or "")):
        was, now = old.get(key), new.get(key)
        change = FindingChange(
            rule=key[0],
            address=_label(key),
            before=_word(was, key, passed_before),
            after=_word(now, key, passed_after),
            blocked=was is not None and was.blocks,
            blocks=now is not None and now.blocks,
            message=(now or was).message,  # type: ignore[union-attr] # one of the two is there
        )
        if (change.before, change.blocked) != (change.after, change.blocks):
            found.append(change)
    return found


def _worst(decision: Decision) -> dict[_Key, Outcome]:
    """Return one outcome for each rule and subject: one that denies, else the worst."""
    found: dict[_Key, Outcome] = {}
    for outcome in decision.outcomes:
        key = (outcome.rule, outcome.address, outcome.deposed)
        before = found.get(key)
        if before is None or _rank(outcome) < _rank(before):
            found[key] = outcome
    return found


def _rank(outcome: Outcome) -> tuple[bool, int]:
    kinds = [*_WORST]
    return (not outcome.blocks, kinds.index(outcome.outcome))


def _passed(decision: Decision) -> frozenset[tuple[str, str]]:
    return frozenset((rule, label) for rule, labels in decision.passed.items() for label in labels)


def _word(outcome: Outcome | None, key: _Key, passed: frozenset[tuple[str, str]]) -> str:
    if outcome is not None:
        return outcome.outcome.value
    return "pass" if (key[0], _label(key)) in passed else "none"


def _label(key: _Key) -> str:
    return key[1] if key[2] is None else f"{key[1]} (deposed {key[2]})"


MIN_PARALLEL = 16
"""Plans below which starting processes costs more than it saves."""


def evaluate_plans(
    evaluator: Evaluator,
    plans: Sequence[RecordedPlan],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[PlanImpact]:
    """Evaluate each plan under the old and the new rules, in order, on all processors.

    ``workers`` processes share the work (default: one per processor, none for a few plans).
    """
    count = workers if workers is not None else (os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        found: Iterable[PlanImpact] = map(evaluator, plans)
        if count > 1 and len(plans) >= MIN_PARALLEL:
            size = max(1, min(32, len(plans) // (count * 4)))
            workplace = ProcessPoolExecutor(count, initializer=begin, initargs=(evaluator.rules,))
            found = stack.enter_context(workplace).map(evaluate_one, plans, chunksize=size)
        for number, one in enumerate(found, 1):
            yield one
            if progress is not None:
                progress(number, len(plans))


_evaluator: Evaluator | None = None
"""Of a worker process, which evaluates many plans under the same rules."""


def begin(rules: TwoRules) -> None:
    """Make a worker process ready."""
    global _evaluator
    _evaluator = Evaluator(rules)


def evaluate_one(recorded: RecordedPlan) -> PlanImpact:
    """Evaluate one plan in a worker process."""
    assert _evaluator is not None, "begin() was called when the process began"
    return _evaluator(recorded)
