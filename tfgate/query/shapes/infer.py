"""Walks an expression's tree with shapes in place of values."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol

from jmespath.lexer import Lexer

from tfgate.query.parsing import children, flattened
from tfgate.query.shapes import comparing, functions, projecting
from tfgate.query.shapes.env import (
    Compared,
    Env,
    Read,
    Remark,
    RemarkKind,
    literal_name,
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
from tfgate.query.unparse import unparse
from tfgate.query.values import ANYTHING, FALSE, FALSY, LISTS, NULL, OBJECTS, TRUE, TRUTHY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tfgate.query.expression import Expression
    from tfgate.query.functions.registry import FunctionTable
    from tfgate.query.nodes.node import Ast


# --- Where the parts of an expression stand in its text.
#
# The parser's tree has no positions. Names, literals and calls come in the same order in the text
# and in the tree: the n-th there is the n-th here. A node without such a sign begins where its
# first part does.


_NAMES = {"unquoted_identifier", "quoted_identifier"}


def positions(text: str, tree: Ast) -> dict[int, int]:
    """Give the 0-based columns of the tree's nodes by their identity; empty where it cannot be."""
    signs = list(_signs(text))
    nodes = list(_signed(tree))
    if [sign for sign, _ in signs] != [_sign(node) for node in nodes]:
        return {}
    found = {id(node): start for node, (_, start) in zip(nodes, signs, strict=True)}
    _spread(tree, found)
    return found


