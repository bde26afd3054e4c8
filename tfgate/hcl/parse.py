"""From the text of a block to its shape, with python-hcl2's grammar.

Each top-level block is parsed by itself: what the grammar cannot read costs one block, not a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.hcl.prepass import plain
from tfgate.hcl.scanner import scan, scan_body
from tfgate.hcl.shaper import Shaper
from tfgate.hcl.shapes import Failure, FileShapes

if TYPE_CHECKING:
    from lark import Lark

    from tfgate.hcl.prepass import Plain
    from tfgate.hcl.scanner import Block
    from tfgate.hcl.shapes import Body


def parse_file(lark: Lark, text: str) -> FileShapes:
    """Give the shapes of all blocks of a file, as far as the scanner reads it."""
    blocks = scan(text).blocks
    shapes = FileShapes({}, {})
    if blocks:
        rewritten = plain(text[: blocks[-1].closed + 1])
        for block in blocks:
            found = _parse_block(lark, text, rewritten, block)
            if isinstance(found, Failure):
                shapes.failures[block.start] = found
            else:
                shapes.bodies[block.start] = found
    return shapes


def _parse_block(lark: Lark, text: str, rewritten: Plain, block: Block) -> Body | Failure:
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        tree = lark.parse(rewritten.text[block.start : block.closed + 1] + "\n")
        body = Shaper(rewritten.literals, block.start).block(tree).body
    except UnexpectedInput as error:
        position: Any = error.pos_in_stream
        position = position if isinstance(position, int) else 0
        line = block.line + text.count("\n", block.start, block.start + max(position, 0))
        return Failure("python-hcl2 cannot read this block", min(line, block.end_line))
    except (LarkError, ValueError):
        return Failure("python-hcl2 cannot read this block", block.line)
    except RecursionError:
        return Failure("the block is nested too deeply to be read", block.line)
    failure = _disagreement(text, block, body)
    return body if failure is None else failure


def _disagreement(text: str, block: Block, body: Body) -> Failure | None:
    """Let scanner and parser check each other: both must see the same arguments and blocks."""
    scanned = scan_body(text, block)
    names = [text[name.start : name.end] for name, _ in body.arguments]
    if len(set(names)) < len(names):
        return Failure("an argument of this block is given twice", block.line)
    if scanned.error is not None or set(names) != set(scanned.attributes):
        return Failure("the arguments of this block cannot be told apart", block.line)
    if [one.kind.start for one in body.blocks] != [one.start for one in scanned.blocks]:
        return Failure("the blocks in this block cannot be told apart", block.line)
    for inner, nested in zip(scanned.blocks, body.blocks, strict=True):
        failure = _disagreement(text, inner, nested.body)
        if failure is not None:
            return failure
    return None
