"""Follows an attribute path through bodies, nested and dynamic blocks, objects and tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.hcl.scanner import Attribute, Block, Body
    from tfgate.hcl.syntax import Syntax

Lines = tuple[int, int]
"""First and last line, from 1."""


def find_path(
    syntax: Syntax, text: str, block: Block, steps: Sequence[str | int]
) -> tuple[Lines, int]:
    """Give the lines of the longest known prefix of ``steps`` in ``block``, and its length.

    A name that several nested blocks have, with no number behind it, is the first of them. Blocks
    that a set holds come in another order in a plan than in the source: the number is taken as it
    is, since only the provider's schema knows.
    """
    lines = (block.line, block.end_line)
    taken = 0
    while taken < len(steps):
        name = steps[taken]
        body = syntax.body(text, block)
        attribute = body.attributes.get(name) if isinstance(name, str) else None
        if attribute is not None:
            found, more = _in_expression(syntax, text, attribute, steps[taken + 1 :])
            return found, taken + 1 + more
        number = steps[taken + 1] if taken + 1 < len(steps) else None
        index = number if isinstance(number, int) else 0
        nested = _nested(syntax, text, body, name, index)
        if nested is None:
            break
        lines, block = nested
        taken += 2 if isinstance(number, int) else 1
        taken += _labels_taken(block, steps[taken:])
    return lines, min(taken, len(steps))


def _labels_taken(block: Block, steps: Sequence[str | int]) -> int:
    """Count the steps that are the block's labels: ``backend[0].s3.encrypt``."""
    count = len(block.labels)
    return count if count and tuple(steps[:count]) == tuple(block.labels) else 0


def has_step(syntax: Syntax, text: str, block: Block, name: str) -> bool:
    """Say whether ``block`` has an argument or a nested block called ``name``."""
    body = syntax.body(text, block)
    return name in body.attributes or any(_is(one, name) for one in body.blocks)


def _in_expression(
    syntax: Syntax, text: str, attribute: Attribute, steps: Sequence[str | int]
) -> tuple[Lines, int]:
    lines = (attribute.line, attribute.end_line)
    start, end, last = attribute.start, attribute.end, attribute.end_line
    for taken, step in enumerate(steps):
        line = last - text.count("\n", start, end)
        inner = syntax.elements(text, start, end, line)
        found = next((one for one in inner if one.key == step), None)
        if found is None:
            return lines, taken
        lines = (found.line, found.end_line)
        start, end, last = found.start, found.end, found.end_line
    return lines, len(steps)


def _is(block: Block, name: str | int) -> bool:
    return block.kind == name or (block.kind == "dynamic" and block.labels == (name,))


def _nested(
    syntax: Syntax, text: str, body: Body, name: str | int, index: int
) -> tuple[Lines, Block] | None:
    """Choose the nested block ``name[index]``: a dynamic one stands for all from its place on."""
    candidates = [block for block in body.blocks if _is(block, name)]
    for number, block in enumerate(candidates):
        if block.kind == "dynamic" and name != "dynamic":
            inner = syntax.body(text, block)
            content = next((one for one in inner.blocks if one.kind == "content"), block)
            return (block.line, block.end_line), content
        if number == index:
            return (block.line, block.end_line), block
    return None
