"""Blocks as rules on sources see them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfgate.hcl.addresses import join_modules
from tfgate.hcl.contents import Contents, contents
from tfgate.hcl.reading import read_shapes
from tfgate.hcl.sources import addresses_of
from tfgate.hcl.syntax import JSON
from tfgate.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tfgate.errors import Problem
    from tfgate.hcl.cache import Cache
    from tfgate.hcl.index import ModuleNode, SourceIndex
    from tfgate.hcl.reading import Progress
    from tfgate.hcl.scanner import Block
    from tfgate.hcl.sources import SourceFile

UNREADABLE = "unreadable"
"""The kind of the entry that stands for a file, or the rest of one, that cannot be read."""

_TYPED = ("resource", "data", "ephemeral", "action", "provider")


class SourceBlock:
    """One top-level block of one file, or (`UNREADABLE`) what may hold blocks and is not read.

    ``kind`` is ``resource``, ``terraform``, …; ``modules`` are the addresses of the modules that
    use the file (``""`` is the root); ``address`` is the block's config address in the first of
    them, or the file's path for a block that has none. With an ``error``, a sentence, there are no
    values, and a rule that selects the block must end in the outcome ``error``.
    """

    def __init__(
        self,
        kind: str,
        labels: tuple[str, ...],
        location: Location,
        address: str,
        modules: tuple[str, ...],
        contents: Contents,
    ) -> None:
        self.kind = kind
        self.labels = labels
        self.location = location
        self.address = address
        self.modules = modules
        self.error = contents.error
        self._contents = contents

    @property
    def type(self) -> str:
        """Type of a resource, data source, …; name of a provider; ``""`` for other kinds."""
        return self.labels[0] if self.kind in _TYPED and self.labels else ""

    @property
    def name(self) -> str:
        """Name in the configuration; ``""`` where the kind has none."""
        return self.labels[-1] if self.labels else ""

    @property
    def module(self) -> str:
        """Address of the (first) module that uses the file."""
        return self.modules[0]

    @property
    def known(self) -> dict[str, Any]:
        """What is in the block, with ``UNKNOWN`` for an expression; empty with an error."""
        return self._contents.known

    @cached_property
    def value(self) -> dict[str, Any]:
        """What is in the block, with ``{"expression": "…"}`` for one; empty with an error."""
        return self._contents.value()

    def document(self, *, unknowns: bool = True) -> dict[str, Any]:
        """Give the root that a rule on sources sees, with ``body`` in either view."""
        return {
            "kind": self.kind,
            "type": self.type,
            "name": self.name,
            "labels": list(self.labels),
            "address": self.address,
            "file": self.location.file,
            "line": self.location.line,
            "end_line": self.location.end_line,
            "module": self.module,
            "body": self.known if unknowns else self.value,
        }


def blocks(
    index: SourceIndex,
    *,
    kinds: Collection[str] = (),
    types: Collection[str] = (),
    cache: Cache | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> Iterator[SourceBlock]:
    """Give every block of the configuration, file by file, each once.

    ``kinds`` and ``types`` (exact names; empty for all) say which are wanted: a file without any is
    not parsed. What cannot be read comes as a block with an ``error``, whatever is wanted, since
    anything could be in it.
    """
    users: dict[int, list[ModuleNode]] = {}
    for node in index.modules():
        users.setdefault(id(node.source), []).append(node)
    chosen = [
        (file, nodes, [block for block in file.body.blocks if _wanted(block, kinds, types)])
        for nodes in users.values()
        for file in nodes[0].source.files
    ]
    native = [file for file, _, found in chosen if found and file.syntax is not JSON]
    shapes = read_shapes(
        [file.text or "" for file in native], cache=cache, processes=processes, progress=progress
    )
    by_file = dict(zip(map(id, native), shapes, strict=True))
    for file, nodes, found in chosen:
        for block in found:
            yield _source_block(file, nodes, block, contents(file, block, by_file.get(id(file))))
    for nodes in users.values():
        for problem in nodes[0].source.problems:
            yield _unreadable(nodes, problem)


def _wanted(block: Block, kinds: Collection[str], types: Collection[str]) -> bool:
    if kinds and block.kind not in kinds:
        return False
    return (
        not types
        or block.kind not in _TYPED
        or block.labels[:1] == ()
        or (block.labels[0] in types)
    )


def _source_block(
    file: SourceFile, nodes: list[ModuleNode], block: Block, found: Contents
) -> SourceBlock:
    name = next(addresses_of(file, block), None)
    return SourceBlock(
        block.kind,
        block.labels,
        Location(file.name, block.line, block.end_line, nodes[0].chain),
        join_modules(nodes[0].calls, name) if name else file.name,
        tuple(node.address for node in nodes),
        found,
    )


def _unreadable(nodes: list[ModuleNode], problem: Problem) -> SourceBlock:
    location = Location(problem.file, problem.line or 1, None, nodes[0].chain)
    modules = tuple(node.address for node in nodes)
    return SourceBlock(UNREADABLE, (), location, problem.file, modules, Contents(problem.message))
