"""Expressions written out as Python, one method for each type of node.

Two things are asked of a node: its value, and whether it is truthy, which is often less work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.codegen.loops import Finds, Loop
from tfgate.query.codegen.source import Atom, Source, Unsuited, direct, literal, made
from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.nodes.comparing import ORDERINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.nodes.node import Node

    Calls = Callable[["Writer", Node, Atom], Atom]

DOCUMENT: Final = made("d", dict)
"""What the expression is evaluated on."""
_NULL: Final = type(None)
_NUMBERS: Final = frozenset({int, float})
_SIGNS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_FURTHEST: Final = 1_000_000
"""Positions in lists that are written out."""


class Writer:
    """Writes one expression into a `Source`; ``calls`` writes those of functions."""

    def __init__(self, source: Source, calls: Calls) -> None:
        self.source = source
        self._calls = calls

    def value(self, node: Node, at: Atom) -> Atom:
        """Write what gives the value of ``node`` on ``at``."""
        write = _VALUES.get(node.type)
        if write is None or node.is_watched:
            raise Unsuited
        return self.source.sure(write(self, node, at))

    def test(self, node: Node, at: Atom) -> str:
        """Write what gives the truth of ``node`` on ``at``: a name that Python may ask."""
        write = _TESTS.get(node.type)
        if write is None or node.is_watched:
            return self.truth(self.value(node, at))
        return write(self, node, at)

    def truth(self, atom: Atom) -> str:
        """Give a name whose truth in Python is the value's in JMESPath."""
        if atom.direct:
            return atom.name
        x = atom.name
        is_plain = f"{x} is None or {x} is True or {x} is False"
        return self.source.assign(f"{x} if {is_plain} else truthy({x})")

    def object_of(self, element: Atom, *nodes: Node | None) -> Atom:
        """Leave it to the evaluator where ``nodes`` read fields of what is no object."""
        if any(node and _reads_fields(node) for node in nodes):
            return self.source.ensure(element, dict)
        return element

    def _field(self, node: Node, at: Atom) -> Atom:
        key = ("field", at.name, node.ast["value"])
        found = self.source.find(key)
        if found is not None:
            return found
        name, x = self.source.constant(node.ast["value"]), at.name
        got = f"{x}.get({name})"
        if self.source.sure(at).kind is not dict:
            got += f" if type({x}) is dict else nil({x})"
        return self.source.keep(key, Atom(self.source.assign(got)))

    def _current(self, node: Node, at: Atom) -> Atom:
        return at

    def _literal(self, node: Node, at: Atom) -> Atom:
        return literal(self.source, node.ast["value"])

    def _sequence(self, node: Node, at: Atom) -> Atom:
        for part in node.children:
            at = self.value(part, at)
        return at

    def _index(self, node: Node, at: Atom) -> Atom:
        position, x = int(node.ast["value"]), at.name
        if abs(position) > _FURTHEST:
            raise Unsuited
        enough = f"len({x}) > {position}" if position > 0 else f"len({x}) >= {-position}"
        if position in (0, -1):
            enough = x
        if self.source.sure(at).kind is list:
            return Atom(self.source.assign(f"{x}[{position}] if {enough} else None"))
        is_there = f"type({x}) is list and {enough}"
        return Atom(self.source.assign(f"{x}[{position}] if {is_there} else nil({x})"))

    def _slice(self, node: Node, at: Atom) -> Atom:
        start, stop, step = node.ast["children"]
        if step == 0:
            raise Unsuited
        bounds = self.source.constant(slice(start, stop, step))
        return direct(self.source.assign(f"cut({at.name}, {bounds})"))

    def _multi_select_list(self, node: Node, at: Atom) -> Atom:
        if all(child.is_literal for child in node.children):
            if not self._is_something(at):
                self.source.decline_if(f"{at.name} is None or type({at.name}) is Unknown")
            return literal(self.source, [child.ast["value"] for child in node.children])

        def build() -> str:
            return f"[{', '.join(self._names(node.children, at))}]"

        return self._made(at, build, list)

    def _multi_select_dict(self, node: Node, at: Atom) -> Atom:
        keys = [self.source.constant(pair["value"]) for pair in node.ast["children"]]

        def build() -> str:
            values = self._names(node.children, at)
            return f"{{{', '.join(f'{k}: {v}' for k, v in zip(keys, values, strict=True))}}}"

        return self._made(at, build, dict)

    def _names(self, nodes: Sequence[Node], at: Atom) -> list[str]:
        return [self.value(node, at).name for node in nodes]

    def _made(self, at: Atom, build: Callable[[], str], kind: type) -> Atom:
        """Write what is made of anything but null."""
        if self._is_something(at):
            return made(self.source.assign(build()), kind)
        name = self.source.assign("None")
        with self.source.block(f"if {at.name} is not None"):
            self.source.decline_if(f"type({at.name}) is Unknown")
            self.source.line(f"{name} = {build()}")
        return direct(name)

    def _is_something(self, at: Atom) -> bool:
        return self.source.sure(at).kind not in (None, _NULL)

    def _projection(self, node: Node, at: Atom) -> Atom:
        base, body = node.children
        if base.type == "flatten" and body.type == "identity":
            return self._flat(self.value(base.children[0], at), "flat_values")
        return self._project(Loop(self.source, self.value(base, at), body.weight), body)

    def _projection_test(self, node: Node, at: Atom) -> str:
        base, body = node.children
        if base.type == "flatten" and body.type == "identity":
            return self._projection(node, at).name
        return self._project(Finds(self.source, self.value(base, at), body.weight), body).name

    def _value_projection(self, node: Node, at: Atom) -> Atom:
        base, body = node.children
        x = self.value(base, at).name
        values = self.source.assign(f"values_of({x})")
        return self._project(Loop(self.source, direct(values), body.weight + 1), body)

    def _project(self, over: Loop, body: Node) -> Atom:
        with over as loop:
            self._collect(body, loop.element, loop)
        return loop.result

    def _filter_projection(self, node: Node, at: Atom) -> Atom:
        return self._filter(Loop, node, at)

    def _filter_test(self, node: Node, at: Atom) -> str:
        return self._filter(Finds, node, at).name

    def _filter(self, kind: type[Loop], node: Node, at: Atom) -> Atom:
        base, predicate, body = node.children
        with kind(self.source, self.value(base, at), predicate.weight + body.weight) as loop:
            element = self.object_of(loop.element, predicate)
            with self.source.block(f"if {self.test(predicate, element)}"):
                self._collect(body, element, loop)
        return loop.result

    def _collect(self, body: Node, element: Atom, loop: Loop) -> None:
        """Write what takes the body's value, unless it is null."""
        found = self.value(body, self.object_of(element, body))
        if self._is_something(found):
            self.source.line(loop.take(found.name))
            return
        with self.source.block(f"if {found.name} is not None"):
            if not found.known:
                self.source.decline_if(f"type({found.name}) is Unknown")
            self.source.line(loop.take(found.name))

    def _flatten(self, node: Node, at: Atom) -> Atom:
        return self._flat(self.value(node.children[0], at), "flat")

    def _flat(self, base: Atom, how: str) -> Atom:
        name = self.source.assign(f"{how}({base.name})")
        return made(name, list) if base.kind is list else direct(name)

    def _and_value(self, node: Node, at: Atom) -> Atom:
        return self._chain_value(node, at, "if {}")

    def _or_value(self, node: Node, at: Atom) -> Atom:
        return self._chain_value(node, at, "if not {}")

    def _chain_value(self, node: Node, at: Atom, header: str) -> Atom:
        out, given = self.source.fresh(), []

        def write(parts: Sequence[Node]) -> None:
            found = self.value(parts[0], at)
            given.append(found)
            self.source.line(f"{out} = {found.name}")
            if len(parts) > 1:
                with self.source.block(header.format(self.truth(found))):
                    write(parts[1:])

        write(node.children)
        kind = given[0].kind if len({found.kind for found in given}) == 1 else None
        is_direct, is_known = all(f.direct for f in given), all(f.known for f in given)
        return Atom(out, kind, direct=is_direct, known=is_known)

    def _and_test(self, node: Node, at: Atom) -> str:
        return self._chain_test(node, at, "if {}")

    def _or_test(self, node: Node, at: Atom) -> str:
        return self._chain_test(node, at, "if not {}")

    def _chain_test(self, node: Node, at: Atom, header: str) -> str:
        out = self.source.fresh()

        def write(parts: Sequence[Node]) -> None:
            self.source.line(f"{out} = {self.test(parts[0], at)}")
            if len(parts) > 1:
                with self.source.block(header.format(out)):
                    write(parts[1:])

        write(node.children)
        return out

    def _not(self, node: Node, at: Atom) -> Atom:
        (operand,) = node.children
        return made(self.source.assign(f"not {self.test(operand, at)}"), bool)

    def _comparator(self, node: Node, at: Atom) -> Atom:
        left, right = (self.value(child, at) for child in node.children)
        name = node.ast["value"]
        if name in ORDERINGS:
            return direct(self.source.assign(self._ordering(name, left, right)))
        constants = [c.ast["value"] if c.is_literal else NOT_LITERAL for c in node.children]
        if constants[1] is NOT_LITERAL and constants[0] is not NOT_LITERAL:
            left, right, constants = right, left, constants[::-1]
        written = self._equality(name == "eq", left, right, constants[1])
        return made(self.source.assign(written), bool)

    def _ordering(self, name: str, left: Atom, right: Atom) -> str:
        x, y = left.name, right.name
        if not (right.literal and right.kind in _NUMBERS):
            return f"order(order_{name}, {x}, {y}, {self.source.state()})"
        if left.kind in _NUMBERS:
            return f"{x} {_SIGNS[name]} {y}"
        is_number = f"type({x}) is int or type({x}) is float"
        return f"{x} {_SIGNS[name]} {y} if {is_number} else order_to(order_{name}, {x}, {y})"

    def _equality(self, wanted: bool, left: Atom, right: Atom, constant: Any) -> str:
        """Write ``==`` or ``!=``, ``constant`` being what ``right`` is where it is written out."""
        x, y = left.name, right.name
        sign, negated = ("==", "") if wanted else ("!=", "not ")
        if constant is None or constant is True or constant is False:
            return f"{negated}({x} is {y} or no({x}))"
        if type(constant) in _NUMBERS:
            is_number = f"type({x}) is int or type({x}) is float"
            return f"{x} {sign} {y} if {is_number} else {negated}no({x})"
        if type(constant) is str:
            if left.kind is str:
                return f"{x} {sign} {y}"
            return f"{x} {sign} {y} if type({x}) is str else {negated}no({x})"
        both = f"type({x}) is str and type({y}) is str and len({x}) <= LONG"
        otherwise = f"{negated}same({x}, {y}, {self.source.state()})"
        return f"{x} {sign} {y} if {both} else {otherwise}"

    def _function(self, node: Node, at: Atom) -> Atom:
        return self._calls(self, node, at)


