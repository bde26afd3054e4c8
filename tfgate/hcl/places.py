"""Where a module directory is used: the modules of the tree, and a block's address in each.

A directory of thousands of blocks may be called thousands of times. The modules are written once
for all of its blocks, and an address when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.hcl.index import ModuleNode


class Users(NamedTuple):
    """The modules of the tree that use one directory."""

    nodes: list[ModuleNode]
    addresses: tuple[str, ...]
    """Of the nodes; ``""`` for the root."""

    @property
    def first(self) -> ModuleNode:
        """The one that speaks for all where one must."""
        return self.nodes[0]

    @classmethod
    def of(cls, nodes: list[ModuleNode]) -> Users:
        """Write the addresses of the nodes, once for all that the directory holds."""
        return cls(nodes, tuple(node.address for node in nodes))


class Addresses(Sequence[str]):
    """The addresses of one block, one in each of ``modules`` (``""`` is the root)."""

    __slots__ = ("_modules", "_name")

    def __init__(self, modules: Sequence[str], name: str) -> None:
        self._modules = modules
        self._name = name

    def __len__(self) -> int:
        return len(self._modules)

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[str]: ...
    def __getitem__(self, position: int | slice) -> str | Sequence[str]:
        if isinstance(position, slice):
            return Addresses(self._modules[position], self._name)
        return _inside(self._modules[position], self._name)

    def __iter__(self) -> Iterator[str]:
        name = self._name
        return (_inside(module, name) for module in self._modules)


def _inside(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name
