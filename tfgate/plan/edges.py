"""The references from some blocks to others, told apart by what is referred to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.plan.resolver import union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.blocks import BlockView
    from tfgate.plan.change import Change
    from tfgate.plan.resolver import Target

EDGES: Final = 200_000
"""References of one kind that are told from each other: ten times as many as any plan has."""


class Edge(NamedTuple):
    """Some blocks refer to another, all in the same way."""

    target: Target
    sure: bool
    referrers: list[Sequence[Change]]
    """The instances of each block that does."""


class Edges:
    """The references from the blocks that were added."""

    def __init__(self) -> None:
        self._by_address: dict[str, list[Edge]] = {}
        self._edges: dict[tuple[Target, bool], Edge] = {}
        self._number = 0
        self.overflown = False
        """Whether there are more than are told from each other."""

    def add(self, block: BlockView, instances: Sequence[Change]) -> None:
        """Take in what a block with these instances refers to."""
        if self._number > EDGES:
            self.overflown = True
            return
        whole = union(block.arguments.values())
        self.overflown = self.overflown or whole.many
        for targets, sure in ((whole.sure, True), (whole.maybe, False)):
            for target in targets:
                self._edge(target, sure).referrers.append(instances)
        self._number += len(whole.sure) + len(whole.maybe)

    def to(self, address: str) -> Sequence[Edge]:
        """Give the references to the block at this configuration address."""
        return self._by_address.get(address, ())

    def _edge(self, target: Target, sure: bool) -> Edge:
        edge = self._edges.get((target, sure))
        if edge is None:
            edge = self._edges[target, sure] = Edge(target, sure, [])
            self._by_address.setdefault(target.address, []).append(edge)
        return edge
