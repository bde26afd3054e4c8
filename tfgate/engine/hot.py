"""A rule on a subject: by its generated function once the rule is hot, by the evaluator before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.engine.judge import Judged, judge
from tfgate.engine.scope import Shared, SubjectScope

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject

HOT: Final = 150
"""Subjects after which functions are generated: that takes as long as judging about as many."""


_PATIENCE: Final = 50
"""Times that a function may decline beyond the subjects that the rule let pass."""


def judge_subject(
    rule: BoundRule,
    subject: Subject,
    document: dict[str, Any],
    plan: Plan | None,
    context: Context,
    shared: Shared,
) -> Judged:
    """Judge one subject, whose document is ``document``, by a rule that selects it.

    A rule that has been judged on `HOT` subjects is likely to be judged on many more. Then a
    function is generated of its expressions, and asked first; where it declines, the expressions
    are evaluated as ever.
    """
    quick = rule.quick
    if quick is None and rule.judged == HOT:
        from tfgate.engine.quick import quick_of  # most plans are too small for it

        quick = rule.quick = quick_of(rule, plan, context)
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
        scope = SubjectScope(plan, rule, subject, document, context, shared=shared)
    return judge(rule, document, scope)
