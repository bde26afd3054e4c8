"""``tfgate rules``: what the rules in force are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import click

from tfgate.command.lazy import LazyGroup
from tfgate.command.output import write_lines
from tfgate.errors import UsageError
from tfgate.gate.rules import describe_rule, rules_in_force
from tfgate.report.escape import console, log_line
from tfgate.report.layout import in_columns
from tfgate.ruleset import CompiledRule, Effective, Ruleset

_COMMANDS = {
    "new": ("tfgate.authoring.new", "new", "Write a new rule with examples."),
    "test": (
        "tfgate.authoring.test_command",
        "test",
        "Run the examples and plan tests of rulesets.",
    ),
    "mutate": (
        "tfgate.authoring.mutate",
        "mutate",
        "Find changes of rules that no example notices.",
    ),
    "lint": (
        "tfgate.authoring.lint.command",
        "lint",
        "Check rules against the schemas of providers.",
    ),
    "upgrade": (
        "tfgate.authoring.upgrade",
        "command",
        "Rewrite rulesets of an older form.",
    ),
    "docs": ("tfgate.authoring.docs", "docs", "Write a page for each rule."),
    "update": ("tfgate.history.update", "update", "Update rulesets from git to new versions."),
    "log": ("tfgate.history.log", "log", "Show the history of rules."),
    "review": ("tfgate.history.review", "review", "Show what a change of rules changes."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def rules() -> None:
    """List, show, test, document and update rules.

    Example: tfgate rules list -r tfgate:core
    """


_RULESET = click.option(
    "--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
    help="A ruleset: tfgate:NAME, a folder or a TOML file. Default: those of tfgate.toml.",
)  # fmt: skip
_CONFIG = click.option("--config", metavar="FILE", help="Configuration to use.")
_WORKSPACE = click.option(
    "--workspace", "-w", default="default", metavar="NAME", help="Workspace whose levels apply."
)


@rules.command("list", epilog="Example: tfgate rules list -r tfgate:core")
@_RULESET
@_CONFIG
@_WORKSPACE
def list_rules(rulesets: tuple[str, ...], config: str | None, workspace: str) -> None:
    """List the rules in force: id, level, severity, title."""
    effective = _effective(rulesets, config, workspace)

    rows = [
        (rule.id, effective.level(rule).value, rule.rule.severity.value, console(rule.rule.title))
        for _, rule in _all(effective)
    ]
    write_lines(in_columns(rows))


@rules.command("show", epilog="Example: tfgate rules show CORE-DEL-001 -r tfgate:core")
@click.argument("rule_id", metavar="RULE")
@_RULESET
@_CONFIG
@_WORKSPACE
def show_rule(rule_id: str, rulesets: tuple[str, ...], config: str | None, workspace: str) -> None:
    """Show one rule: what it matches, what it requires, how to fix a finding, its examples."""
    effective = _effective(rulesets, config, workspace)
    found = [(ruleset, rule) for ruleset, rule in _all(effective) if rule.id == rule_id]
    if not found:
        raise _no_such_rule(rule_id, effective)
    ruleset, rule = found[0]
    text = describe_rule(ruleset, rule, effective.level(rule))
    write_lines(log_line(console(line)) for line in text.removesuffix("\n").split("\n"))


def _all(effective: Effective) -> Iterator[tuple[Ruleset, CompiledRule]]:
    for ruleset in effective.rulesets:
        for rule in ruleset.rules:
            yield ruleset, rule


def _no_such_rule(rule_id: str, effective: Effective) -> UsageError:
    near = get_close_matches(rule_id, [rule.id for _, rule in _all(effective)], n=1)
    hint = f"Did you mean {near[0]}?" if near else "See them with: tfgate rules list"
    return UsageError(f"No ruleset in force has a rule {rule_id}.", hint=hint)


def _effective(rulesets: tuple[str, ...], config: str | None, workspace: str) -> Effective:
    return rules_in_force(
        Path.cwd(), os.environ, config=config, rulesets=rulesets, workspace=workspace
    )
