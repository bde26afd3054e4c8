"""Loops over the elements of what may be a list, as projections are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.query.codegen.source import Atom, Source, direct, made

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Loop:
    """A loop that fills a list; ``cost`` is what each element takes, in steps."""

    empty = "[]"

    def __init__(self, source: Source, base: Atom, cost: int) -> None:
        self._source = source
        self._base = base.name
        self._cost = cost
        self._is_list = base.kind is list
        self._blocks: list[AbstractContextManager[None]] = []
        self.element = Atom(source.fresh())
        """An element, inside of the loop."""
        self.out = source.fresh()

    @property
    def result(self) -> Atom:
        """What the loop comes to: a list, or null where there was none."""
        return made(self.out, list) if self._is_list else direct(self.out)

    def take(self, name: str) -> str:
        """Give the line that takes a value."""
        return f"{self.out}.append({name})"

    def __enter__(self) -> Loop:
        """Write what stands before the body."""
        source, x = self._source, self._base
        if not self._is_list:
            with source.block(f"if type({x}) is not list"):
                source.line(f"{self.out} = nil({x})")
            self._open("else")
        source.spend(f"len({x}) * {self._cost}" if self._cost != 1 else f"len({x})")
        source.line(f"{self.out} = {self.empty}")
        self._open(f"for {self.element.name} in {x}")
        return self

    def __exit__(self, *error: object) -> None:
        """End the blocks."""
        while error[0] is None and self._blocks:
            self._blocks.pop().__exit__(None, None, None)

    def _open(self, header: str) -> None:
        block = self._source.block(header)
        block.__enter__()
        self._blocks.append(block)


class Finds(Loop):
    """A loop of which nothing is asked but whether it takes a value: it comes to true then."""

    empty = "False"

    @property
    def result(self) -> Atom:
        """What the loop comes to: whether a value was taken, or null where there was no list."""
        return direct(self.out)

    def take(self, name: str) -> str:
        """Give the line that takes a value."""
        return f"{self.out} = True"
