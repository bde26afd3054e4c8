"""One rule on one subject: what every completion of the unknown values would give.

A subject with unknown values stands for all its completions. The rulings they would give form a set
(``pass``, ``fail``, ``error``, ``skip``); the outcome follows from the set alone, so that what must
fail whatever the unknowns become fails now, and what could come out either way is ``unknown``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from tfgate.engine.scope import SubjectScope
from tfgate.model import Frozen
from tfgate.query.errors import BudgetError, EvaluationError
from tfgate.query.state import RULE_STEPS, State

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.engine.scope import Shared
    from tfgate.plan import Plan, Subject
    from tfgate.query import Judgement
    from tfgate.query.state import Meter


class Ruling(Enum):
    """What a rule comes to on a subject."""

    SKIP = "skip"
    """``when`` is falsy: the rule does not apply."""
    PASS = "pass"  # noqa: S105 - a ruling, not a password
    FAIL = "fail"
    ERROR = "error"
    UNKNOWN = "unknown"
    """Completions differ."""


class RuleResult(Frozen, frozen=True):
    """The ruling on a subject, with what a finding needs to know."""

    ruling: Ruling
    judgement: Judgement | None = None
    """Of the ``deny`` expression of a failure, for its elements."""
    error: EvaluationError | None = None
    key: str = ""
    """Which of the rule's expressions raised: ``when``, ``deny`` or ``require``."""

    def __post_init__(self) -> None:
        """Let go of the frames that an error holds: they hold the scope, which may hold it."""
        if self.error is not None:
            self.error.__traceback__ = None

    @property
    def value(self) -> Any:
        """Value of the deciding expression, if it has one."""
        return None if self.judgement is None else self.judgement.value


PASSED = RuleResult(Ruling.PASS)
"""The one object that every pass is."""
_FAILED = RuleResult(Ruling.FAIL)
_SKIPPED = RuleResult(Ruling.SKIP)
_UNKNOWN = RuleResult(Ruling.UNKNOWN)

# What completions can give, as a set in the bits of a number: this runs for every rule and subject.
_CAN_SKIP, _CAN_PASS, _CAN_FAIL, _CAN_ERROR = 1, 2, 4, 8
_DENIES = _CAN_FAIL | _CAN_ERROR
_PASSES = _CAN_PASS | _CAN_SKIP


def evaluate_rule(
    rule: BoundRule,
    subject: Subject,
    document: dict[str, Any],
    plan: Plan | None,
    context: Context,
    meter: Meter,
    shared: Shared | None = None,
) -> RuleResult:
    """Evaluate a rule on a subject that it selects, whose document is ``document``.

    ``meter`` counts what the rule takes on the whole plan; ``shared`` is what other rules found on
    the same subject and document.
    """
    scope = None
    if (rule.ready or rule.get_ready()).scoped:
        scope = SubjectScope(plan, rule, subject, document, context, shared=shared)
    return _evaluate(rule, document, scope, meter)


def _evaluate(
    bound: BoundRule, document: dict[str, Any], scope: SubjectScope | None, meter: Meter
) -> RuleResult:
    ready = bound.ready or bound.get_ready()
    when = ready.when
    possible = 0
    if meter.left < 0:
        return stopped(bound)
    if when is None:
        # Nearly every subject passes, and a verdict costs less than a judgement.
        known = ready.decider.verdict(document, scope, meter)
        if known is ready.passes:
            return PASSED
        if known is not None and ready.is_settled_by_truth:
            return _FAILED
    else:
        try:
            judgement = when.judge(document, scope, meter)
        except EvaluationError as error:
            return RuleResult(Ruling.ERROR, error=error, key="when")
        if judgement.truth is not True:
            possible = _CAN_SKIP
        if judgement.may_raise:
            possible |= _CAN_ERROR
        if judgement.truth is False:
            return _SKIPPED if possible == _CAN_SKIP else _UNKNOWN
    return _decide(bound, document, scope, meter, possible)


def stopped(bound: BoundRule) -> RuleResult:
    """Say that the rule has had its steps: what it would have said of the rest is not known."""
    key = "require" if bound.get_ready().passes else "deny"
    reason = f"The rule was stopped: it took more than {RULE_STEPS:,} steps on this plan."
    return RuleResult(Ruling.ERROR, error=BudgetError(reason), key=key)


def _decide(
    bound: BoundRule,
    document: dict[str, Any],
    scope: SubjectScope | None,
    meter: Meter,
    possible: int,
) -> RuleResult:
    ready = bound.get_ready()
    on_true, on_false = (_CAN_PASS, _CAN_FAIL) if ready.passes else (_CAN_FAIL, _CAN_PASS)
    key = "require" if ready.passes else "deny"
    try:
        judgement = ready.decider.judge(document, scope, meter)
        if judgement.truth is not False and not ready.passes:
            judgement.value  # noqa: B018 - its elements will be findings; kept by the judgement
    except BudgetError as error:
        meter.spend(State.left)
        return RuleResult(Ruling.ERROR, error=error, key=key)
    except EvaluationError as error:
        return _collapse(possible | _CAN_ERROR, None, error, key)
    if judgement.truth is not False:
        possible |= on_true
    if judgement.truth is not True:
        possible |= on_false
    if judgement.may_raise:
        possible |= _CAN_ERROR
    if possible == _CAN_PASS:
        return PASSED
    return _collapse(possible, judgement, None, key)


def _collapse(
    possible: int, judgement: Judgement | None, error: EvaluationError | None, key: str
) -> RuleResult:
    """Return the one ruling that a set of possible ones amounts to.

    A failure and an error both deny, and so do completions of which some fail and some raise.
    """
    if not possible & ~_DENIES:
        ruling = Ruling.FAIL if possible & _CAN_FAIL else Ruling.ERROR
        return RuleResult(ruling, judgement, error, key)
    if not possible & ~_PASSES:
        return PASSED if possible & _CAN_PASS else _SKIPPED
    return _UNKNOWN
