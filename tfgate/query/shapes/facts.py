"""What holds where a part of an expression is reached: ``a && length(a)`` asks for no null ``a``.

A fact is about a *path*, a part that gives the same value wherever it stands beside the same
current value: ``after.ports[0].to``, ``@``, ``var('name')``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.functions.registry import TYPE_MASKS
from tfgate.query.parsing import flattened
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
    from collections.abc import Callable, Mapping

    from tfgate.query.functions.registry import FunctionTable
    from tfgate.query.nodes.node import Ast
    from tfgate.query.shapes.shape import Shape

_STEPS: Final = frozenset({"field", "index"})
_SEQUENCES: Final = frozenset({"subexpression", "index_expression"})
_PROJECTIONS: Final = frozenset({"projection", "filter_projection", "flatten"})


@dataclass(frozen=True)
class Fact:
    """Kinds that a path may have, and its constants where these are known."""

    mask: int = ANYTHING
    constants: frozenset[Any] | None = None

    def both(self, other: Fact) -> Fact:
        """Give what holds where both facts do."""
        if self.constants is None or other.constants is None:
            constants = self.constants if other.constants is None else other.constants
        else:
            constants = self.constants & other.constants
        return Fact(self.mask & other.mask, constants)

    def either(self, other: Fact) -> Fact:
        """Give what holds where one of the facts does."""
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


def steps_of(node: Ast) -> list[Ast]:
    """Give the steps of a node that are taken one after another: ``a.b[0]`` has three."""
    if node["type"] not in _SEQUENCES:
        return [node]
    return [step for part in node["children"] for step in steps_of(part) if not _is_nothing(step)]


def path_of(node: Ast) -> str | None:
    """Write a node as a path, ``None`` where it is none."""
    steps = steps_of(node)
    return written(steps) if steps and _is_path(steps) else None


def written(steps: list[Ast]) -> str:
    """Write steps one after another."""
    text = ""
    for step in steps:
        part = unparse(step)
        text += part if part.startswith("[") and step["type"] == "index" else f".{part}"
    return text.removeprefix(".")


def _is_nothing(node: Ast) -> bool:
    return bool(node["type"] == "identity")


def _is_path(steps: list[Ast]) -> bool:
    first, *rest = steps
    is_variable = first["type"] == "function_expression" and first["value"] == "var"
    if not is_variable and first["type"] not in {"field", "current", "index"}:
        return False
    return all(step["type"] in _STEPS for step in rest)


class FactFinder:
    """Finds the facts that an expression's being true or false gives."""

    def __init__(
        self,
        table: FunctionTable,
        variable: Callable[[Ast], Ast | None],
        elements: Callable[[Ast], int],
    ) -> None:
        self._table = table
        self._variable = variable
        self._elements = elements

    def find(self, node: Ast, truth: bool) -> Facts:
        """Give what holds beside the same current value where ``node`` is truthy, or falsy."""
        kind = node["type"]
        if kind == "not_expression":
            return self.find(node["children"][0], not truth)
        if kind in {"and_expression", "or_expression"}:
            found = [self.find(part, truth) for part in flattened(node)]
            together = (kind == "and_expression") is truth
            return all_of(found) if together else _one_of(found)
        if kind == "comparator":
            return self._comparison(node, truth)
        return self._value(node, truth)

    def _value(self, node: Ast, truth: bool) -> Facts:
        kind = node["type"]
        path = path_of(node)
        if path is not None:
            facts = {path: Fact(TRUTHY if truth else FALSY)}
            facts = all_of([facts, _before(steps_of(node))]) if truth else facts
            named = self._variable(node)
            return all_of([facts, self.find(named, truth)]) if named is not None else facts
        if kind == "function_expression":
            return all_of([self._called(node), self._membership(node) if truth else {}])
        if truth and kind == "pipe":
            node = flattened(node)[0]
        return _list_at(node) if truth else {}

    def _comparison(self, node: Ast, truth: bool) -> Facts:
        left, right = node["children"]
        called = all_of([self._called(left), self._called(right)])
        sign = node["value"]
        if sign not in {"eq", "ne"}:
            if not truth:
                return called
            ordered = [_known(left, _ordered(right)), _known(right, _ordered(left))]
            return all_of([called, *ordered])
        equal = (sign == "eq") is truth
        return all_of([called, _equality(left, right, equal), _equality(right, left, equal)])

    def _called(self, node: Ast) -> Facts:
        """A function that gave something had arguments of the right types."""
        if node["type"] != "function_expression":
            return {}
        function = self._table.find(node["value"])
        if function is None or not function.parameters:
            return {}
        facts = []
        for number, argument in enumerate(node["children"]):
            facts.append(_known(argument, Fact(function.parameter(number).mask)))
            facts.append(self._called(argument))
        return all_of(facts)

    def _membership(self, node: Ast) -> Facts:
        """``contains(['a', 'b'], x)``: x is one of them."""
        if node["value"] != "contains" or len(node["children"]) != 2:
            return {}
        among, needle = node["children"]
        words = literals(among)
        if not words:
            return _known(needle, Fact(self._elements(among)))
        mask = 0
        for word in words:
            mask |= kinds(word)
        return _known(needle, Fact(mask, frozenset(words)))


