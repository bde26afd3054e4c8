"""Why a rule came out as it did on one subject, step by step, in redacted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgate.engine.bound import BoundRule, RuleIndex, bind
from tfgate.engine.evaluate import selects, source_document
from tfgate.engine.finding import error_message, failures, unknown_message
from tfgate.engine.rule_verdict import Ruling, evaluate_rule
from tfgate.engine.scope import SubjectScope
from tfgate.hcl.subject import SourceBlock
from tfgate.model.rule import Scope
from tfgate.plan import Reads, iter_subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.engine.context import Context
    from tfgate.plan import Plan, Subject
    from tfgate.query import Expression, Step
    from tfgate.ruleset import Ruleset


@dataclass(frozen=True)
class Explained:
    """One rule on one subject."""

    rule: str
    address: str
    ruling: str
    """A ``Ruling`` (``skip``: ``when`` is false), or ``not selected``."""
    messages: tuple[str, ...]
    steps: tuple[tuple[str, tuple[Step, ...]], ...]
    """For ``when`` and ``deny``/``require``: each sub-expression on the redacted subject."""
    why_not: tuple[str, ...] = ()
    """For ``not selected``: which parts of the match do not fit."""
    params: dict[str, Any] | None = None


def explain(
    plan: Plan,
    rulesets: Sequence[Ruleset],
    context: Context,
    *,
    rule_id: str,
    address: str | None = None,
) -> tuple[Explained, ...]:
    """Explain a rule on the subjects with ``address``; on all that it selects, if ``None``."""
    rules = [rule for rule in bind(rulesets, context) if rule.rule.id == rule_id]
    return tuple(
        _explain(plan, rule, subject, context)
        for rule in rules
        for subject in _subjects(plan, rule, context)
        if _wanted(rule, subject, context, address)
    )


def _subjects(plan: Plan, rule: BoundRule, context: Context) -> Iterable[Subject]:
    """Return what the rule may look at; of the sources, what can be read."""
    if rule.rule.scope is Scope.SOURCE:
        return [block for block in context.blocks((), ()) or () if block.error is None]
    return iter_subjects(plan, rule.rule.scope, workspace=context.workspace.name)


def _wanted(rule: BoundRule, subject: Subject, context: Context, address: str | None) -> bool:
    if address is not None:
        return subject.address == address
    return _selects(rule, subject, context)


def _selects(rule: BoundRule, subject: Subject, context: Context) -> bool:
    if isinstance(subject, SourceBlock):
        return selects(rule.rule.match, subject)
    index = RuleIndex([rule], rule.rule.scope, evaluate_all=context.evaluate_all)
    return bool(index.select(subject))


def _explain(plan: Plan, rule: BoundRule, subject: Subject, context: Context) -> Explained:
    if not _selects(rule, subject, context):
        return Explained(
            rule=rule.rule.id,
            address=subject.address,
            ruling="not selected",
            messages=(),
            steps=(),
            why_not=tuple(_why_not(rule, subject)),
        )
    document = _document(subject.document(Reads.of(rule.reads)), rule, subject, context)
    result = evaluate_rule(rule, subject, document, plan, context)
    messages: tuple[str, ...] = ()
    if result.ruling is Ruling.FAIL:
        messages = tuple(found.message for found in failures(plan, rule, subject, result, context))
    elif result.ruling is Ruling.ERROR:
        messages = (error_message(rule, result),)
    elif result.ruling is Ruling.UNKNOWN:
        messages = (unknown_message(rule, document),)
    return Explained(
        rule=rule.rule.id,
        address=subject.address,
        ruling=result.ruling.value,
        messages=messages,
        steps=tuple(_steps(plan, rule, subject, context)),
        params=dict(rule.params),
    )


def _document(
    document: dict[str, Any], rule: BoundRule, subject: Subject, context: Context
) -> dict[str, Any]:
    if Reads.of(rule.reads).wants("source"):
        document["source"] = source_document(subject, context)
    return document


def _steps(
    plan: Plan, rule: BoundRule, subject: Subject, context: Context
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    document = _document(subject.redacted(Reads.of(rule.reads)), rule, subject, context)
    scope = SubjectScope(plan, rule, subject, document, context, redacted=True)
    compiled = rule.compiled
    expressions: tuple[tuple[str, Expression | None], ...] = (
        *((f"let {name}", expression) for name, expression in compiled.let.items()),
        ("when", compiled.when),
        ("deny", compiled.deny),
        ("require", compiled.require),
    )
    for key, expression in expressions:
        if expression is not None:
            yield key, tuple(expression.trace(document, scope))


def _why_not(rule: BoundRule, subject: Subject) -> Iterator[str]:
    from tfgate.model.text import any_glob

    match = rule.rule.match
    if subject.deposed is not None:
        yield "the object is deposed: only rules on its end look at it"
    if match.actions and subject.action is not None and subject.action not in match.actions:
        wanted = ", ".join(action.value for action in match.actions)
        yield f"its action is {subject.action.value}; the rule looks at {wanted}"
    kind = subject.kind if isinstance(subject, SourceBlock) else ""
    for what, globs, value in (
        ("block", match.blocks, kind),
        ("type", match.types, subject.type),
        ("mode", () if kind else match.modes, subject.mode),
        ("module", match.modules, subject.module_address),
        ("provider", match.providers, subject.provider_name),
        ("address", match.addresses, subject.address),
        ("name", match.names, subject.name),
    ):
        if globs and not any_glob(globs)(value):
            yield f"its {what} is {value or 'empty'}; the rule looks at {', '.join(globs)}"


__all__ = ["Explained", "explain"]
