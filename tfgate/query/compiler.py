"""Tree to closures: one method for each type of node that jmespath's parser makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import ExpressionError
from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.nodes import comparing as boolean
from tfgate.query.nodes import projecting, select
from tfgate.query.nodes.calling import call
from tfgate.query.nodes.comparing import comparator
from tfgate.query.nodes.node import Ast, Node
from tfgate.query.parsing import flattened
from tfgate.query.unparse import unparse
from tfgate.query.values import TRUTHY, Expref, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.functions.registry import Function, FunctionTable
    from tfgate.query.parsing import Parsed
    from tfgate.query.state import State


class Compiler:
    """Compiles one expression; ``calls`` and ``problems`` are what it found on the way."""

    def __init__(self, parsed: Parsed, table: FunctionTable) -> None:
        self._parsed = parsed
        self._table = table
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        """Each call: the function's name and its arguments, `NOT_LITERAL` for computed ones."""
        self.problems: list[ExpressionError] = []
        """Parts that JMESPath accepts and that are certainly mistakes."""

    def compile(self) -> Node:
        """Compile the whole expression."""
        return self._node(self._parsed.tree)

    def _node(self, ast: Ast) -> Node:
        return _BUILDERS[ast["type"]](self, ast)

    def _nodes(self, asts: Sequence[Ast]) -> tuple[Node, ...]:
        return tuple(self._node(ast) for ast in asts)

    def _field(self, ast: Ast) -> Node:
        return Node(ast, select.field(ast["value"]))

    def _current(self, ast: Ast) -> Node:
        return Node(ast, select.current)

    def _literal(self, ast: Ast) -> Node:
        known = bool(kinds(ast["value"]) & TRUTHY)
        return Node(ast, select.literal(ast["value"]), lambda value, state: known)

    def _subexpression(self, ast: Ast) -> Node:
        parts = self._nodes(ast["children"])
        if parts[0].type == "not_expression":
            self.problems.append(self._not_before_dot(ast))
        if all(part.type == "field" for part in parts):
            names = [part.ast["value"] for part in parts]
            return Node(ast, select.chain(names), children=parts)
        return Node(ast, select.sequence([part.value for part in parts]), children=parts)

    def _pipe(self, ast: Ast) -> Node:
        parts = self._nodes(flattened(ast))
        return Node(ast, select.sequence([part.value for part in parts]), children=parts)

    def _index_expression(self, ast: Ast) -> Node:
        parts = self._nodes(ast["children"])
        return Node(ast, select.sequence([part.value for part in parts]), children=parts)

    def _index(self, ast: Ast) -> Node:
        return Node(ast, select.index(ast["value"]))

    def _slice(self, ast: Ast) -> Node:
        return Node(ast, select.slicing(*ast["children"]))

    def _multi_select_list(self, ast: Ast) -> Node:
        parts = self._nodes(ast["children"])
        return Node(ast, select.multi_select_list([p.value for p in parts]), children=parts)

    def _multi_select_dict(self, ast: Ast) -> Node:
        parts = self._nodes([pair["children"][0] for pair in ast["children"]])
        keys = [pair["value"] for pair in ast["children"]]
        pairs = [(key, part.value) for key, part in zip(keys, parts, strict=True)]
        return Node(ast, select.multi_select_hash(pairs), children=parts)

    def _projection(self, ast: Ast) -> Node:
        base, body = self._nodes(ast["children"])
        value = projecting.projection(base.value, _body(body), body.weight)
        return Node(ast, value, children=(base, body))

    def _value_projection(self, ast: Ast) -> Node:
        base, body = self._nodes(ast["children"])
        value = projecting.value_projection(base.value, _body(body), body.weight)
        return Node(ast, value, children=(base, body))

    def _filter_projection(self, ast: Ast) -> Node:
        found, rest, condition = ast["children"]
        base, predicate, body = self._node(found), self._node(condition), self._node(rest)
        cost = predicate.weight + body.weight
        value = projecting.filter_projection(base.value, predicate.test, _body(body), cost)
        return Node(ast, value, children=(base, predicate, body))

    def _flatten(self, ast: Ast) -> Node:
        (base,) = self._nodes(ast["children"])
        return Node(ast, projecting.flatten(base.value), children=(base,))

    def _and_expression(self, ast: Ast) -> Node:
        return self._chain(ast, boolean.all_test, boolean.both_value)

    def _or_expression(self, ast: Ast) -> Node:
        return self._chain(ast, boolean.any_test, boolean.either_value)

    def _chain(self, ast: Ast, test: Callable[..., Any], value: Callable[..., Any]) -> Node:
        parts = self._nodes(flattened(ast))
        tests = [part.test for part in parts]
        return Node(ast, value([part.value for part in parts]), test(tests), parts)

    def _not_expression(self, ast: Ast) -> Node:
        (operand,) = self._nodes(ast["children"])
        test = boolean.not_test(operand.test)
        return Node(ast, boolean.boolean_value(test), test, (operand,))

    def _comparator(self, ast: Ast) -> Node:
        left, right = self._nodes(ast["children"])
        value, test = comparator(ast["value"], left, right)
        return Node(ast, value, test, (left, right))

    def _expref(self, ast: Ast) -> Node:
        (body,) = self._nodes(ast["children"])
        inner, condition, weight = body.value, body.test, body.weight

        def refer(value: Any, state: State) -> Expref:
            return Expref(inner, condition, state, weight)

        return Node(ast, refer, children=(body,))

    def _function_expression(self, ast: Ast) -> Node:
        function = self._function(ast)
        position = self._parsed.positions.get(id(ast))
        at = len(self.calls)
        arguments = self._nodes(ast["children"])
        literals = tuple(a.ast["value"] if a.is_literal else NOT_LITERAL for a in arguments)
        self.calls.insert(at, (function.name, literals))
        self._check(function, literals, position or 0)
        value = call(function, arguments, position)
        node = Node(ast, value, children=arguments)
        node.weight += function.cost
        node.is_atomic = function.returns == "boolean"
        return node

    def _function(self, ast: Ast) -> Function:
        name, position = ast["value"], self._parsed.positions.get(id(ast), 0)
        function = self._table.find(name)
        if function is None:
            near = self._table.nearest(name)
            hint = f"Did you mean {near}()?" if near else None
            raise self._error(f"There is no function {name}().", position, "unknown-function", hint)
        count = len(ast["children"])
        if count < function.fewest or (function.most is not None and count > function.most):
            message = f"{name}() takes {_arity(function)}, not {count}."
            raise self._error(message, position, "invalid-arity", function.signature)
        return function

    def _check(self, function: Function, literals: tuple[Any, ...], position: int) -> None:
        """Look at the arguments that are written out."""
        for index, found in enumerate(literals):
            parameter = function.parameter(index)
            if found is NOT_LITERAL or kinds(found) & parameter.mask:
                continue
            message = f"{function.name}() takes {parameter.types} as {parameter.name}."
            error = self._error(message, position, "invalid-type", function.signature)
            if not function.standard:
                raise error
            self.problems.append(error)
        padded = literals + (NOT_LITERAL,) * (len(function.parameters) - len(literals))
        complaint = function.check(padded) if function.check else None
        if complaint:
            raise self._error(f"{function.name}(): {complaint}", position, "invalid-value")

    def _not_before_dot(self, ast: Ast) -> ExpressionError:
        """Say that ``!a.b`` is ``(!a).b``, which is null whatever ``a`` is."""
        operand = ast["children"][0]["children"][0]
        whole = unparse({"type": "subexpression", "children": [operand, *ast["children"][1:]]})
        return self._error(
            "`!` binds tighter than the dot, so that this is always null.",
            self._parsed.text.find("!"),
            "invalid-value",
            f"Write !({whole}).",
        )

    def _error(
        self, message: str, position: int, kind: Any, hint: str | None = None
    ) -> ExpressionError:
        text = self._parsed.text
        return ExpressionError(message, expression=text, position=position, kind=kind, hint=hint)


