"""The rules in force, as data and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.engine.functions import rule_functions
from tfgate.model.rule import default_on_unknown
from tfgate.ruleset import for_workspace, load_gate_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.model.rule import Enforcement, Match, Rule
    from tfgate.ruleset import CompiledRule, Effective, Ruleset


def rules_in_force(
    cwd: Path,
    env: Mapping[str, str],
    *,
    config: str | None = None,
    rulesets: Sequence[str] = (),
    workspace: str = "default",
) -> Effective:
    """Load the rulesets of the configuration, or those named. Raises ``ConfigError``."""
    flags = {"gate.rulesets": list(rulesets) or None}
    loaded = load_gate_config(cwd, env, config=config, flags=flags)
    return for_workspace(loaded, workspace, functions=rule_functions())


def describe_rule(ruleset: Ruleset, compiled: CompiledRule, level: Enforcement) -> str:
    """Write a rule as a page of plain text."""
    return "\n".join(_lines(ruleset, compiled.rule, level)) + "\n"


def _lines(ruleset: Ruleset, rule: Rule, level: Enforcement) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield ""
    if rule.description:
        yield rule.description.strip()
        yield ""
    yield from _facts(ruleset, rule, level)
    yield ""
    for key, text in (("when", rule.when), ("deny", rule.deny), ("require", rule.require)):
        if text is not None:
            yield f"{key}:"
            yield from (f"    {line}" for line in text.strip().splitlines())
    for name, text in rule.let.items():
        yield f"let {name}:"
        yield from (f"    {line}" for line in text.strip().splitlines())
    if rule.remediation:
        yield ""
        yield f"To mend it: {rule.remediation.strip()}"
    if rule.tests:
        yield ""
        yield "Examples:"
        yield from (f"    {test.expect:8} {test.name}" for test in rule.tests)


def _facts(ruleset: Ruleset, rule: Rule, level: Enforcement) -> Iterator[str]:
    changed = "" if level is rule.enforcement else f" (the ruleset says {rule.enforcement})"
    on_unknown = rule.on_unknown or default_on_unknown(level)
    yield f"ruleset      {ruleset.id} {ruleset.version} ({ruleset.source})"
    yield f"file         {rule.file}" + (f":{rule.line}" if rule.line else "")
    yield f"level        {level}{changed}"
    yield f"severity     {rule.severity}"
    yield f"if unknown   {on_unknown}"
    yield f"looks at     {rule.scope}: {describe_match(rule.match)}"
    yield f"owners       {', '.join(rule.owners or ruleset.owners)}"
    for framework, controls in rule.controls.items():
        yield f"controls     {framework}: {', '.join(controls)}"
    for reference in rule.references:
        yield f"reference    {reference}"


def describe_match(match: Match) -> str:
    """Write what a match selects on one line."""
    parts = [
        f"{name} {', '.join(str(value) for value in values)}"
        for name, values in (
            ("types", match.types),
            ("actions", match.actions),
            ("modes", match.modes),
            ("modules", match.modules),
            ("providers", match.providers),
            ("addresses", match.addresses),
            ("names", match.names),
            ("blocks", match.blocks),
        )
        if values
    ]
    return "; ".join(parts) or "everything"
