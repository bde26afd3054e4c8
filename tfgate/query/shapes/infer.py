"""Walks an expression's tree with shapes in place of values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from tfgate.query import tree as ast
from tfgate.query.shapes import comparing, functions, projecting
from tfgate.query.shapes.env import (
    Compared,
    Env,
    Read,
    Remark,
    RemarkKind,
    with_bound,
    with_facts,
    within,
)
from tfgate.query.shapes.facts import FactFinder, Facts, holds, path_of, steps_of, written
from tfgate.query.shapes.shape import (
    ANY,
    BOOLEAN,
    NULL_SHAPE,
    Shape,
    list_of,
    object_of,
    of_value,
    union,
)
from tfgate.query.tree import Tree, assert_never, operands
from tfgate.query.unparse import unparse
from tfgate.query.values import ANYTHING, FALSE, FALSY, LISTS, NULL, OBJECTS, TRUE, TRUTHY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.expression import Expression
    from tfgate.query.functions.registry import FunctionTable


_CALLS: Final = 20_000
"""Nodes that one walk may look at; after that everything may be anything."""


class Names(Protocol):
    """What variables and functions that name something refer to."""

    def variable(self, name: str) -> Expression | None:
        """Return the expression that ``$name`` evaluates on the document, if that is what it is."""

    def given(self, name: str) -> Shape | None:
        """Return the shape of ``$name`` where it is a value: ``$params``, an object of them."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> Shape | None:
        """Return what a function that needs a scope gives for literal arguments."""


class Nameless:
    """No names at all."""

    def variable(self, name: str) -> Expression | None:
        """There is none."""
        return None

    def given(self, name: str) -> Shape | None:
        """Nothing is known."""
        return None

    def call(self, name: str, arguments: tuple[Any, ...]) -> Shape | None:
        """Nothing is known."""
        return None


@dataclass
class Inference:
    """What one walk found."""

    shape: Shape
    remarks: list[Remark] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    visited: set[tuple[int | None, str]] = field(default_factory=set)
    """Position and text of every part that was reached."""
    variables: list[tuple[str, Inference]] = field(default_factory=list)
    """For each ``$name`` that is an expression, what walking it found where it was reached."""
    facts: Callable[[bool], Facts] = lambda truth: {}
    """What holds of the root where the whole is truthy, or falsy."""


def infer(
    expression: Expression,
    root: Shape,
    *,
    names: Names | None = None,
    table: FunctionTable,
    facts: Facts | None = None,
    polarity: bool | None = True,
) -> Inference:
    """Say what an expression comes to on documents of the shape ``root``, and what is odd in it."""
    walk = Walk(expression, names or Nameless(), table)
    return walk.run(root, facts or {}, polarity)


