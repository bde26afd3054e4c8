"""Who refers to a resource, and who may: the graph of references, read backwards.

Built on first use, for the types that are asked for, and linear in their part of the configuration:
each block's references are resolved once, and the values of a type's instances are looked through
once.

A reference is sure where the sources show that the argument only points at the resource
(`tfgate.plan.pointing`), or where its value is the resource's name (`tfgate.plan.references`).
Another mention is a possible one, as long as the values do not rule it out.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.action import Action
from tfgate.model.text import compile_glob
from tfgate.plan import values
from tfgate.plan.arguments import find
from tfgate.plan.configuration import block_part, configuration_address
from tfgate.plan.pointing import Pointing
from tfgate.plan.reads import Reads
from tfgate.plan.references import (
    SHORTEST,
    Edges,
    Sightings,
    identities,
    identity_names,
    is_called_after,
    keys,
    may_mean,
    texts,
)
from tfgate.plan.resolver import Place, Resolver, Targets
from tfgate.query.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.configuration import Block, Configuration
    from tfgate.plan.plan import Plan
    from tfgate.plan.pointing import Pointed


# --- The blocks of a configuration with their references resolved, each once.


DECORATION: Final = frozenset(
    {"tags", "tags_all", "labels", "annotations", "timeouts", "description", "user_data"}
)
"""Arguments that join no resources: what they mention is only text."""


class BlockView:
    """One resource block, decoded and resolved as far as it is asked for."""

    def __init__(self, address: str, block: Block, resolver: Resolver) -> None:
        self.address = address
        """Configuration address."""
        self.block = block
        self._resolver = resolver

    @cached_property
    def place(self) -> Place:
        """What the names in its expressions mean."""
        prefix = self.address[: len(self.address) - len(self.block.address)]
        return Place(prefix, self.block.for_each_expression)

    @cached_property
    def expressions(self) -> Any:
        """As in ``config`` of a resource rule."""
        return self.part("expressions")

    def part(self, name: str) -> Any:
        """Decode a field of ``config``, as ``count_expression`` or ``depends_on``."""
        return block_part(self.block, self.address, name)

    @cached_property
    def arguments(self) -> dict[str, Targets]:
        """What each argument refers to, `DECORATION` left out."""
        expressions, resolve, place = self.expressions, self._resolver.resolve, self.place
        return {
            name: resolve(part, place)
            for name, part in (expressions if type(expressions) is dict else {}).items()
            if name not in DECORATION
        }


class Blocks:
    """Every resource block of a configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.resolver = Resolver(configuration)
        self._views: dict[str, BlockView] = {}
        self._configured = configuration.blocks

    @cached_property
    def pointing(self) -> Pointing | None:
        """What expressions point at, where the sources are at hand."""
        written = self._configuration.written
        return None if written is None else Pointing(written)

    def points_at(self, change: Change, block: BlockView, argument: str) -> str | None:
        """Return the address of the one instance that an argument certainly names."""
        expressions = block.expressions
        if self.pointing is None or type(expressions) is not dict:
            return None
        part = expressions.get(argument)
        return self.named(self.pointing.of(change, (argument,), part))

    @staticmethod
    def named(pointed: Pointed | None) -> str | None:
        """Return the address of what is pointed at, if it is by one of its names."""
        if pointed is None or pointed.attribute not in identity_names(pointed.kind):
            return None
        return pointed.address

    def dynamic(self, block: BlockView) -> Mapping[str, Sequence[str]] | None:
        """Return the dynamic blocks of a block, by label; None without sources."""
        return self._configuration.dynamic(block.address)

    def get(self, address: str) -> BlockView | None:
        """Find a block by configuration address."""
        view = self._views.get(address)
        if view is None and (block := self._configured.get(address)) is not None:
            view = self._views[address] = BlockView(address, block, self.resolver)
        return view

    @cached_property
    def by_type(self) -> Mapping[str, Iterable[str]]:
        """The addresses of the blocks of each resource type."""
        found: dict[str, list[str]] = {}
        for address, block in self._configured.items():
            found.setdefault(block.type, []).append(address)
        return found

    def of_type(self, kind: str) -> Iterator[BlockView]:
        """Yield the blocks of a resource type."""
        return filter(None, map(self.get, self.by_type.get(kind, ())))