def _signs(text: str) -> Iterator[tuple[str, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        tokens: list[dict[str, Any]] = list(Lexer().tokenize(text))
    for token, following in pairwise(tokens):
        if token["type"] in _NAMES:
            kind = {"lparen": "call", "colon": "key"}.get(following["type"], "name")
            # In ``[a:b]`` no name may stand: a colon behind one belongs to a {key: …}.
            yield f"{kind} {token['value']}", token["start"]
        elif token["type"] == "literal":
            yield "literal", token["start"]
        elif token["type"] == "current":
            yield "@", token["start"]


def _sign(node: Ast) -> str:
    if node["type"] == "literal":
        return "literal"
    if node["type"] == "current":
        return "@"
    kinds = {"field": "name", "key_val_pair": "key", "function_expression": "call"}
    return f"{kinds[node['type']]} {node['value']}"


def _signed(tree: Ast) -> Iterator[Ast]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if node["type"] in {"field", "key_val_pair", "function_expression", "literal", "current"}:
            yield node
        pending.extend(reversed(children(node)))


def _spread(tree: Ast, found: dict[int, int]) -> None:
    """Give a node that has no sign of its own the place of its first part."""
    order: list[Ast] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        pending.extend(children(node))
    for node in reversed(order):
        _after_each_other(node, found)
        inner = [found[id(child)] for child in children(node) if id(child) in found]
        if id(node) not in found and inner:
            found[id(node)] = min(inner)


def _after_each_other(node: Ast, found: dict[int, int]) -> None:
    """Give an index the place of what it follows."""
    inside = children(node)
    for before, step in pairwise(inside):
        if step["type"] in {"index", "slice"} and id(before) in found:
            found.setdefault(id(step), found[id(before)])


_CALLS: Final = 20_000
"""Nodes that one walk may look at; after that everything may be anything."""


class Names(Protocol):
    """What the functions that name something refer to."""

    def variable(self, name: str) -> Expression | None:
        """Give the expression that ``var(name)`` evaluates."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> Shape | None:
        """Give what a function that needs a scope gives for literal arguments."""


class Nameless:
    """No names at all."""

    def variable(self, name: str) -> Expression | None:
        """There is none."""
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
    """For each ``var(name)`` that was reached, what walking its expression there found."""
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
        self.tree: Ast = expression.node.ast
        self.names = names
        self.table = table
        self.found = Inference(ANY)
        self.root = ANY
        self._positions = positions(expression.text, self.tree)
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

    def node(self, ast: Ast, env: Env) -> Shape:
        """Give the shape of a part."""
        self._left -= 1
        if self._left < 0:
            return ANY
        self._visit(ast)
        shape = _WALKERS[ast["type"]](self, ast, env)
        path = path_of(ast) if env.facts else None
        return holds(env.facts, path, shape) if path is not None else shape

    def remark(self, kind: RemarkKind, ast: Ast, shape: Shape, text: str, **more: Any) -> None:
        """Remark on a part."""
        part = (self.position(ast), unparse(ast))
        self.found.remarks.append(Remark(kind, part, text, shape, **more))

    def compare(
        self, sign: str, ast: Ast, path: str, shapes: tuple[Shape, Shape], env: Env
    ) -> None:
        """Take note of a comparison."""
        at, text = self.position(ast), unparse(ast)
        self.found.compared.append(Compared(sign, at, text, path, *shapes, env.polarity))

    def position(self, ast: Ast) -> int | None:
        """Give the column of a part."""
        return self._positions.get(id(ast))

    def _visit(self, ast: Ast) -> None:
        self.found.visited.add((self.position(ast), unparse(ast)))

    def _variable_tree(self, ast: Ast) -> Ast | None:
        name = literal_name(ast, "var")
        named = self.names.variable(name) if name is not None else None
        return named.node.ast if named is not None else None

    def _elements(self, ast: Ast) -> int:
        """Give the kinds of the elements of a parameter."""
        name = literal_name(ast, "param")
        shape = self.names.call("param", (name,)) if name is not None else None
        return ANYTHING if shape is None or shape.element is None else shape.element.mask

    def variable(self, name: str, env: Env) -> Shape:
        """Give the shape of a ``let`` value, which sees the root whatever it is called beside."""
        named = self.names.variable(name)
        if named is None or name in self._inside or len(self._inside) > 20:
            return ANY
        walk = Walk(named, self.names, self.table, (*self._inside, name), self._left)
        found = walk.run(self.root, env.facts if env.is_root else env.root_facts, env.polarity)
        self._left = walk._left
        self.found.variables += [(name, found), *found.variables]
        return found.shape

    def step(self, ast: Ast, current: Shape, path: str) -> Shape:
        """Give the shape of a field of the current value; ``path`` is how it is written."""
        name = ast["value"]
        if not current.mask & OBJECTS:
            kind = RemarkKind.FIELD_OF_LIST if current.mask & LISTS else RemarkKind.FIELD_OF_SCALAR
            if current.mask & ~NULL:
                self.remark(kind, ast, current, path, detail=name)
            else:  # of null there is nothing to say
                self.found.visited.discard((self.position(ast), unparse(ast)))
            return NULL_SHAPE
        if current.fields is None:
            return ANY
        found = current.fields.get(name)
        if found is None and current.rest is None:
            self.remark(RemarkKind.UNKNOWN_FIELD, ast, current, path, detail=name)
            return NULL_SHAPE
        shape = found if found is not None else current.rest or ANY
        if current.mask & ~OBJECTS:
            shape = shape.or_null(current.why_null if current.mask & NULL else None)
        self.found.reads.append(Read(path, (self.position(ast), unparse(ast)), shape))
        return shape

    def _field(self, ast: Ast, env: Env) -> Shape:
        if env.is_root and ast["value"] == "null":
            return NULL_SHAPE
        return self.step(ast, env.current, within(env, unparse(ast)))

    def _current(self, ast: Ast, env: Env) -> Shape:
        return env.current

    def _literal(self, ast: Ast, env: Env) -> Shape:
        return of_value(ast["value"])

    def _sequence(self, ast: Ast, env: Env) -> Shape:
        steps = steps_of(ast)
        shape = self.node(steps[0], env.plain())
        for number, step in enumerate(steps[1:], 2):
            path = within(env, written(steps[:number]))
            self._visit(step)
            if step["type"] == "field":
                shape = self.step(step, shape, path)
            elif step["type"] == "index":
                shape = projecting.index(self, step, shape, path)
            elif step["type"] == "slice":
                shape = projecting.sliced(self, step, shape, path)
            else:
                before = within(env, written(steps[: number - 1]))
                shape = self.node(step, env.inside(shape, before))
            shape = holds(env.facts, written(steps[:number]), shape)
        return shape

    def _pipe(self, ast: Ast, env: Env) -> Shape:
        first, *rest = flattened(ast)
        shape = self.node(first, env)
        path = within(env, unparse(first))
        for child in rest:
            shape = self.node(child, env.inside(shape, path, None, env.polarity))
            path = f"{path} | {unparse(child)}"
        return shape

    def _index(self, ast: Ast, env: Env) -> Shape:
        return projecting.index(self, ast, env.current, within(env, unparse(ast)))

    def _slice(self, ast: Ast, env: Env) -> Shape:
        return projecting.sliced(self, ast, env.current, within(env, unparse(ast)))

    def _select_list(self, ast: Ast, env: Env) -> Shape:
        parts = [self.node(child, env) for child in ast["children"]]
        made = list_of(union(*parts), least=len(parts))
        return made.or_null() if env.current.mask & NULL else made

    def _select_hash(self, ast: Ast, env: Env) -> Shape:
        plain = env.plain()
        fields = {pair["value"]: self.node(pair["children"][0], plain) for pair in ast["children"]}
        made = object_of(fields)
        return made.or_null() if env.current.mask & NULL else made

    def _and(self, ast: Ast, env: Env) -> Shape:
        return self._chain(ast, env, stops=False)

    def _or(self, ast: Ast, env: Env) -> Shape:
        return self._chain(ast, env, stops=True)

    def _chain(self, ast: Ast, env: Env, *, stops: bool) -> Shape:
        """Walk ``a || b`` or ``a && b``: each is reached only where those before did not stop."""
        *before, last = flattened(ast)
        found: list[Shape] = []
        for part in before:
            shape = self.node(part, env)
            found.append(shape.restricted(TRUTHY if stops else FALSY))
            if shape.truth is stops:
                return union(*found)
            env = with_facts(env, self.finder.find(part, not stops))
        found.append(self.node(last, env))
        return union(*found)

    def _not(self, ast: Ast, env: Env) -> Shape:
        turned = None if env.polarity is None else not env.polarity
        truth = self.node(ast["children"][0], replace(env, polarity=turned)).truth
        return BOOLEAN if truth is None else replace(BOOLEAN, mask=FALSE if truth else TRUE)

    def _expref(self, ast: Ast, env: Env) -> Shape:
        self.node(ast["children"][0], env.inside(ANY, None))
        return ANY


_WALKERS: Final[dict[str, Callable[[Walk, Ast, Env], Shape]]] = {
    "field": Walk._field,
    "current": Walk._current,
    "identity": Walk._current,
    "literal": Walk._literal,
    "subexpression": Walk._sequence,
    "index_expression": Walk._sequence,
    "pipe": Walk._pipe,
    "index": Walk._index,
    "slice": Walk._slice,
    "projection": projecting.projection,
    "value_projection": projecting.values,
    "filter_projection": projecting.filtered,
    "flatten": projecting.flatten,
    "multi_select_list": Walk._select_list,
    "multi_select_dict": Walk._select_hash,
    "and_expression": Walk._and,
    "or_expression": Walk._or,
    "not_expression": Walk._not,
    "comparator": comparing.comparator,
    "expref": Walk._expref,
    "function_expression": functions.call,
}
