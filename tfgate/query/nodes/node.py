"""What the compiler makes of one part of an expression."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.tree import (
    And,
    Arithmetic,
    Comparison,
    MultiSelectHash,
    MultiSelectList,
    Not,
    Or,
    Sign,
    Tree,
)
from tfgate.query.values import Maybe, truth

if TYPE_CHECKING:
    from tfgate.query.state import Closure, State, Test

_MAKES: Final[dict[type[Tree], int]] = {MultiSelectList: 2, MultiSelectHash: 8}
"""Steps of making a value, by type of part."""

_ATOMIC: Final = frozenset({Comparison, Not, Arithmetic, Sign})
_CHAINS: Final = frozenset({And, Or})


def truth_in(value: Any, state: State) -> bool | None:
    """Return the truth of a value; a list of elements that may be absent takes steps."""
    if type(value) is list and value and type(value[0]) is Maybe:
        state.spend(len(value) >> 2)
    return truth(value)


def truth_of(value: Closure) -> Test:
    """Make a condition of a closure that gives a value."""

    def test(document: Any, state: State) -> bool | None:
        found = value(document, state)
        if found is True or found is False:
            return found
        if found is None or type(found) is str:
            return bool(found)
        return truth_in(found, state)

    return test


class Node:
    """One node: its tree for `trace` and `unparse`, and its two closures."""

    def __init__(
        self,
        tree: Tree,
        value: Closure,
        condition: Test | None = None,
        children: tuple[Node, ...] = (),
    ) -> None:
        self.tree = tree
        self.value = value
        self.condition = condition
        """The closure that gives the truth, where there is a quicker one than to ask the value."""
        self.children = children
        self.weight: int = 1 + _MAKES.get(type(tree), 0) + sum(c.weight for c in children)
        """Steps of one evaluation: the parts it has, and what they make."""
        self.is_atomic: bool = type(tree) in _ATOMIC or (
            type(tree) in _CHAINS and all(child.is_atomic for child in children)
        )
        """Whether its value is never a list or object: of a rule, its truth says it all."""

    @cached_property
    def test(self) -> Test:
        """The node as a condition."""
        return self.condition or truth_of(self.value)
