"""What holds where a part of an expression is reached: ``a && length(a)`` asks for no null ``a``.

A fact is about a *path*, a part that gives the same value wherever it stands beside the same
current value: ``after.ports[0].to``, ``@``, ``$name.max``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tfgate.query import tree as ast
from tfgate.query.functions.registry import TYPE_MASKS
from tfgate.query.tree import Tree, operands
from tfgate.query.unparse import unparse
from tfgate.query.values import (
    ANYTHING,
    FALSY,
    LIST,
    LISTS,
    NULL,
    NUMBER,
    OBJECTS,
    STRINGS,
    TRUTHY,
    kinds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tfgate.query.functions.registry import FunctionTable
    from tfgate.query.shapes.shape import Shape

_FIRST: Final = ast.Field | ast.Current | ast.Index | ast.Variable | ast.Root
"""What a path begins with."""

_PROJECTIONS: Final = ast.Projection | ast.FilterProjection | ast.Flatten


@dataclass(frozen=True)
class Fact:
    """Kinds that a path may have, and its constants where these are known."""

    mask: int = ANYTHING
    constants: frozenset[Any] | None = None

    def both(self, other: Fact) -> Fact:
        """Return what holds where both facts do."""
        if self.constants is None or other.constants is None:
            constants = self.constants if other.constants is None else other.constants
        else:
            constants = self.constants & other.constants
        return Fact(self.mask & other.mask, constants)

    def either(self, other: Fact) -> Fact:
        """Return what holds where one of the facts does."""
        if self.constants is None or other.constants is None:
            return Fact(self.mask | other.mask)
        return Fact(self.mask | other.mask, self.constants | other.constants)

    def apply(self, shape: Shape) -> Shape:
        """Narrow a shape."""
        narrowed = shape.restricted(self.mask)
        if self.constants is None:
            return narrowed
        known = narrowed.constants
        constants = self.constants if known is None else known & self.constants
        return replace(narrowed, constants=constants) if constants else narrowed


Facts = dict[str, Fact]


def steps_of(tree: Tree) -> list[Tree]:
    """Return the parts that are applied one after another: ``a.b[0]`` has three."""
    match tree:
        case ast.Subexpression():
            parts = tree.parts
        case ast.Indexed():
            parts = (tree.base, *tree.steps)
        case _:
            return [tree]
    steps = [step for part in parts for step in steps_of(part)]
    return [step for step in steps if not isinstance(step, ast.Identity)]


def path_of(tree: Tree) -> str | None:
    """Write a part as a path, ``None`` where it is none."""
    steps = steps_of(tree)
    return written(steps) if steps and _is_path(steps) else None


def written(steps: Sequence[Tree]) -> str:
    """Write steps one after another."""
    text = ""
    for step in steps:
        part = unparse(step)
        text += part if isinstance(step, ast.Index) else f".{part}"
    return text.removeprefix(".")


def _is_path(steps: Sequence[Tree]) -> bool:
    first, *rest = steps
    return isinstance(first, _FIRST) and all(
        isinstance(step, ast.Field | ast.Index) for step in rest
    )


class FactFinder:
    """Finds the facts that an expression's being true or false gives."""

    def __init__(
        self,
        table: FunctionTable,
        variable: Callable[[Tree], Tree | None],
        elements: Callable[[Tree], int],
    ) -> None:
        self._table = table
        self._variable = variable
        self._elements = elements

    def find(self, tree: Tree, truth: bool) -> Facts:
        """Return what holds beside the same current value where ``tree`` is truthy, or falsy."""
        match tree:
            case ast.Not():
                return self.find(tree.operand, not truth)
            case ast.And() | ast.Or():
                found = [self.find(part, truth) for part in operands(tree)]
                return all_of(found) if isinstance(tree, ast.And) is truth else _one_of(found)
            case ast.Comparison():
                return self._comparison(tree, truth)
            case ast.Ternary():
                return _one_of(
                    [
                        all_of([self.find(tree.condition, taken), self.find(branch, truth)])
                        for branch, taken in ((tree.then, True), (tree.otherwise, False))
                    ]
                )
            case ast.Let():
                names = [binding.name for binding in tree.bindings]
                return without(self.find(tree.body, truth), names)
            case _:
                return self._value(tree, truth)

    def _value(self, tree: Tree, truth: bool) -> Facts:
        path = path_of(tree)
        if path is not None:
            facts = {path: Fact(TRUTHY if truth else FALSY)}
            facts = all_of([facts, _before(steps_of(tree))]) if truth else facts
            named = self._variable(tree)
            return all_of([facts, self.find(named, truth)]) if named is not None else facts
        if isinstance(tree, ast.Call):
            return all_of([self._called(tree), self._membership(tree) if truth else {}])
        if truth and isinstance(tree, ast.Pipe):
            tree = operands(tree)[0]
        return _list_at(tree) if truth else {}

    def _comparison(self, tree: ast.Comparison, truth: bool) -> Facts:
        left, right = tree.left, tree.right
        called = all_of([self._called(left), self._called(right)])
        if tree.sign not in {"eq", "ne"}:
            if not truth:
                return called
            ordered = [_known(left, _ordered(right)), _known(right, _ordered(left))]
            return all_of([called, *ordered])
        equal = (tree.sign == "eq") is truth
        return all_of([called, _equality(left, right, equal), _equality(right, left, equal)])

    def _called(self, tree: Tree) -> Facts:
        """A function (or an operator) that gave something was given the right types."""
        if isinstance(tree, ast.Arithmetic | ast.Sign):
            sides = ast.children(tree)
            numbers = [_known(side, Fact(NUMBER)) for side in sides]
            return all_of([*numbers, *(self._called(side) for side in sides)])
        if not isinstance(tree, ast.Call):
            return {}
        function = self._table.find(tree.name)
        if function is None or not function.parameters:
            return {}
        facts = []
        for number, argument in enumerate(tree.arguments):
            facts.append(_known(argument, Fact(function.parameter(number).mask)))
            facts.append(self._called(argument))
        return all_of(facts)

    def _membership(self, tree: ast.Call) -> Facts:
        """``contains(['a', 'b'], x)``: x is one of them."""
        if tree.name != "contains" or len(tree.arguments) != 2:
            return {}
        among, needle = tree.arguments
        words = literals(among)
        if not words:
            return _known(needle, Fact(self._elements(among)))
        mask = 0
        for word in words:
            mask |= kinds(word)
        return _known(needle, Fact(mask, frozenset(words)))


