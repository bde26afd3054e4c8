"""``tfgate explain`` and ``tfgate eval``: look into one evaluation; nothing is decided."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tfgate.app.gather import gather, load_config
from tfgate.engine.explain import Explained, explain
from tfgate.engine.functions import rule_functions
from tfgate.engine.scope import SubjectScope
from tfgate.errors import ConfigError, Problem, UsageError
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, iter_subjects
from tfgate.query import ExpressionError
from tfgate.query import compile as compile_expression

if TYPE_CHECKING:
    from tfgate.app.request import Request
    from tfgate.query import Expression


def explain_rule(request: Request, rule_id: str, address: str | None) -> tuple[Explained, ...]:
    """Explain a rule on an address, or on every subject it selects. Raises ``UsageError``."""
    gathered = gather(request, load_config(request))
    known = [rule.id for ruleset in gathered.effective.rulesets for rule in ruleset.rules]
    if rule_id not in known:
        raise UsageError(f"No ruleset in force has a rule {rule_id}.{_near(rule_id, known)}")
    found = explain(
        gathered.plan,
        gathered.effective.rulesets,
        gathered.context,
        rule_id=rule_id,
        address=address,
    )
    if not found and address is not None:
        addresses = [change.address for change in gathered.plan.changes]
        near = _near(address, addresses)
        raise UsageError(f"Nothing that {rule_id} could look at has the address {address}.{near}")
    return found


def evaluate_expression(request: Request, expression: str, address: str | None) -> Any:
    """Evaluate an expression on the redacted plan, or on one resource of it.

    What is not known comes back as ``UNKNOWN``, what must not be shown as ``SENSITIVE``. Raises
    ``ConfigError``, ``EvaluationError`` and ``UsageError``.
    """
    compiled = _compile(expression)
    gathered = gather(request, load_config(request))
    subject = _subject(gathered.plan, address, gathered.workspace.name)
    document = subject.redacted(EVERYTHING)
    scope = SubjectScope(gathered.plan, None, subject, document, gathered.context, redacted=True)
    return compiled.search(document, scope)


def _compile(expression: str) -> Expression:
    try:
        return compile_expression(expression, functions=rule_functions())
    except ExpressionError as error:
        message = f"{error.message} {error.hint or ''}".rstrip()
        column = min(error.position, len(expression)) + 1
        problem = Problem("expression", message, column=column, excerpt=expression)
        raise ConfigError([problem]) from None


def _subject(plan: Any, address: str | None, workspace: str) -> Any:
    scope = Scope.PLAN if address is None else Scope.RESOURCE
    subjects = list(iter_subjects(plan, scope, workspace=workspace))
    if address is None:
        return subjects[0]
    for subject in subjects:
        if subject.address == address:
            return subject
    near = _near(address, [subject.address for subject in subjects])
    raise UsageError(f"The plan has no resource change with the address {address}.{near}")


def _near(text: str, known: list[str]) -> str:
    near = get_close_matches(text, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""
