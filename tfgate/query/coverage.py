"""Which conditions of an expression came out true, and which false, over several evaluations.

A condition is an operand of ``&&``, ``||`` or ``!``, the predicate of a filter, or the expression
that ``any``, ``all`` and ``none`` ask of each element. Each is watched wherever it is evaluated,
inside projections too, where `trace` has one line for a whole list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.compiler import Compiler
from tfgate.query.expression import Expression
from tfgate.query.nodes.node import Node
from tfgate.query.parsing import children, flattened
from tfgate.query.unparse import unparse
from tfgate.query.values import truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.query.functions.registry import FunctionTable
    from tfgate.query.nodes.node import Ast
    from tfgate.query.parsing import Parsed
    from tfgate.query.state import State, Test

_CHAINS: Final = {"and_expression": "&&", "or_expression": "||"}
_QUANTIFIERS: Final = frozenset({"any", "all", "none"})
_CONSTANT: Final = frozenset({"literal", "multi_select_list", "multi_select_dict"})
"""Types whose truth no document changes, or only one that is null itself."""


@dataclass
class Condition:
    """One condition, and the truth values it has had."""

    text: str
    """As JMESPath."""
    within: str
    """What it is a part of: ``&&``, ``||``, ``!``, ``filter``, or the name of a function."""
    seen: set[bool] = field(default_factory=set)

    @property
    def missing(self) -> tuple[bool, ...]:
        """The truth values it has not had yet."""
        return tuple(value for value in (True, False) if value not in self.seen)


def watched(
    text: str, functions: FunctionTable | None = None
) -> tuple[Expression, tuple[Condition, ...]]:
    """Compile an expression that takes note of its conditions whenever it is evaluated.

    Gives the expression and the conditions, in the order of the source. Raises as `compile` does.
    """
    watchers: list[_Watching] = []

    def watching(parsed: Parsed, table: FunctionTable) -> Compiler:
        watchers.append(_Watching(parsed, table))
        return watchers[0]

    expression = Expression(text, functions, compiler_type=watching)
    return expression, tuple(watchers[0].conditions.values())


class _Watching(Compiler):
    def __init__(self, parsed: Parsed, table: FunctionTable) -> None:
        super().__init__(parsed, table)
        self.conditions = {
            id(ast): Condition(unparse(ast), within) for ast, within in _conditions(parsed.tree)
        }

    def _node(self, ast: Ast) -> Node:
        node = super()._node(ast)
        condition = self.conditions.get(id(ast))
        return node if condition is None else _noting(node, condition.seen)


def _conditions(tree: Ast) -> Iterator[tuple[Ast, str]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        parts = flattened(node) if node["type"] in _CHAINS else children(node)
        for part, within in _own(node, parts):
            # What `!x` is, x is not: one of the two tells both.
            if part["type"] not in _CONSTANT and part["type"] != "not_expression":
                yield part, within
        pending.extend(reversed(parts))


def _own(node: Ast, parts: list[Ast]) -> Iterator[tuple[Ast, str]]:
    kind = node["type"]
    if kind in _CHAINS:
        yield from ((part, _CHAINS[kind]) for part in parts)
    elif kind == "not_expression":
        yield parts[0], "!"
    elif kind == "filter_projection":
        yield node["children"][2], "filter"
    elif kind == "function_expression" and node["value"] in _QUANTIFIERS:
        exprefs = (part for part in parts if part["type"] == "expref")
        yield from ((part["children"][0], f"{node['value']}()") for part in exprefs)


def _noting(node: Node, seen: set[bool]) -> Node:
    def value_of(value: Any, state: State) -> Any:
        found = node.value(value, state)
        known = truth(found)
        if known is not None:
            seen.add(known)
        return found

    inner = node.condition
    return Node(
        node.ast, value_of, None if inner is None else _noting_test(inner, seen), node.children
    )


def _noting_test(test: Test, seen: set[bool]) -> Test:
    def condition(value: Any, state: State) -> bool | None:
        known = test(value, state)
        if known is not None:
            seen.add(known)
        return known

    return condition
