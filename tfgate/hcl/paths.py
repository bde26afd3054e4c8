"""Follows addresses and attribute paths, through modules, bodies, nested blocks and objects.

HCL's two syntaxes, native (``.tf``) and JSON (``.tf.json``), are behind one interface here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tfgate.hcl.jsonsyntax import json_body, json_elements, json_literal, scan_json
from tfgate.hcl.scanner import elements, scan, scan_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.hcl.scanner import Attribute, Block, Body, Element

_PLAIN_STRING = re.compile(r'\s*"([^"\\$%\n]*)"\s*')


class Syntax(NamedTuple):
    """What the rest of the room asks of a syntax; texts are whole files, offsets in characters."""

    name: str
    scan: Callable[[str], Body]
    """The blocks at the top of a file."""
    body: Callable[[str, Block], Body]
    """What stands directly in a block."""
    elements: Callable[[str, int, int, int], list[Element]]
    """The elements of the object or tuple at ``text[start:end]``, whose line is given last."""
    literal: Callable[[str, int, int], str | None]
    """The plain string at ``text[start:end]``, or ``None``."""


def _native_literal(text: str, start: int, end: int) -> str | None:
    found = _PLAIN_STRING.fullmatch(text, start, end)
    return None if found is None else found.group(1)


NATIVE = Syntax("native", scan, scan_body, elements, _native_literal)
JSON = Syntax("json", scan_json, json_body, json_elements, json_literal)


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


def find_path(
    syntax: Syntax, text: str, block: Block, steps: Sequence[str | int]
) -> tuple[Lines, int]:
    """Return the lines of the longest known prefix of ``steps`` in ``block``, and its length.

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


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = {"true": True, "false": False}


def alike(syntax: Syntax, text: str, block: Block, name: str, element: Any) -> int | None:
    """Return the number of the one block ``name`` in ``block`` that can have made ``element``.

    ``None`` where that is none or not one alone, or where a dynamic block makes some of them. What
    is unknown in the element (or hidden) fits anything.
    """
    body = syntax.body(text, block)
    if not isinstance(element, dict) or any(
        one.kind == "dynamic" and one.labels == (name,) for one in body.blocks
    ):
        return None
    candidates = [one for one in body.blocks if one.kind == name]
    fitting = [
        number
        for number, candidate in enumerate(candidates)
        if all(_fits(element.get(key), value) for key, value in _literals(syntax, text, candidate))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _literals(syntax: Syntax, text: str, block: Block) -> Iterator[tuple[str, Any]]:
    for name, attribute in syntax.body(text, block).attributes.items():
        written = text[attribute.start : attribute.end].strip()
        if written in _WORDS:
            yield name, _WORDS[written]
        elif _NUMBER.fullmatch(written):
            yield name, float(written)
        else:
            value = syntax.literal(text, attribute.start, attribute.end)
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
