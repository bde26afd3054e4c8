"""Who refers to a resource, and who may: the graph of references, read backwards.

Built on first use and linear in the configuration: each block's references are resolved once, and
the values of a type's instances are looked through once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.action import Action
from tfgate.model.glob import compile_glob
from tfgate.plan.arguments import find
from tfgate.plan.blocks import DECORATION
from tfgate.plan.configuration import configuration_address
from tfgate.plan.instances import connected
from tfgate.plan.reads import Reads
from tfgate.plan.resolver import union
from tfgate.plan.sightings import Sightings, identities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.blocks import Blocks, BlockView
    from tfgate.plan.change import Change
    from tfgate.plan.plan import Plan
    from tfgate.plan.resolver import Target

_AFTER: Final = Reads.of([("after",)])
_BEFORE: Final = Reads.of([("before",)])
EDGES: Final = 200_000
"""References in one plan that are told from each other: ten times as many as any has."""
GONE: Final = frozenset({Action.DELETE, Action.FORGET})
"""Actions after which an object is not there any more."""


class Edge(NamedTuple):
    """A block refers to another."""

    referrer: str
    target: Target
    sure: bool


class Found(NamedTuple):
    """The answer to "which resources of this type refer to that one?"."""

    sure: list[Change]
    maybe: list[Change]
    blind: bool
    """Whether there may be others."""


class View(NamedTuple):
    """The instances of the resources of a type glob, and what their arguments hold."""

    candidates: list[Change]
    sightings: Sightings
    absent: bool
    """Whether some may exist that the plan does not show."""


class Referrers:
    """Answers for one plan."""

    def __init__(self, plan: Plan, blocks: Blocks) -> None:
        self._blocks = blocks
        self._deferred_types = {change.type for change in plan.deferred}
        self._complete = plan.complete
        self._overflown = False
        """Whether there are more references than are told from each other."""
        self._views: dict[str, View] = {}
        self._instances: dict[str, list[Change]] = {}
        for change in plan.changes:
            if change.action not in GONE and change.deposed is None:
                self._instances.setdefault(configuration_address(change), []).append(change)

    def of(self, change: Change, pattern: str) -> Found:
        """Find the instances of resources whose type matches the glob that refer to ``change``."""
        sure: dict[int, Change] = {}
        maybe: dict[int, Change] = {}
        blind = False
        for edge in self._edges(configuration_address(change), pattern):
            found = connected(self._instances.get(edge.referrer, ()), change, edge.target)
            blind = blind or found is None
            into = sure if edge.sure else maybe
            into.update((other.position, other) for other in found or ())
        view = self._view(pattern)
        values = change.document(_AFTER)["after"] or change.document(_BEFORE)["before"]
        for number in view.sightings.of(identities(change, values)):
            other = view.candidates[number]
            maybe.setdefault(other.position, other)
        maybe.pop(change.position, None)
        doubtful = [other for position, other in maybe.items() if position not in sure]
        blind = blind or self._overflown or view.absent or _unseen(view, sure)
        return Found([*sure.values()], doubtful, blind)

    def _edges(self, address: str, pattern: str) -> list[Edge]:
        matches = compile_glob(pattern)
        by_type = self._graph.get(address, {})
        return [edge for kind, edges in by_type.items() if matches(kind) for edge in edges]

    @cached_property
    def _graph(self) -> dict[str, dict[str, list[Edge]]]:
        """Who refers to an address, by the referrer's type."""
        graph: dict[str, dict[str, list[Edge]]] = {}
        number = 0
        for view in self._blocks:
            whole = union(view.arguments.values())
            self._overflown = self._overflown or whole.many or number > EDGES
            if number > EDGES:
                break
            for targets, sure in ((whole.sure, True), (whole.maybe, False)):
                for target in targets:
                    edges = graph.setdefault(target.address, {}).setdefault(view.type, [])
                    edges.append(Edge(view.address, target, sure))
                    number += 1
        return graph

    def _view(self, pattern: str) -> View:
        if pattern not in self._views:
            matches = compile_glob(pattern)
            views = [view for view in self._blocks if matches(view.type)]
            self._views[pattern] = self._look(views, any(map(matches, self._deferred_types)))
        return self._views[pattern]

    def _look(self, views: Sequence[BlockView], absent: bool) -> View:
        candidates: list[Change] = []
        sightings = Sightings()
        for view in views:
            instances = self._instances.get(view.address, ())
            absent = absent or (not instances and self._may_exist(view))
            for instance in instances:
                _note(sightings, len(candidates), instance, view)
                candidates.append(instance)
        return View(candidates, sightings, absent)

    def _may_exist(self, view: BlockView) -> bool:
        """Whether a block without instances in the plan may have some: the plan is targeted."""
        if self._complete is not None:
            return not self._complete
        block = view.block
        repeated = block.count_expression or block.for_each_expression
        return not (repeated or view.place.prefix)


def _note(sightings: Sightings, number: int, instance: Change, view: BlockView) -> None:
    """Take in what the arguments of one instance hold."""
    values: Any = instance.document(_AFTER)["after"]
    if type(values) is not dict:
        sightings.blind.add(number)
        return
    for name, targets in view.arguments.items():
        sightings.note(number, values.get(name), lossy=targets.lossy)
    expressions = view.document["expressions"]
    for name in values.keys() - view.arguments.keys() - DECORATION:
        if find(expressions, (name,), values[name]).hidden:
            sightings.note(number, values[name], lossy=False)


def _unseen(view: View, sure: dict[int, Change]) -> bool:
    """Whether a blind candidate is not among the sure ones already."""
    blind = view.sightings.blind
    if len(blind) > len(sure):
        return True
    return any(view.candidates[number].position not in sure for number in blind)
