"""What some blocks may refer to, told apart by what is mentioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.plan.instances import Instances
from tfgate.plan.resolver import union

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.resolver import Target, Targets

EDGES: Final = 200_000
"""References of one kind that are told from each other: ten times as many as any plan has."""


class Edge(NamedTuple):
    """A block mentions another one in an argument."""

    target: Target
    argument: str
    open: Instances
    """The instances whose argument is not known yet: it may come to name what it mentions."""
    known: Instances
    """Those whose argument is known, and holds more than the name of another instance."""


class Edges:
    """The mentions in the blocks that were added."""

    def __init__(self) -> None:
        self._by_address: dict[str, list[Edge]] = {}
        self._number = 0
        self.overflown = False
        """Whether there are more than are told from each other."""

    def add(
        self,
        arguments: Mapping[str, Targets],
        is_open: Mapping[str, Sequence[Change]],
        is_known: Mapping[str, Sequence[Change]],
    ) -> None:
        """Take in what the arguments of a block mention, and which instances have them how.

        Instances that are in neither map have an argument whose one target is certain.
        """
        if self._number > EDGES:
            self.overflown = True
            return
        self.overflown = self.overflown or union(arguments.values()).many
        for name, targets in arguments.items():
            if not targets.found or not (is_open.get(name) or is_known.get(name)):
                continue
            self._number += len(targets.found)
            unknown, known = (Instances(part.get(name, ())) for part in (is_open, is_known))
            for target in targets.found:
                edge = Edge(target, name, unknown, known)
                self._by_address.setdefault(target.address, []).append(edge)

    def to(self, address: str) -> Iterable[Edge]:
        """Give the mentions of the block at this configuration address."""
        return self._by_address.get(address, ())
