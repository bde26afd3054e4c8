"""The blocks of a configuration with their references resolved, each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.configuration import block_part
from tfgate.plan.pointing import Pointing
from tfgate.plan.resolver import Place, Resolver, Targets
from tfgate.plan.sightings import identity_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.configuration import Block, Configuration
    from tfgate.plan.pointing import Pointed

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
        """Give the address of the one instance that an argument certainly names."""
        expressions = block.expressions
        if self.pointing is None or type(expressions) is not dict:
            return None
        part = expressions.get(argument)
        return self.named(self.pointing.of(change, (argument,), part))

    @staticmethod
    def named(pointed: Pointed | None) -> str | None:
        """Give the address of what is pointed at, if it is by one of its names."""
        if pointed is None or pointed.attribute not in identity_names(pointed.kind):
            return None
        return pointed.address

    def dynamic(self, block: BlockView) -> Mapping[str, Sequence[str]] | None:
        """Give the dynamic blocks of a block, by label; None where the sources are not at hand."""
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
