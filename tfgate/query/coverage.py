"""Which conditions of an expression came out true, and which false, over several evaluations.

A condition is an operand of ``&&``, ``||`` or ``!``, what stands before a ``?``, the predicate of a
filter, or the expression
that ``any``, ``all`` and ``none`` ask of each element. Each is watched wherever it is evaluated,
inside projections too, where `trace` has one line for a whole list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tfgate.query import tree as ast
from tfgate.query.compiler import Compiler
from tfgate.query.expression import Expression
from tfgate.query.nodes.node import Node
from tfgate.query.tree import Tree, children, operands
from tfgate.query.unparse import unparse
from tfgate.query.values import truth

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tfgate.query.functions.registry import FunctionTable
    from tfgate.query.state import State, Test

_QUANTIFIERS: Final = frozenset({"any", "all", "none"})
_UNWATCHED: Final = ast.Literal | ast.MultiSelectList | ast.MultiSelectHash | ast.Not
"""Parts whose truth no document changes, or only one that is null itself; and ``!x``: what it is,
``x`` is not, so that watching ``x`` is enough."""


@dataclass
class Condition:
    """One condition, and the truth values it has had."""

    text: str
    """As JMESPath."""
    within: str
    """What it is a part of: ``&&``, ``||``, ``!``, ``? :``, ``filter``, or a function's name."""
    seen: set[bool] = field(default_factory=set)

    @property
    def missing(self) -> tuple[bool, ...]:
        """The truth values it has not had yet."""
        return tuple(value for value in (True, False) if value not in self.seen)


def watched(
    text: str, functions: FunctionTable | None = None, variables: Collection[str] = ()
) -> tuple[Expression, tuple[Condition, ...]]:
    """Compile an expression that takes note of its conditions whenever it is evaluated.

    Returns the expression and the conditions, in the order of the source. Raises as `compile` does.
    """
    watchers: list[_Watching] = []

    def watching(
        text: str, tree: Tree, table: FunctionTable, variables: Collection[str]
    ) -> Compiler:
        watchers.append(_Watching(text, tree, table, variables))
        return watchers[0]

    expression = Expression(text, functions, variables=variables, compiler_type=watching)
    return expression, tuple(watchers[0].conditions.values())


class _Watching(Compiler):
    def __init__(
        self, text: str, tree: Tree, table: FunctionTable, variables: Collection[str]
    ) -> None:
        super().__init__(text, tree, table, variables)
        self.conditions = {part: Condition(unparse(part), w) for part, w in _conditions(tree)}

    def _node(self, tree: Tree) -> Node:
        node = super()._node(tree)
        condition = self.conditions.get(tree)
        return node if condition is None else _noting(node, condition.seen)


def _conditions(tree: Tree) -> Iterator[tuple[Tree, str]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield from (own for own in _own(node) if not isinstance(own[0], _UNWATCHED))
        parts = operands(node) if isinstance(node, ast.And | ast.Or) else children(node)
        pending.extend(reversed(parts))


def _own(tree: Tree) -> Iterator[tuple[Tree, str]]:
    """Yield the conditions that a part asks for, each with what it is a part of."""
    match tree:
        case ast.And() | ast.Or():
            sign = "&&" if isinstance(tree, ast.And) else "||"
            yield from ((part, sign) for part in operands(tree))
        case ast.Not():
            yield tree.operand, "!"
        case ast.FilterProjection():
            yield tree.condition, "filter"
        case ast.Ternary():
            yield tree.condition, "? :"
        case ast.Call() if tree.name in _QUANTIFIERS:
            references = (part for part in tree.arguments if isinstance(part, ast.Reference))
            yield from ((part.body, f"{tree.name}()") for part in references)


def _noting(node: Node, seen: set[bool]) -> Node:
    def value_of(value: Any, state: State) -> Any:
        found = node.value(value, state)
        known = truth(found)
        if known is not None:
            seen.add(known)
        return found

    inner = node.condition
    return Node(
        node.tree, value_of, None if inner is None else _noting_test(inner, seen), node.children
    )


def _noting_test(test: Test, seen: set[bool]) -> Test:
    def condition(value: Any, state: State) -> bool | None:
        known = test(value, state)
        if known is not None:
            seen.add(known)
        return known

    return condition
