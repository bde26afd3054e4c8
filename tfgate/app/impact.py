"""``tfgate impact``: what a change of rules would have done to plans that were judged before."""

from __future__ import annotations

from collections import Counter

import msgspec

SAME = "same"
"""Stands for both decisions where they are certainly the same, whichever it is."""


class FindingChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule on one subject, where the old and the new rules do not agree."""

    rule: str
    address: str
    before: str
    """Outcome under the old rules: ``fail``, …; ``none`` where no rule of that name looked."""
    after: str
    blocked: bool
    """Whether it denied the plan under the old rules."""
    blocks: bool
    """Whether it denies the plan under the new rules."""
    message: str = ""
    """Of the finding that there is, the new one first."""


class PlanImpact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One plan under both."""

    plan: str
    """File, or digest in the archive."""
    workspace: str
    before: str
    """``allow``, ``deny``, ``undecided`` where it could not be judged, or ``same``."""
    after: str
    changes: tuple[FindingChange, ...] = ()
    problem: str | None = None
    """Why it could not be judged under one of the two."""
    decision_id: str | None = None
    """The decision in the trail, for a plan from the archive."""
    time: str | None = None

    @property
    def newly_denied(self) -> bool:
        """Whether the new rules deny what the old ones let through."""
        return self.before == "allow" and self.after in ("deny", "undecided")

    @property
    def newly_allowed(self) -> bool:
        """Whether the new rules let through what the old ones denied."""
        return self.before in ("deny", "undecided") and self.after == "allow"


class RuleImpact(msgspec.Struct, frozen=True):
    """One rule over all plans."""

    rule: str
    newly_blocking: int
    """Findings that deny now and did not."""
    no_longer_blocking: int
    other: int
    """Findings that came, went or changed without denying, before or after."""
    plans: int
    """Plans in which anything about it changed."""
    workspaces: tuple[str, ...]


class Impact(msgspec.Struct, frozen=True):
    """All plans under both."""

    base: str
    """Reference of the old rules, as asked for."""
    commit: str
    plans: tuple[PlanImpact, ...]

    @property
    def newly_denied(self) -> list[PlanImpact]:
        """Plans that the new rules deny, and the old ones did not."""
        return [plan for plan in self.plans if plan.newly_denied]

    @property
    def newly_allowed(self) -> list[PlanImpact]:
        """Plans that the new rules let through, and the old ones did not."""
        return [plan for plan in self.plans if plan.newly_allowed]

    @property
    def problems(self) -> list[PlanImpact]:
        """Plans that could not be judged."""
        return [plan for plan in self.plans if plan.problem is not None]

    def by_rule(self) -> list[RuleImpact]:
        """Sum up per rule, those that block most of what they did not first."""
        counts: dict[str, Counter[str]] = {}
        workspaces: dict[str, set[str]] = {}
        for plan in self.plans:
            for change in plan.changes:
                counts.setdefault(change.rule, Counter())[_kind(change)] += 1
                workspaces.setdefault(change.rule, set()).add(plan.workspace)
            for rule in {change.rule for change in plan.changes}:
                counts[rule]["plans"] += 1
        found = [
            RuleImpact(
                rule, count["new"], count["gone"], count["other"], count["plans"],
                tuple(sorted(workspaces[rule])),
            )
            for rule, count in counts.items()
        ]  # fmt: skip
        return sorted(found, key=lambda r: (-r.newly_blocking, -r.no_longer_blocking, r.rule))

    def by_workspace(self) -> dict[str, tuple[int, int, int]]:
        """Give plans, newly denied ones and newly allowed ones per workspace."""
        found: dict[str, tuple[int, int, int]] = {}
        for plan in self.plans:
            plans, denied, allowed = found.get(plan.workspace, (0, 0, 0))
            found[plan.workspace] = (
                plans + 1, denied + plan.newly_denied, allowed + plan.newly_allowed
            )  # fmt: skip
        return dict(sorted(found.items()))


def _kind(change: FindingChange) -> str:
    if change.blocks and not change.blocked:
        return "new"
    return "gone" if change.blocked and not change.blocks else "other"
