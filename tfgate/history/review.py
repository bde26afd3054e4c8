"""``tfgate rules review``: what a change of rules changes, and who wrote and approved it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from tfgate.command.output import write_lines, write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.examples.run import ExampleResult, prepare
from tfgate.gate.rule_origin import RulesOrigin
from tfgate.gate.rules import RulesPlace, rules_at
from tfgate.history.changes import RuleDiff, diff_lines, diff_rulesets
from tfgate.history.impact_command import write_impact
from tfgate.history.log import place_options
from tfgate.provenance.read import RulesetProvenance
from tfgate.report.escape import console
from tfgate.ruleset import CompiledRule, Effective, Ruleset, for_workspace

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


def _reviewed(then: Effective, now: Effective, origin: RulesOrigin) -> Iterator[ReviewedRule]:
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
    as_it_was = before.changed(msgspec.structs.replace(before.rule, tests=after.rule.tests))
    there = [_result(old, as_it_was, number) for number in range(len(after.rule.tests))]
    return any(not result.passed for result in there), failing


def _result(ruleset: Ruleset, rule: CompiledRule, number: int) -> ExampleResult:
    test = rule.rule.tests[number]
    try:
        return prepare(ruleset, rule, test).run(ruleset, rule)
    except TfgateError as error:
        return ExampleResult(rule.id, test.name, test.expect, "invalid", str(error))


@click.command("review", epilog="Example: tfgate rules review --base origin/main --plans plans/")
@click.option("--base", required=True, metavar="REF", help="What to compare with.")
@click.option("--plans", multiple=True, metavar="DIR|FILE|archive",
              help="Plans to show the impact on: as for tfgate impact. Repeatable.")  # fmt: skip
@place_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def review(
    base: str,
    plans: tuple[str, ...],
    rulesets: tuple[str, ...],
    config: str | None,
    as_json: bool,
) -> None:
    """Show what changed in the rules since REF, for whoever has to approve it.

    Which rules changed and how, whether each has an owner and an approver, whether an example
    shows the change, and (with --plans) what it would have done.
    """
    place = RulesPlace(Path.cwd(), os.environ, config, rulesets)
    found = review_rules(place, base)
    if as_json:
        rules = [
            {**msgspec.to_builtins(rule), "open_points": list(rule.open_points)}
            for rule in found.rules
        ]
        write_out(json.dumps({"base": base, "commit": found.commit, "rules": rules}) + "\n")
    else:
        write_lines(console(line) for line in _review_lines(found))
    if plans and not as_json:
        write_out("\n")
        write_impact(place, base, plans, "text")


def _review_lines(found: RuleReview) -> Iterator[str]:
    if not found.rules:
        yield f"The rules do what they did at {found.base} ({found.commit[:12]})."
        return
    yield f"{len(found.rules)} difference(s) to {found.base} ({found.commit[:12]})"
    for rule in found.rules:
        yield ""
        yield from _rule_lines(rule)


def _rule_lines(rule: ReviewedRule) -> Iterator[str]:
    yield from diff_lines(rule.diff)
    yield f"      owner: {', '.join(rule.owners) or 'none'}"
    if rule.committed:
        yield f"      by {', '.join(rule.authors)}; approved by " + (
            ", ".join(rule.approvers) or "nobody else"
        )
    if rule.covered is not None:
        yield f"      examples show the change: {'yes' if rule.covered else 'no'}"
    for point in rule.open_points:
        yield f"      ! {point}"
