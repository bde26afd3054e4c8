"""One ``references`` list of the configuration, taken apart.

Terraform writes every step of a reference: ``aws_s3_bucket.b["x"].id`` comes as itself, then
``aws_s3_bucket.b["x"]``, then ``aws_s3_bucket.b``. The shorter ones that directly follow are
shadows of the first and no mentions of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STEP: Final = re.compile(r'\.?([^.\[\]]+)|\[("(?:[^"\\]|\\.)*"|[^\[\]]*)\]')
_REPEATING: Final = frozenset({"each", "count"})
_HARMLESS: Final = frozenset({"path", "terraform", "tofu", "self", "caller"})
"""Heads of references to no object of a plan."""
_TYPED: Final = frozenset({"data", "ephemeral", "action"})


class Mention(NamedTuple):
    """One thing that an expression refers to."""

    kind: str
    """``resource``, ``var``, ``output``, ``module``, ``each``, ``key`` or ``lossy``."""
    name: str
    """Address within the module, or name of the variable, output or module call."""
    key: str | None = None
    """Key of the instance as written (``"x"`` or ``0``), where it is a constant."""
    module: str = ""
    """For ``output``: the module call."""


def leaves(part: Any) -> Iterator[list[str]]:
    """Yield the ``references`` of every expression in an expression, block or list of blocks."""
    stack = [part]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(node)
        elif type(node) is dict:
            references = node.get("references")
            if type(references) is list:
                yield [reference for reference in references if type(reference) is str]
            stack.extend(value for key, value in node.items() if key != "constant_value")


def mentions(references: Sequence[str]) -> list[Mention]:
    """Take a ``references`` list apart, shadows left out."""
    found: list[Mention] = []
    previous = ""
    for reference in references:
        if not _is_shadow(reference, previous):
            mention = _mention(reference)
            if mention is not None:
                found.append(mention)
        previous = reference
    return found


def _is_shadow(reference: str, previous: str) -> bool:
    return (
        len(reference) < len(previous)
        and previous.startswith(reference)
        and previous[len(reference)] in ".["
    )


def _mention(reference: str) -> Mention | None:
    """Take one reference apart; None for what is no object of a plan."""
    steps = [(match[1], match[2]) for match in _STEP.finditer(reference)]
    names = [name for name, _ in steps]
    head = names[0] if names else None
    if head in _HARMLESS:
        return None
    if head in _REPEATING:
        return Mention("each" if names[1:2] == ["value"] else "key", head or "")
    if head == "var" and len(names) > 1 and names[1]:
        return Mention("var", names[1])
    if head == "module":
        return _module_mention(steps)
    start = 1 if head in _TYPED else 0
    if head in (None, "local") or len(names) < start + 2 or not all(names[: start + 2]):
        return Mention("lossy", reference)
    key = steps[start + 2][1] if len(steps) > start + 2 else None
    return Mention("resource", ".".join(str(name) for name in names[: start + 2]), key)


def _module_mention(steps: Sequence[tuple[str | None, str | None]]) -> Mention:
    names = [name for name, _ in steps]
    if len(names) < 2 or not names[1]:
        return Mention("lossy", "module")
    key = steps[2][1] if len(steps) > 2 else None
    rest = steps[3:] if key is not None else steps[2:]
    if not rest or not rest[0][0]:
        return Mention("module", names[1], key)
    return Mention("output", rest[0][0], key, module=names[1])