def literals(node: Ast) -> list[Any] | None:
    """Give the scalars of a list that is written out."""
    if node["type"] == "literal" and isinstance(node["value"], list):
        values = node["value"]
    elif node["type"] == "multi_select_list":
        if any(part["type"] != "literal" for part in node["children"]):
            return None
        values = [part["value"] for part in node["children"]]
    else:
        return None
    return values if all(isinstance(v, (str, int, float)) for v in values) else None


def _ordered(other: Ast) -> Fact:
    """What is ordered with a number is one, and so with strings."""
    if other["type"] == "literal":
        return Fact(kinds(other["value"]) & NUMBER or STRINGS)
    return Fact(NUMBER | STRINGS)


def _equality(path: Ast, other: Ast, equal: bool) -> Facts:
    if path["type"] == "function_expression" and path["value"] == "type":
        named = TYPE_MASKS.get(str(other.get("value")), ANYTHING)
        mask = named if equal else ~named | (0 if named == NULL else ANYTHING)
        return _known(path["children"][0], Fact(mask))
    if other["type"] == "field" and other["value"] == "null":
        constant = None
    elif other["type"] == "literal":
        constant = other["value"]
    else:
        return {}
    if not equal:
        return _known(path, Fact(~NULL)) if constant is None else {}
    if isinstance(constant, (str, int, float)):
        return _known(path, Fact(kinds(constant), frozenset({constant})))
    return _known(path, Fact(kinds(constant)))


def _known(node: Ast, fact: Fact) -> Facts:
    path = path_of(node)
    if path is None:
        return {}
    if fact.mask & NULL:
        return {path: fact}
    return all_of([{path: fact}, _before(steps_of(node))])


def _before(steps: list[Ast]) -> Facts:
    """Where a path leads to a value that is not null, its beginnings are objects and lists."""
    return {
        written(steps[:number]): Fact(OBJECTS if steps[number]["type"] == "field" else LIST)
        for number in range(1, len(steps))
    }


def _list_at(node: Ast) -> Facts:
    """What a filter, ``[*]`` or ``[]`` takes apart is a list, where it gives anything."""
    *steps, last = steps_of(node)
    while last["type"] in _PROJECTIONS or last["type"] == "slice":
        if last["type"] != "slice":
            steps += steps_of(last["children"][0])
        if not steps:
            return {}
        *steps, last = steps
    steps.append(last)
    if last is node or not _is_path(steps):
        return {}
    return all_of([{written(steps): Fact(LISTS)}, _before(steps)])


def all_of(found: list[Facts]) -> Facts:
    """Give what holds where all of these do."""
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
