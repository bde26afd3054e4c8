"""What the compiler makes of one node of the parsed expression."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.values import Maybe, truth

if TYPE_CHECKING:
    from tfgate.query.state import Closure, State, Test

_MAKES: Final = {"multi_select_list": 2, "multi_select_dict": 8}
"""Steps of making a value, by type of node."""

_ATOMIC: Final = frozenset({"comparator", "not_expression"})
_CHAINS: Final = frozenset({"and_expression", "or_expression"})

Ast = dict[str, Any]
"""A node as jmespath's parser gives it: ``type``, ``children`` and sometimes ``value``."""


def truth_in(value: Any, state: State) -> bool | None:
    """Give the truth of a value; that of a list all of whose elements may be absent takes long."""
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
        ast: Ast,
        value: Closure,
        condition: Test | None = None,
        children: tuple[Node, ...] = (),
    ) -> None:
        self.ast = ast
        self.value = value
        self.condition = condition
        """The closure that gives the truth, where there is a quicker one than to ask the value."""
        self.children = children
        self.weight: int = 1 + _MAKES.get(ast["type"], 0) + sum(c.weight for c in children)
        """Steps of one evaluation: the parts it has, and what they make."""
        self.is_atomic: bool = ast["type"] in _ATOMIC or (
            ast["type"] in _CHAINS and all(child.is_atomic for child in children)
        )
        """Whether its value is never a list or object: of a rule, its truth says it all."""

    @cached_property
    def test(self) -> Test:
        """The node as a condition."""
        return self.condition or truth_of(self.value)

    @property
    def type(self) -> str:
        """The node's type in jmespath's words, such as ``comparator``."""
        return str(self.ast["type"])

    @property
    def is_literal(self) -> bool:
        """Whether the node has one value whatever the document."""
        return self.type == "literal"
