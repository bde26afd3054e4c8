"""What the examples of a rule have shown of it: outcomes, and each condition both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tfgate.engine.functions import rule_functions
from tfgate.query.coverage import watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.app.examples import ExampleResult
    from tfgate.query import Expression
    from tfgate.query.coverage import Condition
    from tfgate.ruleset import CompiledRule

_VALUES = frozenset({"after", "before", "config_values", "value", "body"})
_LISTS = frozenset({"changes", "outputs", "drift"})
_JOINS = frozenset({"references", "referenced_by", "configured"})


class Gap(msgspec.Struct, frozen=True):
    """Something about a rule that no example shows."""

    rule: str
    what: str
    """In words: ``no failing example``, ``deny: after.public (of &&) was never false``."""
    serious: bool = False
    """Whether the rule has not shown that it can pass and fail."""


@dataclass(frozen=True)
class WatchedRule:
    """A rule whose conditions are watched while its examples run."""

    compiled: CompiledRule
    conditions: tuple[tuple[str, Condition], ...]
    """Each with the key of its expression: ``deny``, ``when``, ``let.x``."""


@dataclass(frozen=True)
class Coverage:
    """How much of a rule, or of several, was shown."""

    shown: int = 0
    goals: int = 0
    """Outcomes that the rule must show, and two truth values for each condition."""
    gaps: tuple[Gap, ...] = ()

    @property
    def percent(self) -> float:
        """Share of the goals that is shown; 100 where there is none."""
        return 100.0 * self.shown / self.goals if self.goals else 100.0

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(self.shown + other.shown, self.goals + other.goals, self.gaps + other.gaps)


def watch(compiled: CompiledRule) -> WatchedRule:
    """Compile a rule's expressions again, with their conditions watched."""
    conditions: list[tuple[str, Condition]] = []
    watching = {}
    for key, expression in compiled.expressions():
        watching[key], found = watched(expression.text, rule_functions())
        conditions += [(key, condition) for condition in found]
    let = {name: watching[f"let.{name}"] for name in compiled.let}
    own = {key: watching[key] for key in ("when", "deny", "require") if key in watching}
    return WatchedRule(compiled.changed(let=let, **own), tuple(conditions))


def coverage_of(rule: WatchedRule, results: Iterable[ExampleResult]) -> Coverage:
    """Say what the examples that ran on ``rule`` have shown of it."""
    shown = {result.got for result in results if result.passed}
    wanted = list(_wanted(rule.compiled))
    gaps = [
        Gap(rule.compiled.id, f"no example that {words}", serious)
        for outcome, words, serious in wanted
        if outcome not in shown
    ]
    goals = len(wanted) + 2 * len(rule.conditions)
    for key, condition in rule.conditions:
        for value in condition.missing:
            what = f"{key}: {condition.text} (of {condition.within}) was never "
            gaps.append(Gap(rule.compiled.id, what + ("true" if value else "false")))
    return Coverage(goals - len(gaps), goals, tuple(gaps))


def _wanted(compiled: CompiledRule) -> Iterator[tuple[str, str, bool]]:
    yield "pass", "passes", True
    yield "fail", "fails", True
    if can_be_unknown(compiled):
        yield "unknown", "is unknown before the apply", False


def can_be_unknown(compiled: CompiledRule) -> bool:
    """Say whether a rule reads what may be known only after the apply.

    That is values, and joins that the plan may show in part only.
    """
    return any(
        bool(_JOINS & expression.functions) or any(_value_reads(expression))
        for _, expression in compiled.expressions()
    )


def _value_reads(expression: Expression) -> Iterator[bool]:
    for path in expression.reads:
        nested = path[:1] and path[0] in _LISTS and len(path) > 1
        head = path[1] if nested else next(iter(path), "")
        yield head in _VALUES