_AFTER: Final = Reads.of([("after",)])
GONE: Final = frozenset({Action.DELETE, Action.FORGET})
"""Actions after which an object is not there any more."""
DOUBTS: Final = 200
"""Possible referrers of one resource that are kept apart: with more, there may be any."""


class Found(NamedTuple):
    """The answer to "which resources of this type refer to that one?"."""

    sure: list[Change]
    maybe: list[Change]
    blind: bool
    """Whether there may be others."""


class Names(NamedTuple):
    """By what others name a resource."""

    known: set[str]
    open: bool
    """Whether there may be others, not known yet."""

    def within(self, held: Iterable[str | None]) -> bool:
        """Whether a text holds one of the names, in any case."""
        folded = [text.casefold() for text in held if text is not None]
        return any(name.casefold() in text for name in self.known for text in folded)


class View(NamedTuple):
    """The instances of the resources of a type glob, and what their arguments hold."""

    candidates: list[Change]
    blocks: list[BlockView]
    """The block of each candidate."""
    pointing: dict[str, list[Change]]
    """The candidates that certainly point at an instance, by its address."""
    sightings: Sightings
    edges: Edges
    left: dict[tuple[int, str], list[str]]
    """What the arguments of instances hold beside whole names, by position and argument."""
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
        self._bearers: dict[str, Counter[str]] = {}
        self._block_names: dict[str, set[str]] = {}

    def of(self, change: Change, pattern: str) -> Found:
        """Find the instances of resources whose type matches the glob that refer to ``change``."""
        view = self._view(pattern)
        if not view.candidates:
            return Found([], [], view.absent)
        names = self.names(change)
        pointing = view.pointing.get(change.address, ())
        sure = {other.position: other for other in pointing if other.address != change.address}
        for name in names.known:
            for number, argument in view.sightings.equal(name):
                other = view.candidates[number]
                if other.address != change.address and self._is_named(
                    change, name, argument, view.blocks[number]
                ):
                    sure[other.position] = other
        maybe, blind = self._possible(view, change, names, sure)
        blind = blind or view.absent or view.edges.overflown or _unseen(view, sure)
        return Found([*sure.values()], maybe, blind)

    def _possible(
        self, view: View, change: Change, names: Names, sure: dict[int, Change]
    ) -> tuple[list[Change], bool]:
        """Return those that may refer to ``change`` beside the sure ones, and whether any may."""
        maybe: dict[int, Change] = {}
        for other in self._mentioning(view, change, names):
            if other.position not in sure and other.address != change.address:
                maybe[other.position] = other
                if len(maybe) > DOUBTS:
                    return [], True
        for number in view.sightings.of(names.known):
            other = view.candidates[number]
            if other.position not in sure and other.address != change.address:
                maybe[other.position] = other
        return ([], True) if len(maybe) > DOUBTS else ([*maybe.values()], False)

    @staticmethod
    def _mentioning(view: View, change: Change, names: Names) -> Iterator[Change]:
        """Yield those that mention ``change`` in an argument that may come to name it."""
        for edge in view.edges.to(configuration_address(change)):
            if may_mean(edge.target.key, change):
                yield from edge.open.near(change)
                for other in edge.known.near(change):
                    if names.open or names.within(view.left[other.position, edge.argument]):
                        yield other

    def _is_named(self, change: Change, name: str, argument: str, block: BlockView) -> bool:
        """Whether an argument that holds the name of ``change`` is a reference to it.

        It is none where two resources of the type have that name, in two regions perhaps.
        """
        targets = block.arguments.get(argument)
        if targets is not None and configuration_address(change) in targets.addresses:
            return self.is_only_bearer(change, name)
        return is_called_after(argument, change.type) and self.is_only_bearer(change, name)

    def is_only_bearer(self, change: Change, name: str) -> bool:
        """Whether no other resource of its type has that name."""
        bearers = self._bearers.get(change.type)
        if bearers is None:
            bearers = self._bearers[change.type] = Counter(
                found
                for other in self._changes
                if other.type == change.type and other.mode == change.mode
                for found in self.names(other).known
            )
        return bearers[name] <= 1

    def names(self, change: Change) -> Names:
        """Return the names of a resource: those it will have, or those it has if it is to go."""
        known, open_ = identities(change.type, self._identifying(change))
        return Names(known, open_ or any(len(name) < SHORTEST for name in known))

    def _identifying(self, change: Change) -> Any:
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
    def instances(self) -> dict[str, list[Change]]:
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
        view = View([], [], {}, Sightings(), Edges(), {}, absent)
        for block in blocks:
            instances = self.instances.get(block.address)
            if instances is None:
                absent = absent or self._may_exist(block)
            else:
                self._take_in(view, block, instances)
        return view._replace(absent=absent)

    def _take_in(self, view: View, block: BlockView, instances: list[Change]) -> None:
        """Note what the arguments of a block point at, mention and hold, in each instance."""
        is_open: dict[str, list[Change]] = {}
        is_known: dict[str, list[Change]] = {}
        for instance in instances:
            number = len(view.candidates)
            view.candidates.append(instance)
            view.blocks.append(block)
            held = values.after(instance, _AFTER)
            if type(held) is not dict:
                view.sightings.blind.add(number)
                held = {}
            for name, targets in block.arguments.items():
                pointed = self._blocks.points_at(instance, block, name)
                if pointed is not None:
                    view.pointing.setdefault(pointed, []).append(instance)
                    continue
                value = held.get(name, UNKNOWN)
                view.sightings.note(number, name, value, lossy=targets.lossy)
                if targets.found:
                    left = self._left(value, targets)
                    view.left[instance.position, name] = left
                    if left:  # null, true and an empty list name nothing
                        into = is_open if "" in left else is_known
                        into.setdefault(name, []).append(instance)
            for name in held.keys() - block.arguments.keys() - DECORATION:
                if self._is_hidden(block, name, held[name]):
                    view.sightings.note(number, name, held[name], lossy=True)
        view.edges.add(block.arguments, is_open, is_known)

    def _left(self, value: Any, targets: Targets) -> list[str]:
        """Return what a value holds beside whole names of what it mentions; "" for what is unknown.

        A text that is the whole name of one instance names no other.
        """
        named: set[str] = set()
        for address in targets.addresses:
            named |= self._names_of_block(address)
        found = {*texts(value), *keys(value)}
        return ["" if text is None else text for text in found if text not in named]

    def _names_of_block(self, address: str) -> set[str]:
        """Return the names of the instances of a block."""
        if address not in self._block_names:
            self._block_names[address] = {
                name
                for other in self.instances.get(address, ())
                for name in self.names(other).known
            }
        return self._block_names[address]

    def _is_hidden(self, block: BlockView, name: str, value: Any) -> bool:
        """Whether a dynamic block may have made an argument that the block does not show."""
        dynamic = self._blocks.dynamic(block)
        if dynamic is not None:
            return name in dynamic
        return find(block.expressions, (name,), value).hidden

    def _may_exist(self, view: BlockView) -> bool:
        """Whether a block without instances in the plan may have some: the plan is targeted."""
        if self._complete is not None:
            return not self._complete
        block = view.block
        repeated = block.count_expression or block.for_each_expression
        return not (repeated or view.place.prefix)


def _unseen(view: View, sure: dict[int, Change]) -> bool:
    """Whether a blind candidate is not among the sure ones already."""
    blind = view.sightings.blind
    if len(blind) > len(sure):
        return True
    return any(view.candidates[number].position not in sure for number in blind)
