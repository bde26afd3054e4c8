"""``tfgate rules log`` and ``rules review``: how rules came to be, and what a change does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tfgate.command.output import write_lines, write_out
from tfgate.gate.rules import RulesPlace
from tfgate.history.changes import ReviewedRule, RuleReview, diff_lines, review_rules
from tfgate.history.impact_command import write_impact
from tfgate.history.log import LogEntry, logs_of
from tfgate.report.escape import console, log_line

if TYPE_CHECKING:
    from collections.abc import Iterator


_RULESET = click.option(
    "--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
    help="A ruleset: a folder or a TOML file. Default: those of tfgate.toml, or the one here.",
)  # fmt: skip
_CONFIG = click.option("--config", metavar="FILE", help="Configuration to use.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command("log", epilog="Example: tfgate rules log ACME-EC2-003")
@click.argument("rule", required=False)
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many changes of each ruleset to show.",
)
@_RULESET
@_CONFIG
@_JSON
def log(
    rule: str | None, limit: int, rulesets: tuple[str, ...], config: str | None, as_json: bool
) -> None:
    """Show the history of RULE, or of whole rulesets: when, who, approved by whom, what.

    What is shown is the difference in what the rules do (expressions, level, match, parameters),
    not of their text.
    """
    entries = logs_of(_place(rulesets, config), rule, limit)
    if as_json:
        write_lines(json.dumps(msgspec.to_builtins(entry)) for entry in entries)
    else:
        lines = (line for entry in entries for line in _entry_lines(entry))
        write_lines(log_line(console(line)) for line in lines)


@click.command("review", epilog="Example: tfgate rules review --base origin/main --plans plans/")
@click.option("--base", required=True, metavar="REF", help="What to compare with.")
@click.option(
    "--plans",
    multiple=True,
    metavar="DIR|FILE|archive",
    help="Plans to show the impact on: as for tfgate impact. Repeatable.",
)
@_RULESET
@_CONFIG
@_JSON
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
    place = _place(rulesets, config)
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


def _place(rulesets: tuple[str, ...], config: str | None) -> RulesPlace:
    return RulesPlace(Path.cwd(), os.environ, config, rulesets)


def _entry_lines(entry: LogEntry) -> Iterator[str]:
    approved = ", ".join(entry.approvers) or "nobody else"
    yield f"{entry.time}  {entry.commit[:12]}  {entry.ruleset}"
    yield f"  by {', '.join(entry.authors)}; approved by {approved}"
    yield f"  {entry.subject}"
    for diff in entry.diffs:
        yield from diff_lines(diff)
    if not entry.diffs:
        yield "  nothing but the text of the files changed"
    if entry.problem is not None:
        yield f"  (a version cannot be read in full: {entry.problem})"
    yield ""


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