def literals(tree: Tree) -> list[Any] | None:
    """Return the scalars of a list that is written out."""
    if isinstance(tree, ast.Literal) and isinstance(tree.value, list):
        values = tree.value
    elif isinstance(tree, ast.MultiSelectList):
        values = [part.value for part in tree.parts if isinstance(part, ast.Literal)]
        if len(values) != len(tree.parts):
            return None
    else:
        return None
    return values if all(isinstance(v, (str, int, float)) for v in values) else None


def _ordered(other: Tree) -> Fact:
    """What is ordered with a number is one, and so with strings."""
    if isinstance(other, ast.Literal):
        return Fact(kinds(other.value) & NUMBER or STRINGS)
    return Fact(NUMBER | STRINGS)


def _equality(path: Tree, other: Tree, equal: bool) -> Facts:
    if isinstance(path, ast.Call) and path.name == "type":
        name = str(other.value) if isinstance(other, ast.Literal) else ""
        named = TYPE_MASKS.get(name, ANYTHING)
        mask = named if equal else ~named | (0 if named == NULL else ANYTHING)
        return _known(path.arguments[0], Fact(mask))
    if isinstance(other, ast.Literal):
        constant = other.value
    elif isinstance(other, ast.Field) and other.name == "null":
        constant = None
    else:
        return {}
    if not equal:
        return _known(path, Fact(~NULL)) if constant is None else {}
    if isinstance(constant, (str, int, float)):
        return _known(path, Fact(kinds(constant), frozenset({constant})))
    return _known(path, Fact(kinds(constant)))


def _known(tree: Tree, fact: Fact) -> Facts:
    path = path_of(tree)
    if path is None:
        return {}
    if fact.mask & NULL:
        return {path: fact}
    return all_of([{path: fact}, _before(steps_of(tree))])


def _before(steps: Sequence[Tree]) -> Facts:
    """Where a path leads to a value that is not null, its beginnings are objects and lists."""
    return {
        written(steps[:number]): Fact(OBJECTS if isinstance(steps[number], ast.Field) else LIST)
        for number in range(1, len(steps))
    }


def _list_at(tree: Tree) -> Facts:
    """What a filter, ``[*]`` or ``[]`` takes apart is a list, where it gives anything."""
    *steps, last = steps_of(tree)
    while isinstance(last, _PROJECTIONS | ast.Slice):
        if not isinstance(last, ast.Slice):
            steps += steps_of(last.base)
        if not steps:
            return {}
        *steps, last = steps
    steps.append(last)
    if last is tree or not _is_path(steps):
        return {}
    return all_of([{written(steps): Fact(LISTS)}, _before(steps)])


def without(facts: Facts, variables: Iterable[str]) -> Facts:
    """Return the facts that are not about one of the variables."""
    gone = {f"${name}" for name in variables}
    begin = {path: re.split(r"[.\[]", path, maxsplit=1)[0] for path in facts}
    return {path: fact for path, fact in facts.items() if begin[path] not in gone}


def all_of(found: list[Facts]) -> Facts:
    """Return what holds where all of these do."""
    together: Facts = {}
    for facts in found:
        for path, fact in facts.items():
            together[path] = together[path].both(fact) if path in together else fact
    return together


def _one_of(found: list[Facts]) -> Facts:
    first, *others = found
    together = dict(first)
    for facts in others:
        together = {
            path: fact.either(facts[path]) for path, fact in together.items() if path in facts
        }
    return together


def holds(facts: Mapping[str, Fact], path: str, shape: Shape) -> Shape:
    """Narrow the shape at a path by what is known of it."""
    fact = facts.get(path)
    return fact.apply(shape) if fact is not None else shape
