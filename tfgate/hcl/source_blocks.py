"""Walks a configuration block by block, for rules on sources."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tfgate.hcl.addresses import path_steps
from tfgate.hcl.contents import Contents, contents
from tfgate.hcl.paths import find_path
from tfgate.hcl.places import Addresses, Users
from tfgate.hcl.settings import SETTINGS, settings_block
from tfgate.hcl.sources import addresses_of
from tfgate.hcl.subject import TYPED, UNREADABLE, SourceBlock
from tfgate.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tfgate.errors import Problem
    from tfgate.hcl.index import ModuleNode, SourceIndex
    from tfgate.hcl.scanner import Block
    from tfgate.hcl.sources import SourceFile


class _Chosen(NamedTuple):
    """A file, and the blocks of it that are wanted."""

    file: SourceFile
    blocks: list[Block]


def blocks(
    index: SourceIndex,
    *,
    kinds: Collection[str] = (),
    types: Collection[str] = (),
    merged: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[SourceBlock]:
    """Give every block of the configuration, module by module and file by file, each once.

    ``kinds`` and ``types`` (exact names; empty for all) say which are wanted: a file without any is
    not parsed. What cannot be read comes as a block with an ``error``, whatever is wanted, since
    anything could be in it.

    With ``merged`` the ``terraform`` blocks of a module come as one, as Terraform takes them, and
    every module has one, if empty. What ``terraform init`` downloaded is not part of what is under
    review, and left out.

    ``progress`` is called after each file: how many are parsed, and how many there are to parse.
    """
    directories = [(users, _choose(users.first, kinds, types)) for users in _directories(index)]
    total = sum(bool(one.blocks) for _, files in directories for one in files)
    done = 0
    for users, files in directories:
        parts: list[tuple[bool, SourceBlock]] = []
        for file, wanted in files:
            for block in wanted:
                one = _source_block(file, users, block)
                if merged and block.kind == SETTINGS:
                    parts.append((file.override, one))
                else:
                    yield one
            if wanted and progress is not None:
                done += 1
                progress(done, total)
        if merged and (not kinds or SETTINGS in kinds):
            yield settings_block(users, parts)
        for problem in users.first.source.problems:
            yield _unreadable(users, problem)


def _directories(index: SourceIndex) -> Iterator[Users]:
    """Give the modules that are under review, those that use the same directory together."""
    users: dict[int, list[ModuleNode]] = {}
    for node in index.modules():
        if not node.downloaded:
            users.setdefault(id(node.source), []).append(node)
    yield from map(Users.of, users.values())


def _choose(node: ModuleNode, kinds: Collection[str], types: Collection[str]) -> list[_Chosen]:
    return [
        _Chosen(file, [block for block in file.body.blocks if _wanted(block, kinds, types)])
        for file in node.source.files
    ]


def _wanted(block: Block, kinds: Collection[str], types: Collection[str]) -> bool:
    if kinds and block.kind not in kinds:
        return False
    return (
        not types or block.kind not in TYPED or block.labels[:1] == () or (block.labels[0] in types)
    )


def _source_block(file: SourceFile, users: Users, block: Block) -> SourceBlock:
    name = next(addresses_of(file, block), None)
    return SourceBlock(
        block.kind,
        block.labels,
        Location(file.name, block.line, block.end_line, users.first.chain),
        Addresses(users.addresses, name) if name else (file.name,),
        users.addresses,
        contents(file, block),
        partial(_find, file, users.first, block),
    )


def _find(file: SourceFile, node: ModuleNode, block: Block, path: str) -> Location:
    """Give the place of a path in a block: the line of its longest part that is there."""
    steps = path_steps(path)
    (line, end_line), _ = find_path(file.syntax, file.text or "", block, steps)
    return Location(file.name, line, end_line, node.chain)


def _unreadable(users: Users, problem: Problem) -> SourceBlock:
    location = Location(problem.file, problem.line or 1, None, users.first.chain)
    message = Contents(problem.message)
    return SourceBlock(UNREADABLE, (), location, (problem.file,), users.addresses, message)
