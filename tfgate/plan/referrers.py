"""Who refers to a resource, and who may: the graph of references, read backwards.

Built on first use, for the types that are asked for, and linear in their part of the configuration:
each block's references are resolved once, and the values of a type's instances are looked through
once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.action import Action
from tfgate.model.glob import compile_glob
from tfgate.plan import values
from tfgate.plan.arguments import find
from tfgate.plan.blocks import DECORATION
from tfgate.plan.configuration import configuration_address
from tfgate.plan.edges import Edges
from tfgate.plan.instances import connected
from tfgate.plan.reads import Reads
from tfgate.plan.sightings import Sightings, identities, identity_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.plan.blocks import Blocks, BlockView
    from tfgate.plan.change import Change
    from tfgate.plan.plan import Plan

_AFTER: Final = Reads.of([("after",)])
GONE: Final = frozenset({Action.DELETE, Action.FORGET})
"""Actions after which an object is not there any more."""


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
    edges: Edges
    absent: bool
    """Whether some may exist that the plan does not show."""


class Referrers:
    """Answers for one plan."""

    def __init__(self, plan: Plan, blocks: Blocks) -> None:
        self._blocks = blocks
        self._changes = plan.changes
        self._deferred_types = {change.type for change in plan.deferred}
        self._complete = plan.complete
        self._views: dict[str, View] = {}
        self._identity_reads: dict[str, Reads] = {}

    def of(self, change: Change, pattern: str) -> Found:
        """Find the instances of resources whose type matches the glob that refer to ``change``."""
        view = self._view(pattern)
        if not view.candidates:
            return Found([], [], view.absent)
        sure: dict[int, Change] = {}
        maybe: dict[int, Change] = {}
        blind = view.absent or view.edges.overflown
        for edge in view.edges.to(configuration_address(change)):
            into = sure if edge.sure else maybe
            for instances in edge.referrers:
                found = connected(instances, change, edge.target)
                blind = blind or found is None
                into.update((other.position, other) for other in found or ())
        for number in view.sightings.of(identities(change, self._identifying(change))):
            other = view.candidates[number]
            maybe.setdefault(other.position, other)
        maybe.pop(change.position, None)
        doubtful = [other for position, other in maybe.items() if position not in sure]
        return Found([*sure.values()], doubtful, blind or _unseen(view, sure))

    def _identifying(self, change: Change) -> Any:
        """Give the values of a resource, as far as others may name it by them.

        They are those it will have, or those it has if it is to go.
        """
        reads = self._identity_reads.get(change.type)
        if reads is None:
            names = identity_names(change.type)
            reads = Reads.of((side, name) for side in ("before", "after") for name in names)
            self._identity_reads[change.type] = reads
        after = values.after(change, reads)
        if after == {}:
            after = values.after(change, _AFTER)  # is there anything else?
        return values.before(change, reads) if after is None or after == {} else after

    @cached_property
    def _instances(self) -> dict[str, list[Change]]:
        """The instances that there will be, by configuration address."""
        instances: dict[str, list[Change]] = {}
        for change in self._changes:
            if change.action not in GONE and change.deposed is None:
                instances.setdefault(configuration_address(change), []).append(change)
        return instances

    def _view(self, pattern: str) -> View:
        view = self._views.get(pattern)
        if view is None:
            matches = compile_glob(pattern)
            blocks = (
                block
                for kind in self._blocks.by_type
                if matches(kind)
                for block in self._blocks.of_type(kind)
            )
            absent = any(map(matches, self._deferred_types))
            view = self._views[pattern] = self._look(blocks, absent)
        return view

    def _look(self, blocks: Iterable[BlockView], absent: bool) -> View:
        candidates: list[Change] = []
        sightings = Sightings()
        edges = Edges()
        for block in blocks:
            instances = self._instances.get(block.address)
            if instances is None:
                absent = absent or self._may_exist(block)
                continue
            edges.add(block, instances)
            for instance in instances:
                _note(sightings, len(candidates), instance, block)
                candidates.append(instance)
        return View(candidates, sightings, edges, absent)

    def _may_exist(self, view: BlockView) -> bool:
        """Whether a block without instances in the plan may have some: the plan is targeted."""
        if self._complete is not None:
            return not self._complete
        block = view.block
        repeated = block.count_expression or block.for_each_expression
        return not (repeated or view.place.prefix)


def _note(sightings: Sightings, number: int, instance: Change, view: BlockView) -> None:
    """Take in what the arguments of one instance hold."""
    held = values.after(instance, _AFTER)
    if type(held) is not dict:
        sightings.blind.add(number)
        return
    for name, targets in view.arguments.items():
        sightings.note(number, held.get(name), lossy=targets.lossy)
    for name in held.keys() - view.arguments.keys() - DECORATION:
        if find(view.expressions, (name,), held[name]).hidden:
            sightings.note(number, held[name], lossy=False)


def _unseen(view: View, sure: dict[int, Change]) -> bool:
    """Whether a blind candidate is not among the sure ones already."""
    blind = view.sightings.blind
    if len(blind) > len(sure):
        return True
    return any(view.candidates[number].position not in sure for number in blind)
