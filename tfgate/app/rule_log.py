"""The histories of several rulesets, or of the rule that one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.app.provenance import checkout_of
from tfgate.app.rule_history import rule_log
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.rule_history import LogEntry
    from tfgate.app.rules_at import RulesPlace


def logs_of(place: RulesPlace, rule: str | None, limit: int | None) -> Iterator[LogEntry]:
    """Give the history of each ruleset in a checkout, newest first; of ``rule`` alone, if given.

    A rule that is there no more is looked for in the history of all of them. Raises
    ``UsageError`` where no ruleset has a history, or none a rule of that name.
    """
    config = place.gate_config()
    rulesets = [one for one in place.effective().rulesets if checkout_of(one) is not None]
    if not rulesets:
        raise UsageError(
            "None of the rulesets in force is in a git checkout, so there is no history to show.",
            hint="Run this in the checkout of the rules, or name one: -r DIR.",
        )
    having = [one for one in rulesets if rule in {compiled.id for compiled in one.rules}]
    found = False
    for ruleset in having or rulesets:
        for entry in rule_log(ruleset, config, place.env, rule=rule, limit=limit):
            found = True
            yield entry
    if rule is not None and not found:
        raise UsageError(f"No ruleset in a checkout has, or had, a rule {rule}.")
