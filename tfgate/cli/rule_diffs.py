"""Differences of rules as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.rule_diff import Change, RuleDiff

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
