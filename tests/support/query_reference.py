"""A second evaluator for what the jmespath package lacks: its own interpreter, and nothing clever.

It walks the nodes of the parser. A variable is evaluated anew wherever it stands.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

from jmespath.visitor import TreeInterpreter

from tfgate.query.grammar import Parser

_COMPUTE: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


class Reference(TreeInterpreter):  # type: ignore[misc]  # the package has no types
    """Evaluates one expression on one document."""

    def __init__(self, document: Any) -> None:
        super().__init__()
        self._document = document
        self._scope: dict[str, Any] = {}

    def visit_root(self, node: Any, value: Any) -> Any:
        """``$``."""
        return self._document

    def visit_let(self, node: Any, value: Any) -> Any:
        """``let $a = x in body``."""
        *bindings, body = node["children"]
        bound = {b["value"]: (b["children"][0], value, self._scope) for b in bindings}
        return self._within({**self._scope, **bound}, body, value)

    def visit_variable(self, node: Any, value: Any) -> Any:
        """``$a``."""
        expression, on, scope = self._scope[node["value"]]
        return self._within(scope, expression, on)

    def _within(self, scope: dict[str, Any], node: Any, value: Any) -> Any:
        around, self._scope = self._scope, scope
        try:
            return self.visit(node, value)
        finally:
            self._scope = around

    def visit_ternary(self, node: Any, value: Any) -> Any:
        """``a ? b : c``."""
        condition, then, otherwise = node["children"]
        branch = then if self._is_true(self.visit(condition, value)) else otherwise
        return self.visit(branch, value)

    def visit_arithmetic(self, node: Any, value: Any) -> Any:
        """``a + b``."""
        left, right = (_number(self.visit(child, value)) for child in node["children"])
        if node["value"] == "/":
            whole = type(left) is type(right) is int and left // right * right == left
            return _number(left // right if whole else left / right)
        return _number(_COMPUTE[node["value"]](left, right))

    def visit_sign(self, node: Any, value: Any) -> Any:
        """``-a``."""
        operand = _number(self.visit(node["children"][0], value))
        return -operand if node["value"] == "-" else operand


def _number(value: Any) -> Any:
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
        raise ValueError(value)
    return value


def search(text: str, document: Any) -> Any:
    """Evaluate as ``jmespath.search`` does."""
    return Reference(document).visit(Parser().parse(text).parsed, document)
