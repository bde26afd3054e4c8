"""Rules on sources: the blocks that each looks at, and what comes of those that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.engine.outcome import BUILT_IN_RULESET, fingerprint
from tfgate.hcl.subject import UNREADABLE, SourceBlock
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.model.glob import any_glob
from tfgate.model.rule import Enforcement, Scope, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.model.rule import Match

WHOLE: Final = "sources"
"""Address of what is said about the sources as a whole."""
MISMATCH: Final = "TFGATE-SOURCES-MISMATCH"


def source_blocks(
    rules: Sequence[BoundRule], context: Context
) -> Iterable[tuple[SourceBlock, tuple[BoundRule, ...]]] | None:
    """Give each block with the rules that look at it; ``None`` where there are no sources.

    What cannot be read is looked at by every rule: anything could be in it.
    """
    matches = [rule.rule.match for rule in rules]
    found = context.blocks(
        _exact([match.blocks for match in matches]), _exact([match.types for match in matches])
    )
    if found is None:
        return None
    return ((block, _selected(rules, block)) for block in found)


def _exact(globs: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """Give the names that are wanted; empty where some rule wants more than names can say."""
    names = frozenset(name for group in globs for name in group)
    open_ended = any(not group for group in globs) or any("*" in n or "?" in n for n in names)
    return frozenset() if open_ended else names


def _selected(rules: Sequence[BoundRule], block: SourceBlock) -> tuple[BoundRule, ...]:
    if block.kind == UNREADABLE:
        return tuple(rules)
    return tuple(rule for rule in rules if selects(rule.rule.match, block))


def selects(match: Match, block: SourceBlock) -> bool:
    """Say whether a rule with this match looks at ``block``.

    A block that several modules use is in each of them.
    """
    return (
        any_glob(match.blocks)(block.kind)
        and any_glob(match.types)(block.type)
        and any_glob(match.names)(block.name)
        and any(map(any_glob(match.modules), block.modules))
        and any(map(any_glob(match.addresses), block.addresses))
    )


def why_unread(block: SourceBlock) -> str:
    """Say why a block has no values."""
    if block.kind == UNREADABLE:
        return f"Cannot be judged, since {block.location} cannot be read: {block.error}"
    return f"Cannot be judged, since the values of this block are not known: {block.error}"


def without_sources(rule: BoundRule) -> Outcome:
    """Give the outcome of a rule that looks at sources, where there are none."""
    message = (
        "Cannot be judged, since there is no Terraform configuration in the directory: "
        "name that of the plan with --root, or leave rules on sources out."
    )
    return Outcome(
        rule=rule.rule.id,
        ruleset=rule.ruleset.id,
        address=WHOLE,
        outcome=OutcomeKind.ERROR,
        title=rule.rule.title,
        severity=rule.rule.severity,
        enforcement=rule.enforcement,
        blocks=True,
        message=message,
        remediation=rule.rule.remediation,
        scope=Scope.SOURCE,
        controls=rule.rule.controls,
        references=rule.rule.references,
        fingerprint=fingerprint(rule.rule.id, WHOLE, None, message),
    )


def mismatch(context: Context, rules: Iterable[BoundRule]) -> Iterable[Outcome]:
    """Say that the sources are not those of the plan, where blocks of it are missing.

    By itself that only costs lines and waivers in comments; where a rule looks at sources, it
    has judged others than those of the plan, and nothing may be applied on that.
    """
    missing = context.undeclared()
    if not missing:
        return
    judged = any(rule.rule.scope is Scope.SOURCE for rule in rules)
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    message = (
        "The sources are not those of this plan: no block declares "
        f"{', '.join(missing[:3])}{more}. No line is shown, and no comment waives."
    )
    yield Outcome(
        rule=MISMATCH,
        ruleset=BUILT_IN_RULESET,
        address=WHOLE,
        outcome=OutcomeKind.ERROR if judged else OutcomeKind.FAIL,
        title="The sources are those of the plan",
        severity=Severity.HIGH if judged else Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        blocks=judged,
        message=message,
        remediation="Check where the plan was made, or name that directory with --root.",
        scope=Scope.SOURCE,
        fingerprint=fingerprint(MISMATCH, WHOLE, None, message),
    )
