"""Which rulesets must not be used where rules have to be approved, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.provenance.facts import Unapproved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.provenance.facts import LastChange, RulesetProvenance

_NAMED = 5
"""Rules or files that a reason names; more of them say nothing new."""


def unapproved(ruleset: str, known: RulesetProvenance, *, branch: str) -> list[Unapproved]:
    """Give every reason against a ruleset; none for one that may be used.

    What is not known counts against it.
    """
    return [Unapproved(ruleset, reason) for reason in _reasons(known, branch)]


def _reasons(known: RulesetProvenance, branch: str) -> Iterator[str]:
    if known.problem is not None:
        yield f"its history cannot be read: {known.problem}"
        return
    if not known.clean:
        yield f"it has uncommitted changes in {_some(known.uncommitted)}"
    if known.branch is None:
        yield f"its repository has no branch {branch}"
    else:
        elsewhere = [
            rule for change in known.changes if not change.on_branch for rule in change.rules
        ]
        if elsewhere:
            yield f"not on {known.branch}: {_some(tuple(elsewhere))}"
    for change in known.changes:
        if not change.approvers:
            yield _nobody(change)


def _nobody(change: LastChange) -> str:
    who = " and ".join(change.authors) or "its author"
    return (
        f"nobody but {who} has approved the last change ({change.commit[:12]}) of "
        f"{_some(change.rules)}"
    )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
