"""From a judged rule to an outcome that is safe to show."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tfgate.engine.decide import blocks
from tfgate.model.decision import Outcome, OutcomeKind

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.plan import Subject


def make_outcome(
    kind: OutcomeKind,
    bound: BoundRule,
    subject: Subject,
    context: Context,
    *,
    message: str,
    item: int | None = None,
) -> Outcome:
    """Build the outcome of ``bound`` on ``subject``, with its place in the sources."""
    rule = bound.rule
    attribute = _attribute(bound)
    return Outcome(
        rule=rule.id,
        ruleset=bound.ruleset.id,
        address=subject.address,
        outcome=kind,
        title=rule.title,
        severity=rule.severity,
        enforcement=bound.enforcement,
        on_unknown=bound.on_unknown if kind is OutcomeKind.UNKNOWN else None,
        blocks=blocks(kind, bound.enforcement, bound.on_unknown),
        message=message,
        remediation=rule.remediation,
        scope=rule.scope,
        type=subject.type,
        action=None if subject.action is None else subject.action.value,
        deposed=subject.deposed,
        item=item,
        location=context.locate(subject.address, attribute),
        attribute=attribute,
        controls=rule.controls,
        references=rule.references,
        fingerprint=fingerprint(rule.id, subject.address, subject.deposed, message),
    )


def fingerprint(rule: str, address: str, deposed: str | None, message: str) -> str:
    """Name a finding so that the same finding on a re-plan has the same name: SHA-256, hex."""
    parts = "\x00".join((rule, address, deposed or "", message))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def _attribute(bound: BoundRule) -> str | None:
    """Give the attribute a rule is about, where its deciding expression reads just one."""
    expression = bound.compiled.deny or bound.compiled.require
    read: tuple[Any, ...] = tuple(expression.reads) if expression is not None else ()
    names = {path[1] for path in read if len(path) > 1 and path[0] in ("after", "before")}
    return names.pop() if len(names) == 1 else None
