"""What a rule's functions see while it is evaluated on one subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query import BudgetError, EvaluationError, Scope
from tfgate.query.functions.registry import MayRaise
from tfgate.query.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject
    from tfgate.query import Expression, Judgement

_JOIN: Final = 100
"""Steps of looking for references."""
_FEW: Final = 20
"""Arguments of such functions that a rule may write out."""


Shared = dict[object, Any]
"""What was found for one subject, for all rules that ask the same of it: ``let`` values, and what
functions found in the rest of the plan.

Each rule pays for what it asks as if it were alone: whether it is stopped for having taken too many
steps does not depend on which rule asked first.
"""


class SubjectScope(Scope):
    """What a rule's functions see while it is evaluated on one subject.

    With ``redacted`` every value out of the plan is the redacted one, so that whatever is computed
    from it may be shown. ``shared`` is of the same subject, document and redaction.
    """

    def __init__(
        self,
        plan: Plan | None,
        rule: BoundRule | None,
        subject: Subject,
        document: dict[str, Any],
        context: Context,
        *,
        redacted: bool = False,
        shared: Shared | None = None,
    ) -> None:
        self.plan = plan
        self.rule = rule
        self.subject = subject
        self.document = document
        self.context = context
        self.redacted = redacted
        self.now = context.now
        self._shared: Shared = {} if shared is None else shared
        self.objects: Mapping[str, Any] = (
            {"context": context.known_facts()} if rule is None else rule.objects
        )

    def variable(self, name: str, state: State) -> Any:
        """Return ``$params``, ``$data``, ``$context`` or a ``let`` value.

        ``state``, an evaluation, pays for a ``let`` value the first time it asks.
        """
        found = self.objects.get(name)
        return self._let(name, state) if found is None else found

    def _let(self, name: str, state: State) -> Any:
        rule = self.rule
        expression = None if rule is None else rule.find_let(name)
        if rule is None or expression is None:
            raise self._absent(name)
        key = rule.let_key(name)
        held = rule.values.constants if rule.is_constant(name) else self._shared
        found: Judgement | EvaluationError | None = held.get(key)
        if found is None:
            found = held[key] = self._evaluated(expression)
        if isinstance(found, BudgetError):
            state.left = 0  # all of it went there
        if isinstance(found, EvaluationError):
            raise found
        if state.is_new(name):
            state.spend(State.left - found.left)
        return MayRaise(found.value) if found.may_raise else found.value

    def _absent(self, name: str) -> EvaluationError:
        """Say what an object lacks that the rule reads of it."""
        message = f"${name} has no value here"
        lacking = [below for kind, below in self.rule.missing if kind == name] if self.rule else []
        if lacking and name == "context":
            message = (
                f"this run gives no value of the fact {lacking[0]}: "
                f"give one with --context {lacking[0]}=VALUE"
            )
        elif lacking:
            message = f"${name}.{lacking[0]} has no value here"
        return EvaluationError(message, kind="undefined-variable")

    def _evaluated(self, expression: Expression) -> Judgement | EvaluationError:
        """Evaluate, and find the value once for all who ask for it."""
        try:
            judgement = expression.judge(self.document, self)
            judgement.value  # noqa: B018 - kept by the judgement
        except EvaluationError as error:
            return error.with_traceback(None)  # it holds frames, and these hold this scope
        judgement.scope = None  # it keeps this judgement: a cycle for each subject
        return judgement

    def joined(self, state: State, name: str, argument: Any, find: Callable[[], Any]) -> Any:
        """Return what a function finds in the rest of the plan, found once for an argument."""
        key = (name, argument)
        if state.is_new(key):
            state.spend(_JOIN)
            if state.has_asked_more_than(_FEW) and self.plan is not None:
                state.spend(len(self.plan.changes))  # the arguments come from the plan
        return self._found(state, key, find)

    def hop(self, state: State, key: object, find: Callable[[], Any]) -> Any:
        """Return what a function finds from another resource: a step of the same price each."""
        state.spend(_JOIN)
        return self._found(state, key, find)

    def _found(self, state: State, key: object, find: Callable[[], Any]) -> Any:
        """Find once for all rules of the subject; a long list has its price each time."""
        shared = self._shared
        if key not in shared:
            shared[key] = find()
        found = shared[key]
        if type(found) is list:
            state.spend(len(found) >> 2)
        return found


def scoped(scope: SubjectScope | None, function: str) -> SubjectScope:
    """Return the scope; EvaluationError where there is none."""
    if scope is None:
        raise EvaluationError(f"{function}() needs a plan", kind="invalid-value", function=function)
    return scope
