"""From a judged rule to an outcome that is safe to show."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tfgate.engine.attribute import Traced, attribute_of
from tfgate.engine.decide import blocks
from tfgate.hcl.subject import SourceBlock
from tfgate.model.decision import Outcome, OutcomeKind

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.model.location import Location
    from tfgate.plan import Subject

BUILT_IN_RULESET = "tfgate"
"""Ruleset of what is found in waivers and sources by no rule."""


def make_outcome(
    kind: OutcomeKind,
    bound: BoundRule,
    subject: Subject,
    context: Context,
    *,
    message: str,
    item: int | None = None,
    about: Traced | None = None,
) -> Outcome:
    """Build the outcome of ``bound`` on ``subject``, with its place in the sources.

    ``about`` is what it is about, where that is more than the rule as a whole says.
    """
    common = bound.told.get(kind)
    if common is None:
        common = bound.told[kind] = _common(kind, bound)
    if about is None or about.path is None:
        about = Traced(attribute_of(bound))
    address, deposed, action = subject.address, subject.deposed, subject.action
    return replace(
        common,
        address=address,
        message=message,
        type=subject.type,
        action=None if action is None else action.value,
        deposed=deposed,
        item=item,
        location=_place(subject, about, context),
        attribute=about.path,
        fingerprint=fingerprint(common.rule, address, deposed, message),
    )


def _common(kind: OutcomeKind, bound: BoundRule) -> Outcome:
    """Give what outcomes of a rule have in common: there may be thousands of them."""
    rule = bound.rule
    return Outcome(
        rule=rule.id,
        ruleset=bound.ruleset.id,
        address="",
        outcome=kind,
        title=rule.title,
        severity=rule.severity,
        enforcement=bound.enforcement,
        on_unknown=bound.on_unknown if kind is OutcomeKind.UNKNOWN else None,
        blocks=blocks(kind, bound.enforcement, bound.on_unknown),
        remediation=rule.remediation,
        scope=rule.scope,
        controls=rule.controls,
        references=rule.references,
    )


def fingerprint(rule: str, address: str, deposed: str | None, message: str) -> str:
    """Name a finding so that the same finding on a re-plan has the same name: SHA-256, hex."""
    parts = "\x00".join((rule, address, deposed or "", message))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def _place(subject: Subject, about: Traced, context: Context) -> Location | None:
    """A block of the sources knows where it is, also where another has the same address."""
    path = about.path
    if isinstance(subject, SourceBlock):
        return subject.location if path is None else subject.place(path)
    if path is None or about.element is None or context.locate_element is None:
        return context.locate(subject.address, path)
    return context.locate_element(subject.address, path.partition("[")[0], about.element)
