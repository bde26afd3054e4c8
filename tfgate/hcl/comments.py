"""Comments that speak to a tool, and the block that each of them belongs to.

A comment belongs to the top-level block that it stands in, whose last line it shares, or that
begins on the line below it, with nothing but further comments between.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tfgate.hcl.jsonsyntax import json_comments
from tfgate.hcl.paths import JSON
from tfgate.hcl.scanner import scan_comments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.hcl.index import ModuleNode, SourceIndex
    from tfgate.hcl.scanner import Block, Comment
    from tfgate.hcl.sources import SourceFile

_DECORATION = re.compile(r"^[^\S\n]*\*+(?=\s|$)", re.MULTILINE)


class Remark(NamedTuple):
    """One comment with a marker in it, in one module directory."""

    file: SourceFile
    comment: Comment
    text: str
    """Without the marks of the comment, and without the stars down its left side."""
    block: Block | None
    """The block it belongs to, if any."""
    nodes: tuple[ModuleNode, ...]
    """The modules of the tree that use the file; all are downloaded, or none."""


def remarks(index: SourceIndex, needles: Sequence[bytes]) -> Iterator[Remark]:
    """Find the comments that hold one of ``needles``.

    A file without any of them in its bytes is not looked into; one inside a string or a heredoc is
    no comment.
    """
    nodes: dict[int, list[ModuleNode]] = {}
    for node in index.modules():
        nodes.setdefault(id(node.source), []).append(node)
    wanted = [needle.decode() for needle in needles]
    for users in nodes.values():
        for file in users[0].source.files:
            if any(needle in file.data for needle in needles):
                for comment, block in _attached(file):
                    text = _plain(comment.text)
                    if any(needle in text for needle in wanted):
                        yield Remark(file, comment, text, block, tuple(users))


def _attached(file: SourceFile) -> Iterator[tuple[Comment, Block | None]]:
    if file.text is None:
        return
    blocks = file.body.blocks
    if file.syntax is JSON:
        yield from json_comments(file.text, blocks)
        return
    comments = scan_comments(file.text)
    taken = _runs(line for one in comments for line in range(one.line, one.end_line + 1))
    position = 0
    for comment in comments:
        while position < len(blocks) and blocks[position].closed < comment.start:
            position += 1
        yield comment, _owner(comment, blocks, position, taken)


def _runs(lines: Iterable[int]) -> dict[int, int]:
    """Give each line with the last of those that follow it without a gap."""
    ends: dict[int, int] = {}
    for line in sorted(set(lines), reverse=True):
        ends[line] = ends.get(line + 1, line)
    return ends


def _owner(
    comment: Comment, blocks: Sequence[Block], position: int, taken: dict[int, int]
) -> Block | None:
    """Choose between the block before, around and below; ``position`` is the first not before."""
    if position and blocks[position - 1].end_line == comment.line:
        return blocks[position - 1]
    if position == len(blocks):
        return None
    block = blocks[position]
    if block.start < comment.start:
        return block
    below = comment.end_line + 1
    return block if block.line <= below or taken.get(below, 0) >= block.line - 1 else None


def _plain(comment: str) -> str:
    if comment.startswith("/*"):
        return _DECORATION.sub("", comment[2:-2])
    return comment.lstrip("#/")