_OF_FIRST: Final = frozenset(
    {
        "subexpression",
        "index_expression",
        "pipe",
        "projection",
        "filter_projection",
        "value_projection",
        "flatten",
    }
)
_OF_ALL: Final = frozenset(
    {
        "and_expression",
        "or_expression",
        "not_expression",
        "comparator",
        "function_expression",
        "multi_select_list",
        "multi_select_dict",
    }
)


def _reads_fields(node: Node) -> bool:
    """Whether a node reads a field of what it is evaluated on."""
    if node.type in _OF_FIRST:
        return _reads_fields(node.children[0])
    if node.type in _OF_ALL:
        return any(_reads_fields(child) for child in node.children)
    return node.type == "field"


_VALUES: Final[dict[str, Callable[[Writer, Node, Atom], Atom]]] = {
    "field": Writer._field,
    "current": Writer._current,
    "identity": Writer._current,
    "literal": Writer._literal,
    "subexpression": Writer._sequence,
    "pipe": Writer._sequence,
    "index_expression": Writer._sequence,
    "index": Writer._index,
    "slice": Writer._slice,
    "multi_select_list": Writer._multi_select_list,
    "multi_select_dict": Writer._multi_select_dict,
    "projection": Writer._projection,
    "value_projection": Writer._value_projection,
    "filter_projection": Writer._filter_projection,
    "flatten": Writer._flatten,
    "and_expression": Writer._and_value,
    "or_expression": Writer._or_value,
    "not_expression": Writer._not,
    "comparator": Writer._comparator,
    "function_expression": Writer._function,
}
_TESTS: Final[dict[str, Callable[[Writer, Node, Atom], str]]] = {
    "projection": Writer._projection_test,
    "filter_projection": Writer._filter_test,
    "and_expression": Writer._and_test,
    "or_expression": Writer._or_test,
}
