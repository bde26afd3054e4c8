"""What two versions of a ruleset differ in, rule by rule, in what matters to those who use it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tfgate.gate.rules import describe_match
from tfgate.model.rule import Rule
from tfgate.query.parsing import parse
from tfgate.query.unparse import unparse
from tfgate.ruleset import CompiledRule, Ruleset

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_TEXTS = ("title", "message", "remediation", "description")
_PLAIN = ("severity", "scope", "on_unknown", "approvals", "controls", "owners", "references")


class Change(msgspec.Struct, frozen=True):
    """One difference."""

    what: str
    """``enforcement``, ``deny``, ``match``, ``params.max_destroyed``, …"""
    before: str | None
    """``None`` for what is new."""
    after: str | None
    """``None`` for what is gone."""


class RuleDiff(msgspec.Struct, frozen=True):
    """One rule, or (with an empty id) the ruleset's own head."""

    rule: str
    kind: str
    """``added``, ``removed`` or ``changed``."""
    changes: tuple[Change, ...] = ()


def diff_rulesets(before: Ruleset, after: Ruleset) -> tuple[RuleDiff, ...]:
    """Return the differences: first the head's, then each rule's, by id.

    An expression that is only written otherwise (blanks, line ends) is the same.
    """
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    head = tuple(_head(before, after))
    found = [RuleDiff("", "changed", head)] if head else []
    for rule_id in sorted(old.keys() | new.keys()):
        if rule_id not in old:
            found.append(RuleDiff(rule_id, "added", tuple(_summary(new[rule_id], is_new=True))))
        elif rule_id not in new:
            found.append(RuleDiff(rule_id, "removed", tuple(_summary(old[rule_id], is_new=False))))
        elif changes := tuple(_changes(old[rule_id], new[rule_id])):
            found.append(RuleDiff(rule_id, "changed", changes))
    return tuple(found)


def _head(before: Ruleset, after: Ruleset) -> Iterator[Change]:
    yield from _differing("version", before.version, after.version)
    yield from _differing("owners", _shown(before.owners), _shown(after.owners))
    yield from _maps("params", _params(before), _params(after))
    yield from _maps("data", _data(before), _data(after))


def _params(ruleset: Ruleset) -> dict[str, str]:
    return {
        name: f"{spec.type}, " + ("required" if spec.required else f"default {spec.default!r}")
        for name, spec in ruleset.params.items()
    }


def _data(ruleset: Ruleset) -> dict[str, str]:
    return {
        name: "named by the configuration" if file is None else f"sha256 {file.sha256[:12]}"
        for name, file in ruleset.data.items()
    }


def _summary(compiled: CompiledRule, *, is_new: bool) -> Iterator[Change]:
    rule = compiled.rule
    for what, text in (
        ("enforcement", str(rule.enforcement)),
        ("title", rule.title),
        ("match", describe_match(rule.match)),
        *_expressions(compiled).items(),
    ):
        yield Change(what, None, text) if is_new else Change(what, text, None)


def _changes(before: CompiledRule, after: CompiledRule) -> Iterator[Change]:
    old, new = before.rule, after.rule
    yield from _differing("enforcement", str(old.enforcement), str(new.enforcement))
    yield from _differing("may be lowered", str(before.overridable), str(after.overridable))
    yield from _differing("match", describe_match(old.match), describe_match(new.match))
    yield from _maps("", _expressions(before), _expressions(after))
    for name in _PLAIN:
        yield from _differing(name, _shown(getattr(old, name)), _shown(getattr(new, name)))
    for name in _TEXTS:
        yield from _differing(name, _text(old, name), _text(new, name))
    yield from _differing("examples", _examples(old), _examples(new))


def _expressions(compiled: CompiledRule) -> dict[str, str]:
    return {key: unparse(parse(part.text)) for key, part in compiled.expressions()}


def _examples(rule: Rule) -> str:
    """Return their number; two versions with as many may still have other ones."""
    digest = hashlib.sha256(msgspec.json.encode([rule.tests, rule.mutants])).hexdigest()
    return f"{len(rule.tests)} ({digest[:6]})"


def _maps(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        what = f"{name}.{key}" if name else key
        yield from _differing(what, before.get(key), after.get(key))


def _differing(what: str, before: str | None, after: str | None) -> Iterator[Change]:
    if before != after:
        yield Change(what, before, after)


def _text(rule: Rule, name: str) -> str | None:
    text = getattr(rule, name)
    return None if text is None else " ".join(text.split())


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return "; ".join(f"{key}: {', '.join(items)}" for key, items in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def diff_lines(diff: RuleDiff) -> Iterator[str]:
    """Write one rule's difference as indented lines."""
    yield f"  {_SIGNS[diff.kind]} {diff.rule or 'the ruleset'}" + (
        "" if diff.kind == "changed" else f" {diff.kind}"
    )
    for change in diff.changes:
        yield from _change_lines(change)


def _change_lines(change: Change) -> Iterator[str]:
    if change.before is None or change.after is None:
        sign = "+" if change.before is None else "-"
        yield f"      {sign} {change.what}: {change.after or change.before}"
        return
    if len(change.before) + len(change.after) < 60:
        yield f"      {change.what}: {change.before} → {change.after}"
        return
    yield f"      {change.what}:"
    yield f"        - {change.before}"
    yield f"        + {change.after}"
