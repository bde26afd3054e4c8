"""One rule on one subject: what every completion of the unknown values would give.

A subject with unknown values stands for all its completions. The rulings they would give form a set
(``pass``, ``fail``, ``error``, ``skip``); the outcome follows from the set alone, so that what must
fail whatever the unknowns become fails now, and what could come out either way is ``unknown``.
"""

from __future__ import annotations

from enum import Flag
from typing import TYPE_CHECKING, Any, NamedTuple

from tfgate.query import EvaluationError

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.functions import SubjectScope
    from tfgate.query import Expression, Judgement


class Ruling(Flag):
    """What a completion can give; a combination is the set of what some completions give."""

    SKIP = 1
    """``when`` is falsy: the rule does not apply."""
    PASS = 2
    FAIL = 4
    ERROR = 8


_DENIES = Ruling.FAIL | Ruling.ERROR
_PASSES = Ruling.PASS | Ruling.SKIP


class Judged(NamedTuple):
    """The ruling on a subject; ``None`` where completions differ."""

    ruling: Ruling | None
    value: Any = None
    """Value of a ``deny`` expression, for its elements."""
    error: EvaluationError | None = None
    key: str = ""
    """Which of the rule's expressions raised: ``when``, ``deny`` or ``require``."""


def judge(bound: BoundRule, document: dict[str, Any], scope: SubjectScope | None) -> Judged:
    """Judge one subject, whose document is ``document``."""
    compiled = bound.compiled
    possible = Ruling(0)
    if compiled.when is not None:
        judgement = _evaluate(compiled.when, document, scope)
        if isinstance(judgement, EvaluationError):
            return Judged(Ruling.ERROR, error=judgement, key="when")
        if judgement.truth is not True:
            possible |= Ruling.SKIP
        if judgement.may_raise:
            possible |= Ruling.ERROR
        if judgement.truth is False:
            return Judged(_collapse(possible))
    return _judge_decision(bound, document, scope, possible)


def _judge_decision(
    bound: BoundRule, document: dict[str, Any], scope: SubjectScope | None, possible: Ruling
) -> Judged:
    compiled = bound.compiled
    if compiled.deny is not None:
        expression, key, on_true, on_false = compiled.deny, "deny", Ruling.FAIL, Ruling.PASS
    else:
        assert compiled.require is not None, "a rule has deny or require: the loader saw to it"
        expression, key, on_true, on_false = compiled.require, "require", Ruling.PASS, Ruling.FAIL
    judgement = _evaluate(expression, document, scope)
    if isinstance(judgement, EvaluationError):
        return Judged(_collapse(possible | Ruling.ERROR), error=judgement, key=key)
    if judgement.truth is not False:
        possible |= on_true
    if judgement.truth is not True:
        possible |= on_false
    if judgement.may_raise:
        possible |= Ruling.ERROR
    return Judged(_collapse(possible), value=judgement.value)


def _evaluate(
    expression: Expression, document: dict[str, Any], scope: SubjectScope | None
) -> Judgement | EvaluationError:
    try:
        return expression.judge(document, scope)
    except EvaluationError as error:
        return error


def _collapse(possible: Ruling) -> Ruling | None:
    """Give the one ruling that a set of possible ones amounts to, or ``None``.

    A failure and an error both deny, and so do completions of which some fail and some raise.
    """
    if not possible & ~_DENIES:
        return Ruling.FAIL if Ruling.FAIL in possible else Ruling.ERROR
    if not possible & ~_PASSES:
        return Ruling.PASS if Ruling.PASS in possible else Ruling.SKIP
    return None
