"""What a decision rests on beside the plan and the rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfgate.model import Frozen
from tfgate.model.rule import Enforcement

if TYPE_CHECKING:
    import datetime as dt

    from tfgate.hcl.subject import SourceBlock
    from tfgate.hcl.waivers import WaiverProblem
    from tfgate.model.address import Location
    from tfgate.model.decision import Operator, Run, Waiver, Workspace

Locate = Callable[[str, "str | None"], "Location | None"]
"""``(address, attribute path or None)`` to the place in the sources, where one is known."""

LocateElement = Callable[[str, str, Any], "Location | None"]
"""``(address, attribute, element)`` to the place of the nested block that made the element of a
planned value. Its number does not show it: a set has its elements in another order."""
Blocks = Callable[[Collection[str], Collection[str]], "Iterable[SourceBlock] | None"]
"""``(kinds, types)``, exact names or empty for all, to the blocks of the sources; ``None`` where
there are no sources. It parses, so it is only called where a rule looks at sources."""
Undeclared = Callable[[], Sequence[str]]
"""Returns the addresses of the plan that no block of the sources declares: they are not its own
sources then. Nothing where there are no sources."""


def _nowhere(address: str, attribute: str | None) -> Location | None:
    return None


def _no_blocks(kinds: Collection[str], types: Collection[str]) -> Iterable[SourceBlock] | None:
    return None


def _all_declared() -> Sequence[str]:
    return ()


class Context(Frozen, frozen=True):
    """The impure facts, gathered before: the engine itself asks nobody."""

    workspace: Workspace
    operator: Operator
    now: dt.datetime
    """The time of the decision, timezone-aware."""
    run: Run | None = None
    facts: Mapping[str, Any] = {}
    """Further facts of ``$context``, as the rulesets declare them, beside those of tfgate."""
    params: Mapping[str, Mapping[str, Any]] = {}
    """Ruleset id → parameter name → value, for those the configuration sets."""
    data: Mapping[str, Mapping[str, Any]] = {}
    """Ruleset id → data name → value, for data files that the configuration names."""
    levels: Mapping[str, Enforcement] = {}
    """Rule id → enforcement level in force, for those the configuration changes."""
    evaluate_all: bool = False
    """Whether rules on what will exist look at unchanged resources too."""
    allow_empty: bool = False
    """Whether a plan on which no rule was evaluated may be allowed."""
    waivers: Sequence[Waiver] = ()
    waiver_notice_days: int = 14
    """A waiver that ends within this many days is announced in the decision's warnings."""
    comment_waiver_levels: frozenset[Enforcement] = frozenset(
        {Enforcement.ADVISORY, Enforcement.SOFT_MANDATORY}
    )
    """Levels that a comment in HCL may waive."""
    comment_waiver_globs: bool = False
    """Whether a comment in HCL may name rules by a glob."""
    comment_doubts: Mapping[str, str] = {}
    """Files whose comments waive no more than advisory rules, with the reason in a clause."""
    waiver_problems: Sequence[WaiverProblem] = ()
    """Comments that were meant to waive and do not."""
    locate: Locate = _nowhere
    locate_element: LocateElement | None = None
    blocks: Blocks = _no_blocks
    undeclared: Undeclared = _all_declared
    plan_file_sha256: str | None = None

    def known_facts(self) -> Mapping[str, Any]:
        """Return every name that ``context(name)`` knows, with its value."""
        builtin: dict[str, Any] = {
            "workspace": self.workspace.name,
            "operator": self.operator.name,
            "operator_source": self.operator.source,
            "backend": self.workspace.backend,
            "time": self.now.isoformat(),
            "date": self.now.date().isoformat(),
            "hour": self.now.hour,
            "minute": self.now.minute,
            "weekday": self.now.isoweekday(),
            "repository": self.run.repository if self.run else None,
            "commit": self.run.commit if self.run else None,
        }
        return {**self.facts, **builtin}
