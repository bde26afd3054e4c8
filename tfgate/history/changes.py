"""``tfgate rules review``: what a change of rules changes, and who stands behind it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.examples.run import ExampleResult, prepare
from tfgate.gate.rule_origin import RulesOrigin
from tfgate.gate.rules import RulesPlace, describe_match, rules_at
from tfgate.query.parsing import parse
from tfgate.query.unparse import unparse
from tfgate.ruleset import CompiledRule, Effective, Ruleset, for_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tfgate.model.rule import Rule
    from tfgate.provenance.read import RulesetProvenance


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
    return {key: unparse(parse(part.text).tree) for key, part in compiled.expressions()}


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


_BEHAVIOUR = ("match", "when", "deny", "require", "let.", "scope")
"""Parts of a rule that an example can show a change of."""


class ReviewedRule(msgspec.Struct, frozen=True):
    """One rule (or, with an empty id, a ruleset's head) that differs from the base."""

    ruleset: str
    diff: RuleDiff
    owners: tuple[str, ...]
    authors: tuple[str, ...]
    """Of its last change; empty where that is not committed."""
    approvers: tuple[str, ...]
    committed: bool
    covered: bool | None
    """Whether some example comes out otherwise under the rule as it was; ``None`` where nothing
    that examples could show has changed."""
    failing: tuple[str, ...] = ()
    """Names of examples that the rule as it is does not pass."""

    @property
    def open_points(self) -> tuple[str, ...]:
        """What a reviewer should ask for, in clauses."""
        points = []
        if not self.owners:
            points.append("it has no owner")
        if not self.committed:
            points.append("it is not committed")
        elif not self.approvers:
            points.append("nobody but its author has approved it")
        if self.covered is False:
            points.append("no example shows the change")
        if self.failing:
            points.append(f"{len(self.failing)} of its examples fail")
        return tuple(points)


class RuleReview(msgspec.Struct, frozen=True):
    """All that differs."""

    base: str
    """As asked for."""
    commit: str
    """What that is."""
    rules: tuple[ReviewedRule, ...]


def review_rules(place: RulesPlace, base: str) -> RuleReview:
    """Compare the rules as they are with those of ``base``. Raises ``TfgateError``."""
    now = place.effective()
    with rules_at(place, base) as (config, commit):
        then = for_workspace(config, "default", functions=rule_functions())
        origin = RulesOrigin(place.gate_config(), place.env, None)
        return RuleReview(base, commit, tuple(_reviewed(then, now, origin)))


def _reviewed(then: Effective, now: Effective, origin: RulesOrigin) -> Iterable[ReviewedRule]:
    before = {ruleset.id: ruleset for ruleset in then.rulesets}
    after = {ruleset.id: ruleset for ruleset in now.rulesets}
    for ruleset_id in sorted(before.keys() | after.keys()):
        old, new = before.get(ruleset_id), after.get(ruleset_id)
        some = new or old
        if some is None or (old and new and old.digest == new.digest):
            continue
        none = msgspec.structs.replace(some, rules=())
        known = None if new is None else origin.of(new)
        for diff in diff_rulesets(old or none, new or none):
            yield _of_rule(diff, old, new, known)


def _of_rule(
    diff: RuleDiff, old: Ruleset | None, new: Ruleset | None, known: RulesetProvenance | None
) -> ReviewedRule:
    ruleset = new or old
    assert ruleset is not None, "a difference is of one of the two"
    rule = _rules(ruleset).get(diff.rule)
    item = diff.rule if rule is not None else None
    changes = [] if known is None else [c for c in known.changes if item is None or item in c.rules]
    dirty = known is None or _is_dirty(known, ruleset, diff.rule)
    authors = {who: None for change in changes for who in change.authors}
    approvers = {who: None for change in changes[:1] for who in change.approvers}
    covered, failing = _coverage(diff, old, new)
    return ReviewedRule(
        ruleset=ruleset.id,
        diff=diff,
        owners=(rule.rule.owners if rule is not None else ()) or ruleset.owners,
        authors=() if dirty else tuple(authors),
        approvers=() if dirty else tuple(approvers),
        committed=not dirty,
        covered=covered,
        failing=failing,
    )


def _rules(ruleset: Ruleset | None) -> Mapping[str, CompiledRule]:
    return {} if ruleset is None else {rule.id: rule for rule in ruleset.rules}


def _is_dirty(known: RulesetProvenance, ruleset: Ruleset, rule: str) -> bool:
    compiled = _rules(ruleset).get(rule)
    if compiled is None:
        return not known.clean
    name = compiled.rule.file.rpartition("/")[2]
    return any(path.rpartition("/")[2] == name for path in known.uncommitted)


def _coverage(
    diff: RuleDiff, old: Ruleset | None, new: Ruleset | None
) -> tuple[bool | None, tuple[str, ...]]:
    """Say whether examples notice the change, and which fail.

    The examples of the rule as it is are run on the rule as it was: where all come out as expected
    there too, none of them shows what has changed.
    """
    before, after = _rules(old).get(diff.rule), _rules(new).get(diff.rule)
    if new is None or after is None:
        return None, ()
    results = [_result(new, after, number) for number in range(len(after.rule.tests))]
    failing = tuple(result.example for result in results if not result.passed)
    if before is None or old is None:
        kinds = {result.expected for result in results if result.passed}
        return {"pass", "fail"} <= kinds, failing
    if not any(change.what.startswith(_BEHAVIOUR) for change in diff.changes):
        return None, failing
    as_it_was = before.changed(_with_tests(before, after))
    there = [_result(old, as_it_was, number) for number in range(len(after.rule.tests))]
    return any(not result.passed for result in there), failing


def _with_tests(before: CompiledRule, after: CompiledRule) -> Rule:
    return msgspec.structs.replace(before.rule, tests=after.rule.tests)


def _result(ruleset: Ruleset, rule: CompiledRule, number: int) -> ExampleResult:
    test = rule.rule.tests[number]
    try:
        return prepare(ruleset, rule, test).run(ruleset, rule)
    except TfgateError as error:
        return ExampleResult(rule.id, test.name, test.expect, "invalid", str(error))


_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


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
