"""``tfgate review``: evaluate a plan without recording it, and lay it out for a person."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from tfgate.engine.context import Locate
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import evaluate_and_record
from tfgate.gate.gather import load_config
from tfgate.gate.request import Request
from tfgate.model import Frozen
from tfgate.model.action import Action
from tfgate.model.decision import Decision, Outcome
from tfgate.model.rule import Rule, Scope, Severity
from tfgate.model.text import any_glob
from tfgate.plan import Change, Plan, Subject
from tfgate.review.change import review_change, review_invocation, review_output
from tfgate.review.model import ChangeKind, ModuleGroup, Radius, Review, ReviewedChange, TypeCount


class ReviewFilter(Frozen, frozen=True):
    """What a change must be to be shown; nothing given in a field lets everything through."""

    actions: tuple[Action, ...] = ()
    addresses: tuple[str, ...] = ()
    """Globs."""
    types: tuple[str, ...] = ()
    """Globs."""
    modules: tuple[str, ...] = ()
    """Globs over module addresses; ``""`` and ``root`` are the root module."""
    findings_only: bool = False

    def matches(self, subject: Subject, found: bool) -> bool:
        """Whether ``subject``, on which something was ``found`` or not, is shown."""
        modules = tuple("" if glob == "root" else glob for glob in self.modules)
        return (
            (found or not self.findings_only)
            and (not self.actions or subject.action in self.actions)
            and any_glob(self.addresses)(subject.address)
            and any_glob(self.types)(subject.type)
            and any_glob(modules)(subject.module_address)
        )

    def described(self) -> Iterator[str]:
        """Yield the filters as a command line has them."""
        yield from (f"--action {action}" for action in self.actions)
        yield from (f"--address {glob}" for glob in self.addresses)
        yield from (f"--type {glob}" for glob in self.types)
        yield from (f"--module {glob or 'root'}" for glob in self.modules)
        if self.findings_only:
            yield "--findings-only"


EVERYTHING: Final = ReviewFilter()
"""Matches every change."""


ORDER: Final = (
    Action.DELETE,
    Action.REPLACE,
    Action.FORGET,
    Action.UPDATE,
    Action.CREATE,
    Action.READ,
    Action.NO_OP,
)
"""What destroys first: the order in which a person should look."""
_EXISTING: Final = (Action.DELETE, Action.REPLACE, Action.FORGET, Action.UPDATE, Action.NO_OP)
_QUIET: Final = (Action.READ, Action.NO_OP)


def radius_of(plan: Plan) -> Radius:
    """Measure the whole plan, whatever is filtered from view."""
    managed = [change for change in plan.changes if change.mode != "data"]
    counts = Counter(change.action for change in plan.changes)
    number = Counter(change.action for change in managed)
    existing = sum(number[action] for action in _EXISTING)
    replaced = [change for change in managed if change.action is Action.REPLACE]
    kept = sum("forget" in change.actions for change in replaced)
    return Radius(
        counts=tuple((action, counts[action]) for action in ORDER if counts[action]),
        types=_types(managed),
        existing=existing,
        touched=existing - number[Action.NO_OP],
        lost=number[Action.DELETE] + number[Action.REPLACE] - kept,
        modules=len({change.module_address for change in managed if change.action not in _QUIET}),
        imported=sum(change.is_import for change in plan.changes),
        moved=sum(change.previous_address is not None for change in plan.changes),
        drifted=len(plan.drift),
        deferred=len(plan.deferred),
    )


def _types(managed: list[Change]) -> tuple[TypeCount, ...]:
    table: dict[str, Counter[Action]] = {}
    for change in managed:
        if change.action not in _QUIET:
            table.setdefault(change.type, Counter())[change.action] += 1
    rows = [
        TypeCount(kind, tuple((action, number[action]) for action in ORDER if number[action]))
        for kind, number in table.items()
    ]
    return tuple(sorted(rows, key=_weight))


def _weight(row: TypeCount) -> tuple[int, int, str]:
    """What loses most first, then what changes most."""
    counts = dict(row.counts)
    lost = counts.get(Action.DELETE, 0) + counts.get(Action.REPLACE, 0)
    return -lost, -sum(counts.values()), row.type


_SCOPES: Final = {
    Scope.RESOURCE: ChangeKind.CHANGE,
    Scope.DRIFT: ChangeKind.DRIFT,
    Scope.OUTPUT: ChangeKind.OUTPUT,
    Scope.ACTION: ChangeKind.INVOCATION,
}
Key = tuple[ChangeKind, str, "str | None"]


class ReviewResult(Frozen, frozen=True):
    """A review, and the exit code of the verdict it shows."""

    review: Review
    exit_code: ExitCode


def review(request: Request, wanted: ReviewFilter = EVERYTHING) -> ReviewResult:
    """Evaluate and lay out ``request.plan``. Nothing is recorded, so nothing may be applied on it.

    Raises ``TfgateError`` where the plan cannot be read or evaluated.
    """
    evaluated = evaluate_and_record(replace(request, reading=True), load_config(request), None)
    result = evaluated.result
    laid_out = lay_out(
        evaluated.gathered.plan,
        result.decision,
        result.rules,
        plan_name=result.plan_name,
        locate=evaluated.gathered.context.locate,
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
        drift=tuple(builder.changes(plan.drift, ChangeKind.DRIFT)),
        deferred=tuple(builder.changes(plan.deferred, ChangeKind.DEFERRED)),
        invocations=builder.invocations(),
        findings=beside.rest(_keys(plan)),
        rules={name: rule for name, rule in sorted(rules.items()) if name in named},
        total=len(listed),
        filters=tuple(wanted.described()),
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
        """Return the findings on one entry, what blocks first."""
        found = self._of.get((kind, address, deposed), ())
        return tuple(sorted(found, key=_finding_weight))

    def rest(self, known: set[Key]) -> tuple[Outcome, ...]:
        """Return the findings on none of these entries."""
        found = [outcome for outcome in self._outcomes if _key(outcome) not in known]
        return tuple(sorted(found, key=_finding_weight))


def _finding_weight(outcome: Outcome) -> tuple[bool, int]:
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

    def changes(self, changes: Iterable[Change], kind: ChangeKind) -> Iterator[ReviewedChange]:
        for change in changes:
            findings = self._beside.of(kind, change.address, change.deposed)
            if self._wanted.matches(change, bool(findings)):
                location = self._locate(change.address, None)
                yield review_change(change, kind, findings, location)

    def outputs(self) -> tuple[ReviewedChange, ...]:
        return tuple(
            review_output(output, findings)
            for _, output in sorted(self._plan.outputs.items())
            for findings in (self._beside.of(ChangeKind.OUTPUT, output.address),)
            if output.action is not Action.NO_OP or findings
            if self._wanted.matches(output, bool(findings))
        )

    def invocations(self) -> tuple[ReviewedChange, ...]:
        return tuple(
            review_invocation(action, findings)
            for action in (*self._plan.actions, *self._plan.deferred_actions)
            for findings in (self._beside.of(ChangeKind.INVOCATION, action.address),)
            if self._wanted.matches(action, bool(findings))
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
    """Return a key that sorts ``x[2]`` before ``x[10]``.

    Numbers compare by their length first: an address may have more digits than an int can take.
    """
    parts = re.split(r"([0-9]+)", text)
    parts[1::2] = [digits.lstrip("0") for digits in parts[1::2]]
    return [(len(part) if place % 2 else 0, part) for place, part in enumerate(parts)]
