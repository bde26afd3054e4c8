"""The blocks of a configuration with their references resolved, each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.configuration import block_document
from tfgate.plan.resolver import Place, Resolver, Targets

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    @property
    def type(self) -> str:
        """Resource type."""
        return self.block.type

    @property
    def place(self) -> Place:
        """What the names in its expressions mean."""
        prefix = self.address[: len(self.address) - len(self.block.address)]
        return Place(prefix, self.block.for_each_expression)

    @cached_property
    def document(self) -> dict[str, Any]:
        """As in ``config`` of a resource rule."""
        return block_document(self.block, self.address)

    @cached_property
    def arguments(self) -> dict[str, Targets]:
        """What each argument refers to, `DECORATION` left out."""
        expressions = self.document["expressions"]
        return {
            name: self._resolver.resolve(part, self.place)
            for name, part in (expressions if type(expressions) is dict else {}).items()
            if name not in DECORATION
        }


class Blocks:
    """Every resource block of a configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.resolver = Resolver(configuration)
        self._by_address = {
            address: BlockView(address, block, self.resolver)
            for address, block in configuration.blocks.items()
        }
        self._by_type: dict[str, list[BlockView]] = {}
        for view in self._by_address.values():
            self._by_type.setdefault(view.type, []).append(view)

    def get(self, address: str) -> BlockView | None:
        """Find a block by configuration address."""
        return self._by_address.get(address)

    def of_type(self, kind: str) -> list[BlockView]:
        """Give the blocks of a resource type."""
        return self._by_type.get(kind, [])

    def __iter__(self) -> Iterator[BlockView]:
        return iter(self._by_address.values())
