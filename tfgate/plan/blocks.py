"""The blocks of a configuration with their references resolved, each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.configuration import block_part
from tfgate.plan.resolver import Place, Resolver, Targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tfgate.plan.configuration import Block, Configuration

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
        self.resolver = Resolver(configuration)
        self._views: dict[str, BlockView] = {}
        self._configured = configuration.blocks

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
