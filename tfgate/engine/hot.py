"""A rule on a subject: by its generated function once the rule is hot, by the evaluator before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from tfgate.engine.judge import Judged, judge
from tfgate.engine.scope import Shared, SubjectScope

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject

WORTH: Final = 150
"""Subjects yet to be judged for which a function is made: making it takes as long as they do."""

_PATIENCE: Final = 50
"""Times that a function may decline beyond the subjects that the rule let pass."""


class Run:
    """One evaluation of a plan: what its subjects have in common, and how far it is."""

    __slots__ = ("context", "plan", "seen", "total")

    def __init__(self, plan: Plan | None, context: Context, total: int) -> None:
        self.plan = plan
        self.context = context
        self.total = total
        """Subjects in all, more or less."""
        self.seen = 0
        """Those that were looked at."""


def judge_subject(
    rule: BoundRule, subject: Subject, document: dict[str, Any], shared: Shared, run: Run
) -> Judged:
    """Judge one subject, whose document is ``document``, by a rule that selects it.

    A rule that is likely to be judged on many more subjects gets a generated function, which is
    asked first from then on; where it declines, the expressions are evaluated as ever.
    """
    quick = rule.quick
    if quick is None and rule.judged >= rule.next_look and _is_worth_it(rule, run):
        from tfgate.engine.quick import quick_of  # most plans are too small for it

        quick = rule.quick = quick_of(rule, run.plan, run.context)
    if quick is not None and rule.meter.left >= 0:
        judged: Judged = quick(document, shared, subject)
        if type(judged) is Judged:
            return judged
        rule.declined += 1
        if rule.declined > len(rule.passed) + _PATIENCE:
            rule.quick = None
    rule.judged += 1
    scope = None
    if (rule.ready or rule.get_ready()).scoped:
        scope = SubjectScope(run.plan, rule, subject, document, run.context, shared=shared)
    return judge(rule, document, scope)


def _is_worth_it(rule: BoundRule, run: Run) -> bool:
    """Whether as many subjects are to come as have come so far, or as the plan's size promises.

    Where it is, it is tried once; where it is not, it is looked at again much later.
    """
    to_come = rule.judged
    if run.total:
        to_come = rule.judged * max(run.total - run.seen, 0) // max(run.seen, 1)
    is_worth_it = to_come >= WORTH
    rule.next_look = sys.maxsize if is_worth_it else 2 * rule.judged + 1
    return is_worth_it
