"""Why a rule came out as it did on one subject, step by step, in redacted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tfgate.engine.bound import BoundRule, RuleIndex, bind
from tfgate.engine.evaluate import selects, source_document
from tfgate.engine.finding import error_message, failures, unknown_message
from tfgate.engine.rule_verdict import Ruling, evaluate_rule
from tfgate.engine.scope import SubjectScope
from tfgate.model.rule import Scope
from tfgate.model.text import any_glob
from tfgate.plan import Reads, iter_subjects
from tfgate.query.state import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        _explain(plan, rule, looked, context, meter)
        for rule in rules
        for meter in [Meter()]
        for looked in _looked_at(plan, rule, context)
        if (looked.selected if address is None else looked.subject.address == address)
    )


class _LookedAt(NamedTuple):
    """What a rule may look at."""

    subject: Subject
    selected: bool
    kind: str = ""
    """Of a block of the sources."""


def _looked_at(plan: Plan, rule: BoundRule, context: Context) -> Iterator[_LookedAt]:
    """Yield the subjects of the rule's scope; of the sources, the blocks that can be read."""
    if rule.rule.scope is Scope.SOURCE:
        for block in context.blocks((), ()) or ():
            if block.error is None:
                yield _LookedAt(block, selects(rule.rule.match, block), block.kind)
        return
    index = RuleIndex([rule], rule.rule.scope, evaluate_all=context.evaluate_all)
    for subject in iter_subjects(
        plan, rule.rule.scope, workspace=context.workspace.name, data_types=None
    ):
        yield _LookedAt(subject, bool(index.select(subject)))


def _explain(
    plan: Plan, rule: BoundRule, looked: _LookedAt, context: Context, meter: Meter
) -> Explained:
    subject = looked.subject
    if not looked.selected:
        return Explained(
            rule=rule.rule.id,
            address=subject.address,
            ruling="not selected",
            messages=(),
            steps=(),
            why_not=tuple(_why_not(rule, subject, looked.kind)),
        )
    document = _document(subject.document(Reads.of(rule.reads)), rule, subject, context)
    result = evaluate_rule(rule, subject, document, plan, context, meter)
    messages: tuple[str, ...] = ()
    if result.ruling is Ruling.FAIL:
        found = failures(plan, rule, subject, result, context, meter)
        messages = tuple(one.message for one in found)
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
        params=dict(rule.values.objects["params"]),
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
        *((f"let {name}", each) for name, each in compiled.shared.items()),
        *((f"let {name}", each) for name, each in compiled.let.items()),
        ("when", compiled.when),
        ("deny", compiled.deny),
        ("require", compiled.require),
    )
    for key, expression in expressions:
        if expression is not None:
            yield key, tuple(expression.trace(document, scope))


def _why_not(rule: BoundRule, subject: Subject, kind: str) -> Iterator[str]:
    match = rule.rule.match
    if subject.deposed is not None:
        yield "the object is deposed: only rules on its end look at it"
    if match.actions and subject.action is not None and subject.action not in match.actions:
        wanted = ", ".join(action.value for action in match.actions)
        yield f"its action is {subject.action.value}; the rule looks at {wanted}"
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