def _body(node: Node) -> Any:
    """Give the closure of a projection's right side, None where it is the element itself."""
    return None if node.type == "identity" else node.value


def _arity(function: Function) -> str:
    fewest, most = function.fewest, function.most
    if most is None:
        return f"at least {fewest} argument{'s' if fewest != 1 else ''}"
    if fewest != most:
        return f"{fewest} to {most} arguments"
    return f"{fewest} argument{'s' if fewest != 1 else ''}"


_BUILDERS: Final[dict[str, Callable[[Compiler, Ast], Node]]] = {
    "field": Compiler._field,
    "current": Compiler._current,
    "identity": Compiler._current,
    "literal": Compiler._literal,
    "subexpression": Compiler._subexpression,
    "pipe": Compiler._pipe,
    "index_expression": Compiler._index_expression,
    "index": Compiler._index,
    "slice": Compiler._slice,
    "multi_select_list": Compiler._multi_select_list,
    "multi_select_dict": Compiler._multi_select_dict,
    "projection": Compiler._projection,
    "value_projection": Compiler._value_projection,
    "filter_projection": Compiler._filter_projection,
    "flatten": Compiler._flatten,
    "and_expression": Compiler._and_expression,
    "or_expression": Compiler._or_expression,
    "not_expression": Compiler._not_expression,
    "comparator": Compiler._comparator,
    "expref": Compiler._expref,
    "function_expression": Compiler._function_expression,
}