class Walk:
    """One walk over one expression and one root shape."""

    def __init__(
        self,
        expression: Expression,
        names: Names,
        table: FunctionTable,
        inside: tuple[str, ...] = (),
        left: int = _CALLS,
    ) -> None:
        self.tree = expression.node.tree
        self.names = names
        self.table = table
        self.found = Inference(ANY)
        self.root = ANY
        self._inside = inside
        """Names of the ``let`` values that this walk is part of."""
        self._left = left
        self.finder = FactFinder(table, self._variable_tree, self._elements)

    def run(self, root: Shape, facts: Facts, polarity: bool | None) -> Inference:
        """Walk the whole expression."""
        self.root = root
        env = with_facts(Env(root, {}, polarity, is_root=True), facts)
        self.found.shape = self.node(self.tree, env)
        self.found.facts = lambda truth: self.finder.find(self.tree, truth)
        return self.found

    def node(self, tree: Tree, env: Env) -> Shape:
        """Return the shape of a part."""
        self._left -= 1
        if self._left < 0:
            return ANY
        self._visit(tree)
        shape = self._shape(tree, env)
        path = path_of(tree) if env.facts else None
        return holds(env.facts, path, shape) if path is not None else shape

    def remark(self, kind: RemarkKind, tree: Tree, shape: Shape, text: str, **more: Any) -> None:
        """Remark on a part."""
        part = (tree.column, unparse(tree))
        self.found.remarks.append(Remark(kind, part, text, shape, **more))

    def compare(
        self, sign: str, tree: Tree, path: str, shapes: tuple[Shape, Shape], env: Env
    ) -> None:
        """Take note of a comparison."""
        compared = Compared(sign, tree.column, unparse(tree), path, *shapes, env.polarity)
        self.found.compared.append(compared)

    def _visit(self, tree: Tree) -> None:
        self.found.visited.add((tree.column, unparse(tree)))

    def _variable_tree(self, tree: Tree) -> Tree | None:
        name = tree.name if isinstance(tree, ast.Variable) else None
        named = self.names.variable(name) if name is not None else None
        return named.node.tree if named is not None else None

    def _elements(self, tree: Tree) -> int:
        """Return the kinds of the elements of a parameter."""
        shape = None
        match tree:
            case ast.Subexpression(parts=(ast.Variable(name=given), ast.Field(name=name))):
                shape = ((self.names.given(given) or ANY).fields or {}).get(name)
        return ANYTHING if shape is None or shape.element is None else shape.element.mask

    def _variable(self, name: str, env: Env) -> Shape:
        if name in env.bound:
            return env.bound[name]
        given = self.names.given(name)
        return self.variable(name, env) if given is None else given

    def variable(self, name: str, env: Env) -> Shape:
        """Return the shape of a ``let`` value, which sees the root whatever it is called beside."""
        named = self.names.variable(name)
        if named is None or name in self._inside or len(self._inside) > 20:
            return ANY
        walk = Walk(named, self.names, self.table, (*self._inside, name), self._left)
        found = walk.run(self.root, env.facts if env.is_root else env.root_facts, env.polarity)
        self._left = walk._left
        self.found.variables += [(name, found), *found.variables]
        return found.shape

    def step(self, tree: ast.Field, current: Shape, path: str) -> Shape:
        """Return the shape of a field of the current value; ``path`` is how it is written."""
        name = tree.name
        if not current.mask & OBJECTS:
            kind = RemarkKind.FIELD_OF_LIST if current.mask & LISTS else RemarkKind.FIELD_OF_SCALAR
            if current.mask & ~NULL:
                self.remark(kind, tree, current, path, detail=name)
            else:  # of null there is nothing to say
                self.found.visited.discard((tree.column, unparse(tree)))
            return NULL_SHAPE
        if current.fields is None:
            return ANY
        found = current.fields.get(name)
        if found is None and current.rest is None:
            self.remark(RemarkKind.UNKNOWN_FIELD, tree, current, path, detail=name)
            return NULL_SHAPE
        shape = found if found is not None else current.rest or ANY
        if current.mask & ~OBJECTS:
            shape = shape.or_null(current.why_null if current.mask & NULL else None)
        self.found.reads.append(Read(path, (tree.column, unparse(tree)), shape))
        return shape

    def _shape(self, tree: Tree, env: Env) -> Shape:  # noqa: C901, RET503 - one case for each type
        match tree:
            case ast.Field():
                if env.is_root and tree.name == "null":
                    return NULL_SHAPE
                return self.step(tree, env.current, within(env, unparse(tree)))
            case ast.Root():
                return self.root
            case ast.Variable():
                return self._variable(tree.name, env)
            case ast.Let():
                plain = env.plain()
                bound = {b.name: self.node(b.value, plain) for b in tree.bindings}
                return self.node(tree.body, with_bound(env, bound))
            case ast.Literal():
                return of_value(tree.value)
            case ast.Call():
                return functions.call(self, tree, env)
            case ast.Subexpression() | ast.Indexed():
                return self._sequence(tree, env)
            case ast.Current() | ast.Identity():
                return env.current
            case ast.Comparison():
                return comparing.comparison(self, tree, env)
            case ast.And() | ast.Or():
                return self._chain(tree, env)
            case ast.Not():
                turned = None if env.polarity is None else not env.polarity
                truth = self.node(tree.operand, replace(env, polarity=turned)).truth
                return BOOLEAN if truth is None else replace(BOOLEAN, mask=FALSE if truth else TRUE)
            case ast.Pipe():
                return self._pipe(tree, env)
            case ast.Arithmetic() | ast.Sign():
                return comparing.arithmetic(self, tree, env)
            case ast.Ternary():
                return self._ternary(tree, env)
            case ast.Index():
                return projecting.index(self, tree, env.current, within(env, unparse(tree)))
            case ast.Slice():
                return projecting.sliced(self, tree, env.current, within(env, unparse(tree)))
            case ast.Projection():
                return projecting.projection(self, tree, env)
            case ast.ValueProjection():
                return projecting.values(self, tree, env)
            case ast.FilterProjection():
                return projecting.filtered(self, tree, env)
            case ast.Flatten():
                return projecting.flatten(self, tree, env)
            case ast.MultiSelectList():
                parts = [self.node(part, env) for part in tree.parts]
                return _unless_null(list_of(union(*parts), least=len(parts)), env)
            case ast.MultiSelectHash():
                plain = env.plain()
                fields = {pair.key: self.node(pair.value, plain) for pair in tree.pairs}
                return _unless_null(object_of(fields), env)
            case ast.Reference():
                self.node(tree.body, env.inside(ANY, None))
                return ANY
            case _:
                assert_never(tree)

    def _sequence(self, tree: ast.Subexpression | ast.Indexed, env: Env) -> Shape:
        steps = steps_of(tree)
        known, begin = env.facts, ""
        if isinstance(steps[0], ast.Root):  # `$.a` is what `a` is at the root
            self._visit(steps[0])
            env, begin = env.at_root(self.root), "$"
            steps = steps[1:]
            if isinstance(steps[0], ast.Field):
                begin = "$."
        shape = self.node(steps[0], env.plain())
        shape = holds(known, begin + written(steps[:1]), shape)
        for number, step in enumerate(steps[1:], 2):
            path = within(env, written(steps[:number]))
            self._visit(step)
            match step:
                case ast.Field():
                    shape = self.step(step, shape, path)
                case ast.Index():
                    shape = projecting.index(self, step, shape, path)
                case ast.Slice():
                    shape = projecting.sliced(self, step, shape, path)
                case _:
                    before = within(env, written(steps[: number - 1]))
                    shape = self.node(step, env.inside(shape, before))
            shape = holds(env.facts, written(steps[:number]), shape)
            shape = holds(known, begin + written(steps[:number]), shape)
        return shape

    def _pipe(self, tree: ast.Pipe, env: Env) -> Shape:
        first, *rest = operands(tree)
        shape = self.node(first, env)
        path = within(env, unparse(first))
        for part in rest:
            shape = self.node(part, env.inside(shape, path, None, env.polarity))
            path = f"{path} | {unparse(part)}"
        return shape

    def _ternary(self, tree: ast.Ternary, env: Env) -> Shape:
        """Walk ``a ? b : c``: of what is never reached there is nothing to say."""
        truth = self.node(tree.condition, env.plain()).truth
        found = []
        for branch, taken in ((tree.then, True), (tree.otherwise, False)):
            if truth in (None, taken):
                found.append(self.node(branch, self._given(tree.condition, taken, env)))
        return union(*found)

    def _given(self, condition: Tree, truth: bool, env: Env) -> Env:
        return with_facts(env, self.finder.find(condition, truth))

    def _chain(self, tree: ast.And | ast.Or, env: Env) -> Shape:
        """Walk ``a || b`` or ``a && b``: each is reached only where those before did not stop."""
        stops = isinstance(tree, ast.Or)
        *before, last = operands(tree)
        found: list[Shape] = []
        for part in before:
            shape = self.node(part, env)
            found.append(shape.restricted(TRUTHY if stops else FALSY))
            if shape.truth is stops:
                return union(*found)
            env = with_facts(env, self.finder.find(part, not stops))
        found.append(self.node(last, env))
        return union(*found)


def _unless_null(made: Shape, env: Env) -> Shape:
    """Select from what may be null, which gives null."""
    return made.or_null() if env.current.mask & NULL else made
