"""Tree to closures."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tfgate.query import tree as ast
from tfgate.query.errors import ExpressionError
from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.nodes import arithmetic, binding, projecting, select
from tfgate.query.nodes import comparing as boolean
from tfgate.query.nodes.calling import call
from tfgate.query.nodes.comparing import comparator
from tfgate.query.nodes.node import Node
from tfgate.query.tree import Tree, assert_never, children, operands
from tfgate.query.unparse import unparse
from tfgate.query.values import TRUTHY, Expref, kinds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tfgate.query.functions.registry import Function, FunctionTable
    from tfgate.query.state import Closure, State


class Compiler:
    """Compiles one expression; ``calls`` and ``problems`` are what it found on the way."""

    def __init__(
        self, text: str, tree: Tree, table: FunctionTable, variables: Collection[str] = ()
    ) -> None:
        self._text = text
        self._tree = tree
        self._table = table
        self._variables = variables
        self._slots: dict[str, int] = {}
        """The variables that the ``let`` around the part at hand bind."""
        self._bindings = 0
        self._lets = 0
        """How many ``let`` the part at hand is in."""
        self._has_root = False
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        """Each call: the function's name and its arguments, `NOT_LITERAL` for computed ones."""
        self.problems: list[ExpressionError] = []
        """Parts that JMESPath accepts and that are certainly mistakes."""

    def compile(self) -> Node:
        """Compile the whole expression."""
        whole = self._node(self._tree)
        if not self._has_root:
            return whole
        value, test = binding.from_root(whole.value), binding.from_root(whole.test)
        return Node(whole.tree, value, test, whole.children)

    def _node(self, tree: Tree) -> Node:  # noqa: C901, RET503 - one case for each type
        match tree:
            case ast.Field():
                return Node(tree, select.field(tree.name))
            case ast.Literal():
                known = bool(kinds(tree.value) & TRUTHY)
                return Node(tree, select.literal(tree.value), lambda value, state: known)
            case ast.Call():
                return self._call(tree)
            case ast.Subexpression():
                return self._subexpression(tree)
            case ast.And():
                parts = self._nodes(operands(tree))
                test = boolean.all_test([part.test for part in parts])
                return Node(tree, boolean.both_value(_values(parts)), test, parts)
            case ast.Or():
                parts = self._nodes(operands(tree))
                test = boolean.any_test([part.test for part in parts])
                return Node(tree, boolean.either_value(_values(parts)), test, parts)
            case ast.Comparison():
                left, right = self._node(tree.left), self._node(tree.right)
                value, condition = comparator(tree.sign, left, right)
                return Node(tree, value, condition, (left, right))
            case ast.Not():
                operand = self._node(tree.operand)
                test = boolean.not_test(operand.test)
                return Node(tree, boolean.boolean_value(test), test, (operand,))
            case ast.Arithmetic():
                left, right = self._node(tree.left), self._node(tree.right)
                value = arithmetic.binary(tree.sign, left.value, right.value, tree.column)
                return Node(tree, value, children=(left, right))
            case ast.Sign():
                operand = self._node(tree.operand)
                value = arithmetic.unary(tree.sign, operand.value, tree.column)
                return Node(tree, value, children=(operand,))
            case ast.Ternary():
                return self._ternary(tree)
            case ast.Current() | ast.Identity():
                return Node(tree, select.current)
            case ast.Indexed():
                parts = self._nodes((tree.base, *tree.steps))
                return Node(tree, select.sequence(_values(parts)), children=parts)
            case ast.Index():
                return Node(tree, select.index(tree.position))
            case ast.Slice():
                return Node(tree, select.slicing(tree.start, tree.stop, tree.step))
            case ast.Pipe():
                parts = self._nodes(operands(tree))
                return Node(tree, select.sequence(_values(parts)), children=parts)
            case ast.Reference():
                self._refuse_in_let(tree)
                return self._reference(tree)
            case ast.Root():
                self._has_root = True
                return Node(tree, binding.root)
            case ast.Variable():
                return self._variable(tree)
            case ast.Let():
                return self._let(tree)
            case ast.MultiSelectList():
                parts = self._nodes(tree.parts)
                return Node(tree, select.multi_select_list(_values(parts)), children=parts)
            case ast.MultiSelectHash():
                parts = self._nodes([pair.value for pair in tree.pairs])
                pairs = [(p.key, part.value) for p, part in zip(tree.pairs, parts, strict=True)]
                return Node(tree, select.multi_select_hash(pairs), children=parts)
            case ast.Projection() | ast.ValueProjection() | ast.FilterProjection() | ast.Flatten():
                return self._projection(tree)
            case _:
                assert_never(tree)

    def _nodes(self, trees: Sequence[Tree]) -> tuple[Node, ...]:
        return tuple([self._node(tree) for tree in trees])

    def _subexpression(self, tree: ast.Subexpression) -> Node:
        parts = self._nodes(tree.parts)
        if isinstance(tree.parts[0], ast.Not):
            self.problems.append(self._not_before_dot(tree, tree.parts[0]))
        names = [part.name for part in tree.parts if isinstance(part, ast.Field)]
        if len(names) == len(parts):
            return Node(tree, select.chain(names), children=parts)
        return Node(tree, select.sequence(_values(parts)), children=parts)

    def _projection(
        self, tree: ast.Projection | ast.ValueProjection | ast.FilterProjection | ast.Flatten
    ) -> Node:
        base = self._node(tree.base)
        if isinstance(tree, ast.Flatten):
            return Node(tree, projecting.flatten(base.value), children=(base,))
        if isinstance(tree, ast.FilterProjection):
            predicate, body = self._node(tree.condition), self._node(tree.body)
            cost = predicate.weight + body.weight
            value = projecting.filter_projection(base.value, predicate.test, _body(body), cost)
            return Node(tree, value, children=(base, predicate, body))
        body = self._node(tree.body)
        project = (
            projecting.projection
            if isinstance(tree, ast.Projection)
            else projecting.value_projection
        )
        value = project(base.value, _body(body), body.weight)
        return Node(tree, value, children=(base, body))

    def _let(self, tree: ast.Let) -> Node:
        """Compile the bindings beside each other, and the body inside of them."""
        self._lets += 1
        values = self._nodes([bound.value for bound in tree.bindings])
        around, slots = self._slots, {}
        for bound in tree.bindings:
            if bound.name in slots or bound.name in self._variables:
                again = "twice" if bound.name in slots else "again, which is given already"
                message = f"`let` binds ${bound.name} {again}."
                position = bound.column or 0
                self.problems.append(self._error(message, position, "invalid-value", "Rename it."))
            slots[bound.name] = self._bindings
            self._bindings += 1
        first = self._bindings - len(values)
        self._slots = {**around, **slots}
        body = self._node(tree.body)
        self._slots = around
        self._lets -= 1
        bindings = [(first + number, value) for number, value in enumerate(_values(values))]
        value = binding.let(bindings, body.value)
        test = binding.let(bindings, body.test)
        node = Node(tree, value, test, (*values, body))
        node.is_atomic = body.is_atomic
        return node

    def _ternary(self, tree: ast.Ternary) -> Node:
        parts = self._nodes(children(tree))
        condition, then, otherwise = parts
        value = boolean.ternary_value(condition.test, then.value, otherwise.value)
        test = boolean.ternary_test(condition.test, then.test, otherwise.test)
        node = Node(tree, value, test, parts)
        node.is_atomic = then.is_atomic and otherwise.is_atomic
        return node

    def _variable(self, tree: ast.Variable) -> Node:
        name, position = tree.name, tree.column
        if name in self._slots:
            return Node(tree, binding.local(self._slots[name]))
        if name in self._variables:
            return Node(tree, binding.given(name, position))
        known = [*self._slots, *self._variables]
        near = get_close_matches(name, known, n=1) or sorted(known)
        hint = f"Did you mean ${near[0]}?" if len(near) == 1 else None
        if len(near) > 1:
            hint = f"There are {', '.join(f'${known}' for known in near)}."
        message = f"There is no variable ${name} here."
        raise self._error(message, position or 0, "undefined-variable", hint)

    def _refuse_in_let(self, tree: ast.Reference) -> None:
        """A reference that is a value could be applied outside of the ``let`` that it reads."""
        if self._lets:
            message = "Inside of `let`, & stands only where a function takes an expression."
            raise self._error(message, tree.column or 0, "invalid-type")

    def _argument(self, function: Function, number: int, tree: Tree) -> Node:
        if isinstance(tree, ast.Reference) and function.parameter(number).types == "expref":
            return self._reference(tree)
        return self._node(tree)

    def _reference(self, tree: ast.Reference) -> Node:
        body = self._node(tree.body)
        inner, condition, weight = body.value, body.test, body.weight

        def refer(value: Any, state: State) -> Expref:
            return Expref(inner, condition, state, weight)

        return Node(tree, refer, children=(body,))

    def _call(self, tree: ast.Call) -> Node:
        function = self._function(tree)
        at = len(self.calls)
        arguments = tuple(
            [self._argument(function, n, part) for n, part in enumerate(tree.arguments)]
        )
        literals = tuple(
            part.value if isinstance(part, ast.Literal) else NOT_LITERAL for part in tree.arguments
        )
        self.calls.insert(at, (function.name, literals))
        self._check(function, literals, tree.column or 0)
        value = call(function, arguments, tree.column)
        node = Node(tree, value, children=arguments)
        node.weight += function.cost
        node.is_atomic = function.returns == "boolean"
        return node

    def _function(self, tree: ast.Call) -> Function:
        name, position = tree.name, tree.column or 0
        function = self._table.find(name)
        if function is None:
            raise self._no_function(name, position)
        count = len(tree.arguments)
        if count < function.fewest or (function.most is not None and count > function.most):
            message = f"{name}() takes {_arity(function)}, not {count}."
            method = self._text[:position].rstrip().endswith(".")
            form = self._foreign(name, position)[1] if method else None
            hint = f"Write: {form}" if form else function.signature
            raise self._error(message, position, "invalid-arity", hint)
        return function

    def _no_function(self, name: str, position: int) -> ExpressionError:
        sentence, form = self._foreign(name, position)
        near = self._table.nearest(name)
        hint = f"Did you mean {near}()?" if near else None
        if sentence or form:
            hint = f"{sentence[:1].upper()}{sentence[1:]}." if sentence else f"Write: {form}"
        return self._error(f"There is no function {name}().", position, "unknown-function", hint)

    def _foreign(self, name: str, position: int) -> tuple[str | None, str | None]:
        """Return what a call means where the author comes from: a sentence, or an expression."""
        from tfgate.query.foreign import foreign_call, one_line  # no right expression needs it

        sentence, form = foreign_call(self._text, position, name, self._table.find)
        return sentence, form and one_line(form)

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

    def _not_before_dot(self, tree: ast.Subexpression, negation: ast.Not) -> ExpressionError:
        """Say that ``!a.b`` is ``(!a).b``, which is null whatever ``a`` is."""
        whole = unparse(ast.Subexpression(None, (negation.operand, *tree.parts[1:])))
        return self._error(
            "`!` binds tighter than the dot, so that this is always null.",
            self._text.find("!"),
            "invalid-value",
            f"Write !({whole}).",
        )

    def _error(
        self, message: str, position: int, kind: Any, hint: str | None = None
    ) -> ExpressionError:
        text = self._text
        return ExpressionError(message, expression=text, position=position, kind=kind, hint=hint)


def _body(node: Node) -> Any:
    """Return the closure of a projection's right side, None where it is the element itself."""
    return None if isinstance(node.tree, ast.Identity) else node.value


def _values(nodes: Sequence[Node]) -> list[Closure]:
    return [node.value for node in nodes]


def _arity(function: Function) -> str:
    fewest, most = function.fewest, function.most
    if most is None:
        return f"at least {fewest} argument{'s' if fewest != 1 else ''}"
    if fewest != most:
        return f"{fewest} to {most} arguments"
    return f"{fewest} argument{'s' if fewest != 1 else ''}"
