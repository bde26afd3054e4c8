"""A rule's expressions as a generated function: what it gives is what `judge` gives.

Imported when a rule is used so much that this is worth the time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tfgate.engine.judge import FAILED, PASSED, SKIPPED, Judged, Ruling
from tfgate.engine.scope import SubjectScope
from tfgate.query.codegen import DECLINED, Answers, Value, generate, generate_value
from tfgate.query.errors import BudgetError
from tfgate.query.expression import Judgement
from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.state import SMALL
from tfgate.query.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.engine.bound import BoundRule, Quick
    from tfgate.engine.context import Context
    from tfgate.engine.scope import Shared
    from tfgate.plan import Plan, Subject


def quick_of(rule: BoundRule, plan: Plan | None, context: Context) -> Quick | None:
    """Generate the function of a rule; None where there is none of its expressions."""
    ready = rule.get_ready()
    if ready.passes:
        answers = Answers(SKIPPED, on_true=PASSED, on_false=FAILED)
    elif ready.is_settled_by_truth:
        answers = Answers(SKIPPED, on_true=FAILED, on_false=PASSED)
    else:
        answers = Answers(SKIPPED, on_true=_failed, on_false=PASSED, settled=False)
    guard = None if ready.when is None else ready.when.node
    make_scope = partial(_scope, plan, rule, context)
    around = _Surroundings(rule, context)
    return generate(guard, ready.decider.node, answers, around, make_scope)


def _scope(
    plan: Plan | None,
    rule: BoundRule,
    context: Context,
    subject: Subject,
    document: dict[str, Any],
    shared: Shared,
) -> SubjectScope:
    return SubjectScope(plan, rule, subject, document, context, shared=shared)


def _failed(value: Any) -> Any:
    """Give the failure that ``value`` is, unless it is so large that steps must be counted."""
    judgement = Judgement()
    judgement.raw, judgement.truth, judgement.left = value, True, SMALL
    try:
        judgement.value  # noqa: B018 - kept by the judgement
    except BudgetError:
        return DECLINED
    return Judged(Ruling.FAIL, judgement)


class _Surroundings:
    """What the expressions of a rule name: its parameters, the context, its ``let`` values."""

    def __init__(self, rule: BoundRule, context: Context) -> None:
        self._rule = rule
        self._named: dict[str, Mapping[str, Any]] = {
            "param": rule.params,
            "data": rule.data,
            "context": context.known_facts(),
        }

    def constant(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Give what a call with these literals always gives, `NOT_LITERAL` if it varies."""
        if function not in self._named or type(arguments[0]) is not str:
            return NOT_LITERAL
        found = self._named[function].get(arguments[0])
        return NOT_LITERAL if found is None or type(found) is Unknown else found

    def variable(self, name: str) -> Value | None:
        """Give the function of a ``let`` value, made once for all rules that share it."""
        expression = self._rule.compiled.let.get(name)
        if expression is None:
            return None
        key, made = self._rule.let_key(name), self._rule.generated
        if key not in made:
            made[key] = generate_value(expression.node, self)
        return made[key]
