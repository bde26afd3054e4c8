"""Walks a configuration block by block, for rules on sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.hcl.addresses import join_modules
from tfgate.hcl.contents import Contents, contents
from tfgate.hcl.reading import read_shapes
from tfgate.hcl.sources import addresses_of
from tfgate.hcl.subject import TYPED, UNREADABLE, SourceBlock
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
        not types or block.kind not in TYPED or block.labels[:1] == () or (block.labels[0] in types)
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
