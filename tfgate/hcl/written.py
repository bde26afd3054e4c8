"""The expressions and dynamic blocks of a configuration as text, as `tfgate.plan.pointing` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tfgate.hcl.index import SourceIndex
from tfgate.hcl.paths import is_block, overriding
from tfgate.hcl.scanner import Block
from tfgate.hcl.sources import JSON, Declared, ModuleSource, SourceFile
from tfgate.hcl.values import evaluate

NOT_SET = "null"
"""The expression of an argument that a block does not set."""


class SourceText:
    """What `tfgate.plan.Plan.use_sources` takes. ``None`` always says that nobody knows.

    Nothing is said of a module of which a file could not be read: it might override what others
    say.
    """

    def __init__(self, index: SourceIndex) -> None:
        self._index = index
        self._dynamic: dict[tuple[tuple[str, ...], str], Mapping[str, Sequence[str]] | None] = {}

    def expression(self, module: Sequence[str], block: str, path: Sequence[str]) -> str | None:
        """Return the expression of an argument, `NOT_SET` where a block at hand does not set it."""
        source = self._source(module)
        if source is None:
            return None
        if block.startswith("local."):
            name = block.removeprefix("local.")
            owner = source.locals.get(name)
            return None if owner is None or path else _attribute(owner.file, owner.block, name)
        declared = source.declared.get(block)
        return _argument(declared, path) if declared and path else None

    def dynamic(self, module: Sequence[str], block: str) -> Mapping[str, Sequence[str]] | None:
        """Return, by label, the ``for_each`` of each ``dynamic`` block at any depth of a block."""
        asked = (tuple(module), block)
        if asked not in self._dynamic:
            self._dynamic[asked] = self._find_dynamic(*asked)
        return self._dynamic[asked]

    def evaluate(self, text: str, resolve: Callable[[str], Any]) -> Any:
        """Return what an expression comes to; see `tfgate.hcl.values.evaluate`."""
        return evaluate(text, resolve)

    def _find_dynamic(
        self, module: tuple[str, ...], block: str
    ) -> Mapping[str, Sequence[str]] | None:
        source = self._source(module)
        declared = None if source is None else source.declared.get(block)
        if not declared or any(one.file.syntax is JSON for one in declared):
            return None
        found: dict[str, list[str]] = {}
        for one in declared:
            for dynamic in _dynamic_in(one.file, one.block):
                over = _attribute(one.file, dynamic, "for_each")
                if over is None or len(dynamic.labels) != 1:
                    return None
                found.setdefault(dynamic.labels[0], []).append(over)
        return found

    def _source(self, module: Sequence[str]) -> ModuleSource | None:
        node = self._index.module(tuple(module))
        return None if node is None or not node.source.complete else node.source


def _argument(declared: Sequence[Declared], path: Sequence[str]) -> str | None:
    file, block = overriding(declared, path[0])
    for step in path[:-1]:
        inner = [one for one in file.contents(block).blocks if is_block(one, step)]
        if len(inner) != 1 or inner[0].kind == "dynamic":
            return None
        block = inner[0]
    return _attribute(file, block, path[-1])


def _attribute(file: SourceFile, block: Block, name: str) -> str | None:
    body = file.contents(block)
    if body.error is not None or any(is_block(one, name) for one in body.blocks):
        return None
    attribute = body.attributes.get(name)
    if attribute is None:
        return NOT_SET
    if file.syntax is JSON:
        text = file.literal(attribute)
        return None if text is None else f'"{text}"'
    return file.written(attribute)


def _dynamic_in(file: SourceFile, block: Block) -> Iterator[Block]:
    stack = [block]
    while stack:
        current = stack.pop()
        for inner in file.contents(current).blocks:
            stack.append(inner)
            if inner.kind == "dynamic":
                yield inner
