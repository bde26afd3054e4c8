"""Follows attribute paths through bodies, nested blocks and objects, in either syntax of HCL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tfgate.hcl.scanner import Block, Body, Element
from tfgate.hcl.sources import Declared, SourceFile

_STEP = re.compile(
    r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[[^\[\]]*\]|\.?"((?:[^"\\]|\\.)*)(?:"|\Z)'
    r'|\.?([^.\[\]"]+)|.',
    re.DOTALL,
)
"""Each part ends where another could begin, so that a hostile path is gone through once."""


def path_steps(path: str) -> list[str | int]:
    """Split an attribute path such as ``ingress[1].tags["a b"]`` into its steps.

    A step that is neither a name nor a number (``[*]``, a filter) is left out.
    """
    steps: list[str | int] = []
    for quoted, number, name_quoted, name in _STEP.findall(path):
        if number:
            steps.append(int(number[:9]))
        elif quoted or name_quoted or name:
            steps.append(quoted or name_quoted or name)
    return steps


Lines = tuple[int, int]
"""First and last line, from 1."""


def find_path(file: SourceFile, block: Block, steps: Sequence[str | int]) -> tuple[Lines, int]:
    """Return the lines of the longest known prefix of ``steps`` in ``block``, and its length.

    A name that several nested blocks have, with no number behind it, is the first of them. Blocks
    that a set holds come in another order in a plan than in the source: the number is taken as it
    is, since only the provider's schema knows.
    """
    lines = (block.line, block.end_line)
    taken = 0
    while taken < len(steps):
        name = steps[taken]
        body = file.contents(block)
        attribute = body.attributes.get(name) if isinstance(name, str) else None
        if attribute is not None:
            found, more = _in_expression(file, attribute, steps[taken + 1 :])
            return found, taken + 1 + more
        number = steps[taken + 1] if taken + 1 < len(steps) else None
        index = number if isinstance(number, int) else 0
        nested = _nested(file, body, name, index)
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


def has_step(file: SourceFile, block: Block, name: str) -> bool:
    """Say whether ``block`` has an argument or a nested block called ``name``."""
    body = file.contents(block)
    return name in body.attributes or any(is_block(one, name) for one in body.blocks)


def overriding(declared: Sequence[Declared], step: str) -> Declared:
    """Return the last override that has ``step``, or what all of them override."""
    having = [one for one in declared[1:] if has_step(one.file, one.block, step)]
    return having[-1] if having else declared[0]


def _in_expression(
    file: SourceFile, attribute: Element, steps: Sequence[str | int]
) -> tuple[Lines, int]:
    text = file.text or ""
    lines = (attribute.line, attribute.end_line)
    start, end, last = attribute.start, attribute.end, attribute.end_line
    for taken, step in enumerate(steps):
        line = last - text.count("\n", start, end)
        inner = file.syntax.elements(text, start, end, line)
        found = next((one for one in inner if one.key == step), None)
        if found is None:
            return lines, taken
        lines = (found.line, found.end_line)
        start, end, last = found.start, found.end, found.end_line
    return lines, len(steps)


def is_block(block: Block, name: str | int) -> bool:
    """Whether a block is called ``name``, or is a dynamic one that makes such blocks."""
    return block.kind == name or (block.kind == "dynamic" and block.labels == (name,))


def _nested(
    file: SourceFile, body: Body, name: str | int, index: int
) -> tuple[Lines, Block] | None:
    """Choose the nested block ``name[index]``: a dynamic one stands for all from its place on."""
    candidates = [block for block in body.blocks if is_block(block, name)]
    for number, block in enumerate(candidates):
        if block.kind == "dynamic" and name != "dynamic":
            inner = (one for one in file.contents(block).blocks if one.kind == "content")
            return (block.line, block.end_line), next(inner, block)
        if number == index:
            return (block.line, block.end_line), block
    return None


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = {"true": True, "false": False}


def alike(file: SourceFile, block: Block, name: str, element: Any) -> int | None:
    """Return the number of the one block ``name`` in ``block`` that can have made ``element``.

    ``None`` where that is none or not one alone, or where a dynamic block makes some of them. What
    is unknown in the element (or redacted) fits anything.
    """
    body = file.contents(block)
    if not isinstance(element, dict) or any(
        one.kind == "dynamic" and one.labels == (name,) for one in body.blocks
    ):
        return None
    candidates = [one for one in body.blocks if one.kind == name]
    fitting = [
        number
        for number, candidate in enumerate(candidates)
        if all(_fits(element.get(key), value) for key, value in _literals(file, candidate))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _literals(file: SourceFile, block: Block) -> Iterator[tuple[str, Any]]:
    for name, attribute in file.contents(block).attributes.items():
        written = file.written(attribute)
        if written in _WORDS:
            yield name, _WORDS[written]
        elif _NUMBER.fullmatch(written):
            yield name, float(written)
        else:
            value = file.literal(attribute)
            if value is not None:
                yield name, value


def _fits(planned: Any, written: Any) -> bool:
    """Compare as Terraform converts: ``"80"`` is 80 where a number is wanted."""
    if planned is None or not isinstance(planned, (str, int, float, bool)):
        return planned is not None
    if isinstance(written, bool) or isinstance(planned, bool):
        return str(planned).lower() == str(written).lower()
    try:
        return float(planned) == float(written)
    except ValueError:
        return str(planned) == str(written)
