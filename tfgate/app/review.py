"""``tfgate review``: judge a plan without recording it, and lay it out for a person to read."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tfgate.app.check import judge_and_record
from tfgate.app.gather import load_config
from tfgate.app.review_change import review_change, review_invocation, review_output
from tfgate.app.review_filter import EVERYTHING, ReviewFilter
from tfgate.app.review_radius import ORDER, radius_of
from tfgate.model.action import Action
from tfgate.model.review import ChangeKind, ModuleGroup, Review, ReviewedChange
from tfgate.model.rule import Scope, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.app.request import Request
    from tfgate.engine.context import Locate
    from tfgate.exitcodes import ExitCode
    from tfgate.model.decision import Decision, Outcome
    from tfgate.model.rule import Rule
    from tfgate.plan import Change, Plan

_SCOPES: Final = {
    Scope.RESOURCE: ChangeKind.CHANGE,
    Scope.DRIFT: ChangeKind.DRIFT,
    Scope.OUTPUT: ChangeKind.OUTPUT,
    Scope.ACTION: ChangeKind.INVOCATION,
}
Key = tuple[ChangeKind, str, "str | None"]


@dataclass(frozen=True)
class ReviewResult:
    """A review, and the exit code of the verdict it shows."""

    review: Review
    exit_code: ExitCode


def review(request: Request, wanted: ReviewFilter = EVERYTHING) -> ReviewResult:
    """Judge and lay out ``request.plan``. Nothing is recorded, so nothing may be applied on it.

    Raises ``TfgateError`` where the plan cannot be read or judged.
    """
    judged = judge_and_record(request, load_config(request), None)
    result = judged.result
    laid_out = lay_out(
        judged.gathered.plan,
        result.decision,
        result.rules,
        plan_name=result.plan_name,
        locate=judged.gathered.context.locate,
        wanted=wanted,
    )
    return ReviewResult(laid_out, result.exit_code)


def _nowhere(address: str, attribute: str | None) -> None:
    return None


def lay_out(
    plan: Plan,
    decision: Decision,
    rules: dict[str, Rule],
    *,
    plan_name: str = "plan",
    locate: Locate = _nowhere,
    wanted: ReviewFilter = EVERYTHING,
) -> Review:
    """Put a plan and what was decided on it together. Raises ``PlanError``."""
    beside = _Beside(decision.outcomes)
    builder = _Builder(plan, beside, locate, wanted)
    listed = [change for change in plan.changes if _is_listed(change, beside)]
    named = {outcome.rule for outcome in decision.outcomes}
    return Review(
        decision=decision,
        plan_name=plan_name,
        radius=radius_of(plan),
        groups=_groups(builder.changes(listed, ChangeKind.CHANGE)),
        outputs=builder.outputs(),
        drift=builder.changes(plan.drift, ChangeKind.DRIFT),
        deferred=builder.changes(plan.deferred, ChangeKind.DEFERRED),
        invocations=builder.invocations(),
        findings=beside.rest(_keys(plan)),
        rules={name: rule for name, rule in sorted(rules.items()) if name in named},
        total=len(listed),
        filters=wanted.described(),
    )


class _Beside:
    """The findings by what they are about."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._outcomes = outcomes
        self._of: dict[Key, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            key = _key(outcome)
            if key is not None:
                self._of[key].append(outcome)

    def of(self, kind: ChangeKind, address: str, deposed: str | None = None) -> tuple[Outcome, ...]:
        """Give the findings on one entry, what blocks first."""
        found = self._of.get((kind, address, deposed), ())
        return tuple(sorted(found, key=_weight))

    def rest(self, known: set[Key]) -> tuple[Outcome, ...]:
        """Give the findings on none of these entries."""
        found = [outcome for outcome in self._outcomes if _key(outcome) not in known]
        return tuple(sorted(found, key=_weight))


def _weight(outcome: Outcome) -> tuple[bool, int]:
    """What blocks first, then what is worst."""
    return not outcome.blocks, -list(Severity).index(outcome.severity)


def _key(outcome: Outcome) -> Key | None:
    kind = _SCOPES.get(outcome.scope)
    return None if kind is None else (kind, outcome.address, outcome.deposed)


def _keys(plan: Plan) -> set[Key]:
    keys: set[Key] = {(ChangeKind.OUTPUT, o.address, None) for o in plan.outputs.values()}
    keys |= {(ChangeKind.CHANGE, change.address, change.deposed) for change in plan.changes}
    keys |= {(ChangeKind.DRIFT, change.address, change.deposed) for change in plan.drift}
    invoked = (*plan.actions, *plan.deferred_actions)
    return keys | {(ChangeKind.INVOCATION, action.address, None) for action in invoked}


def _is_listed(change: Change, beside: _Beside) -> bool:
    """Whether there is anything to see: an unchanged resource has to have a reason."""
    return (
        change.action is not Action.NO_OP
        or change.is_import
        or change.previous_address is not None
        or bool(beside.of(ChangeKind.CHANGE, change.address, change.deposed))
    )


class _Builder:
    """Makes the entries that a filter lets through."""

    def __init__(self, plan: Plan, beside: _Beside, locate: Locate, wanted: ReviewFilter) -> None:
        self._plan = plan
        self._beside = beside
        self._locate = locate
        self._wanted = wanted

    def changes(self, changes: Iterable[Change], kind: ChangeKind) -> tuple[ReviewedChange, ...]:
        return tuple(self._changes(changes, kind))

    def _changes(self, changes: Iterable[Change], kind: ChangeKind) -> Iterator[ReviewedChange]:
        for change in changes:
            findings = self._beside.of(kind, change.address, change.deposed)
            if self._wanted.lets(change, bool(findings)):
                location = self._locate(change.address, None)
                yield review_change(change, kind, findings, location)

    def outputs(self) -> tuple[ReviewedChange, ...]:
        return tuple(
            review_output(output, findings)
            for _, output in sorted(self._plan.outputs.items())
            for findings in (self._beside.of(ChangeKind.OUTPUT, output.address),)
            if output.action is not Action.NO_OP or findings
            if self._wanted.lets(output, bool(findings))
        )

    def invocations(self) -> tuple[ReviewedChange, ...]:
        return tuple(
            review_invocation(action, findings)
            for action in (*self._plan.actions, *self._plan.deferred_actions)
            for findings in (self._beside.of(ChangeKind.INVOCATION, action.address),)
            if self._wanted.lets(action, bool(findings))
        )


def _groups(changes: Iterable[ReviewedChange]) -> tuple[ModuleGroup, ...]:
    """Group by module, the root module first; in each, what destroys first."""
    modules: dict[str, list[ReviewedChange]] = defaultdict(list)
    for change in changes:
        modules[change.module].append(change)
    return tuple(
        ModuleGroup(module, tuple(sorted(members, key=_order)))
        for module, members in sorted(modules.items(), key=lambda entry: natural(entry[0]))
    )


def _order(change: ReviewedChange) -> tuple[int, list[tuple[int, str]], str]:
    assert change.action is not None, "only invocations have none"
    return ORDER.index(change.action), natural(change.address), change.deposed or ""


def natural(text: str) -> list[tuple[int, str]]:
    """Give a key that sorts ``x[2]`` before ``x[10]``.

    Numbers compare by their length first: an address may have more digits than an int can take.
    """
    parts = re.split(r"([0-9]+)", text)
    parts[1::2] = [digits.lstrip("0") for digits in parts[1::2]]
    return [(len(part) if place % 2 else 0, part) for place, part in enumerate(parts)]
