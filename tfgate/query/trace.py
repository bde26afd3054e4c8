"""What each part of an expression comes to on one document, for people who ask why.

It walks the compiled tree from the outside in and evaluates each part on the value that the part
sees. Inside projections there is one line for the list, none for its elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.query import tree as ast
from tfgate.query.errors import EvaluationError
from tfgate.query.state import State
from tfgate.query.unparse import unparse
from tfgate.query.values import UNKNOWN, measure, published, truth

if TYPE_CHECKING:
    from tfgate.query.nodes.node import Node

_LEAVES: Final = (
    ast.Literal | ast.Current | ast.Root | ast.Identity | ast.Index | ast.Slice | ast.Reference
)


class Step(msgspec.Struct, frozen=True):
    """One part of an expression on one document."""

    text: str
    """The part, as JMESPath."""
    depth: int
    """How deep it is nested; the whole expression has depth 0."""
    value: Any = None
    """What it comes to where it was evaluated without an error."""
    may_raise: bool = False
    """Whether some completion of the document raises in it."""
    error: str | None = None
    """What went wrong if it fails on every completion."""
    evaluated: bool = True
    """False for a part that a short circuit left out."""


def trace(node: Node, document: Any, scope: Any = None) -> list[Step]:
    """Return the steps of an expression, each before the parts it is made of."""
    tracer = _Tracer(scope, document)
    tracer.walk(node, document, 0)
    return tracer.steps


class _Tracer:
    def __init__(self, scope: Any, document: Any) -> None:
        self.steps: list[Step] = []
        self._scope = scope
        self._root = document
        self._bound: dict[int, Any] = {-1: None}
        """What ``let`` has bound: they are walked before what is inside of them."""
        self._left = State.left
        """Steps that are left to all parts together."""

    def walk(self, node: Node, value: Any, depth: int) -> Any:
        """Add the steps of a node and give its value, `UNKNOWN` where it fails."""
        state = self._state()
        try:
            found = node.value(value, state)
            measure(found, state)
        except (EvaluationError, RecursionError) as error:
            reason = str(error) if isinstance(error, EvaluationError) else "Nested too deeply."
            self.steps.append(Step(unparse(node.tree), depth, error=reason))
            found = UNKNOWN
        else:
            step = Step(unparse(node.tree), depth, published(found), state.may_raise)
            self.steps.append(step)
        self._left = state.left
        self._inside(node, value, depth + 1)
        return found

    def _state(self) -> State:
        state = State()
        state.scope, state.left = self._scope, self._left
        state.root, state.bound = self._root, self._bound
        return state

    def skip(self, node: Node, depth: int) -> None:
        """Add a step for a part that is not evaluated."""
        self.steps.append(Step(unparse(node.tree), depth, evaluated=False))

    def _inside(self, node: Node, value: Any, depth: int) -> None:
        match node.tree:
            case ast.And() | ast.Or():
                self._chain(node, value, depth, stop=isinstance(node.tree, ast.Or))
            case ast.Ternary():
                self._ternary(node, value, depth)
            case ast.Pipe() | ast.Subexpression() | ast.Indexed():
                self._sequence(node, value, depth)
            case ast.Projection() | ast.ValueProjection() | ast.FilterProjection() | ast.Flatten():
                self._part(node.children[0], value, depth)
            case ast.MultiSelectList() | ast.MultiSelectHash() if value is None:
                pass
            case _:
                for child in node.children:
                    self._part(child, value, depth)

    def _part(self, node: Node, value: Any, depth: int) -> Any:
        """Walk a part that says something of its own."""
        if isinstance(node.tree, _LEAVES):
            return None
        return self.walk(node, value, depth)

    def _chain(self, node: Node, value: Any, depth: int, *, stop: bool) -> None:
        stopped = False
        for child in node.children:
            if stopped:
                self.skip(child, depth)
            else:
                stopped = truth(self.walk(child, value, depth)) is stop

    def _ternary(self, node: Node, value: Any, depth: int) -> None:
        condition, then, otherwise = node.children
        known = truth(self.walk(condition, value, depth))
        for branch, taken in ((then, known is not False), (otherwise, known is not True)):
            if taken:
                self._part(branch, value, depth)
            else:
                self.skip(branch, depth)

    def _sequence(self, node: Node, value: Any, depth: int) -> None:
        """Walk the first part, and the calls and conditions among the others."""
        if all(isinstance(child.tree, ast.Field) for child in node.children):
            return
        first, *rest = node.children
        self._part(first, value, depth)
        state = self._state()
        previous = first
        for child in rest:
            try:
                value = previous.value(value, state)
            except (EvaluationError, RecursionError):
                return
            if not isinstance(child.tree, ast.Field):
                self._part(child, value, depth)
            previous = child
