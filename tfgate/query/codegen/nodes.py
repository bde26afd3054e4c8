"""Expressions written out as Python, one method for each type of node.

Two things are asked of a node: its value, and whether it is truthy, which is often less work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.codegen.source import Atom, Source, Unsuited
from tfgate.query.functions.registry import NOT_LITERAL
from tfgate.query.nodes.comparing import ORDERINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.nodes.node import Node

    Calls = Callable[["Writer", Node, Atom], Atom]

DOCUMENT: Final = Atom("d", is_object=True, known=True)
"""What the expression is evaluated on."""
_NUMBERS: Final = frozenset({int, float})
_TYPE_TESTS: Final = {
    str: "type({0}) is str",
    int: "(type({0}) is int or type({0}) is float)",
    float: "(type({0}) is int or type({0}) is float)",
}


class Writer:
    """Writes one expression into a `Source`; ``calls`` writes those of functions."""

    def __init__(self, source: Source, calls: Calls) -> None:
        self.source = source
        self._calls = calls

    def value(self, node: Node, at: Atom) -> Atom:
        """Write what gives the value of ``node`` on ``at``."""
        write = _VALUES.get(node.type)
        if write is None:
            raise Unsuited
        return write(self, node, at)

    def test(self, node: Node, at: Atom) -> str:
        """Write what gives the truth of ``node`` on ``at``: a name that Python may ask."""
        write = _TESTS.get(node.type)
        return self.truth(self.value(node, at)) if write is None else write(self, node, at)

    def truth(self, atom: Atom) -> str:
        """Give a name whose truth in Python is the value's in JMESPath."""
        if atom.direct:
            return atom.name
        x = atom.name
        return self.source.assign(
            f"{x} if {x} is None or {x} is True or {x} is False else truthy({x})"
        )

    def object_of(self, element: Atom, *nodes: Node | None) -> Atom:
        """Leave it to the evaluator where ``nodes`` read fields of what is no object."""
        if element.is_object or not any(node and _reads_fields(node) for node in nodes):
            return element
        self.source.decline_if(f"type({element.name}) is not dict")
        return element._replace(is_object=True, known=True)

    def loop(self, base: Atom, cost: int, kind: type[_Loop] | None = None) -> _Loop:
        """Begin a loop over what may be a list."""
        return (kind or _Loop)(self.source, base, cost)

    def _field(self, node: Node, at: Atom) -> Atom:
        key = ("field", at.name, node.ast["value"])
        found = self.source.find(key)
        if found is not None:
            return found
        name, x = self.source.constant(node.ast["value"]), at.name
        got = f"{x}.get({name})"
        if not at.is_object:
            got += f" if type({x}) is dict else nil({x})"
        return self.source.keep(key, Atom(self.source.assign(got)))

    def _current(self, node: Node, at: Atom) -> Atom:
        return at

    def _literal(self, node: Node, at: Atom) -> Atom:
        value = node.ast["value"]
        direct = type(value) not in _NUMBERS
        name = self.source.constant(value)
        return Atom(name, direct, is_object=type(value) is dict, known=True, literal=True)

    def _sequence(self, node: Node, at: Atom) -> Atom:
        for part in node.children:
            at = self.value(part, at)
        return at

    def _index(self, node: Node, at: Atom) -> Atom:
        position, x = int(node.ast["value"]), at.name
        if abs(position) > 1_000_000:
            raise Unsuited
        enough = {0: x, -1: x}.get(position)
        if enough is None:
            enough = f"len({x}) > {position}" if position > 0 else f"len({x}) >= {-position}"
        return Atom(
            self.source.assign(f"{x}[{position}] if type({x}) is list and {enough} else nil({x})")
        )

    def _slice(self, node: Node, at: Atom) -> Atom:
        start, stop, step = node.ast["children"]
        if step == 0:
            raise Unsuited
        bounds = self.source.constant(slice(start, stop, step))
        return Atom(self.source.assign(f"cut({at.name}, {bounds})"), direct=True, known=True)

    def _multi_select_list(self, node: Node, at: Atom) -> Atom:
        return self._made(at, lambda at: f"[{', '.join(self._names(node.children, at))}]")

    def _multi_select_dict(self, node: Node, at: Atom) -> Atom:
        keys = [self.source.constant(pair["value"]) for pair in node.ast["children"]]

        def build(at: Atom) -> str:
            values = self._names(node.children, at)
            return f"{{{', '.join(f'{k}: {v}' for k, v in zip(keys, values, strict=True))}}}"

        return self._made(at, build)

    def _names(self, nodes: Sequence[Node], at: Atom) -> list[str]:
        return [self.value(node, at).name for node in nodes]

    def _made(self, at: Atom, build: Callable[[Atom], str]) -> Atom:
        """Write what is made of anything but null."""
        if at.is_object:
            return Atom(self.source.assign(build(at)), direct=True, known=True)
        made = self.source.assign("None")
        with self.source.block(f"if {at.name} is not None"):
            self.source.decline_if(f"type({at.name}) is Unknown")
            self.source.line(f"{made} = {build(at)}")
        return Atom(made, direct=True, known=True)

    def _projection(self, node: Node, at: Atom) -> Atom:
        base, body = node.children
        return self._project(self.value(base, at), body)

    def _projection_test(self, node: Node, at: Atom) -> str:
        base, body = node.children
        return self._project(self.value(base, at), body, _Finds).name

    def _value_projection(self, node: Node, at: Atom) -> Atom:
        base, body = node.children
        x = self.value(base, at).name
        values = self.source.assign(f"list({x}.values()) if type({x}) is dict else nil({x})")
        return self._project(Atom(values), body)

    def _project(self, base: Atom, body: Node, kind: type[_Loop] | None = None) -> Atom:
        with self.loop(base, body.weight, kind) as loop:
            self._collect(body, loop.element, loop)
        return Atom(loop.out, direct=True, known=True)

    def _filter_projection(self, node: Node, at: Atom) -> Atom:
        return self._filter(node, at, None)

    def _filter_test(self, node: Node, at: Atom) -> str:
        return self._filter(node, at, _Finds).name

    def _filter(self, node: Node, at: Atom, kind: type[_Loop] | None) -> Atom:
        base, predicate, body = node.children
        with self.loop(self.value(base, at), predicate.weight + body.weight, kind) as loop:
            element = self.object_of(loop.element, predicate)
            with self.source.block(f"if {self.test(predicate, element)}"):
                self._collect(body, element, loop)
        return Atom(loop.out, direct=True, known=True)

    def _collect(self, body: Node, element: Atom, loop: _Loop) -> None:
        """Write what takes the body's value, unless it is null."""
        found = self.value(body, self.object_of(element, body))
        if found.is_object:
            self.source.line(loop.take(found.name))
            return
        with self.source.block(f"if {found.name} is not None"):
            if not found.known:
                self.source.decline_if(f"type({found.name}) is Unknown")
            self.source.line(loop.take(found.name))

    def _flatten(self, node: Node, at: Atom) -> Atom:
        (base,) = node.children
        with self.loop(self.value(base, at), 1) as loop:
            element = loop.element.name
            with self.source.block(f"if type({element}) is list"):
                self.source.spend(f"len({element})")
                self.source.line(f"{loop.out}.extend({element})")
            with self.source.block("else"):
                self.source.decline_if(f"type({element}) is Unknown")
                self.source.line(loop.take(element))
        return Atom(loop.out, direct=True, known=True)

    def _and_value(self, node: Node, at: Atom) -> Atom:
        return self._chain_value(node, at, "if {}")

    def _or_value(self, node: Node, at: Atom) -> Atom:
        return self._chain_value(node, at, "if not {}")

    def _chain_value(self, node: Node, at: Atom, header: str) -> Atom:
        out, direct = self.source.fresh(), []

        def write(parts: Sequence[Node]) -> None:
            found = self.value(parts[0], at)
            direct.append(found.direct)
            self.source.line(f"{out} = {found.name}")
            if len(parts) > 1:
                with self.source.block(header.format(self.truth(found))):
                    write(parts[1:])

        write(node.children)
        return Atom(out, direct=all(direct))

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
        name = self.source.assign(f"not {self.test(operand, at)}")
        return Atom(name, direct=True, known=True)

    def _comparator(self, node: Node, at: Atom) -> Atom:
        left, right = (self.value(child, at) for child in node.children)
        name = node.ast["value"]
        if name in ORDERINGS:
            written = self._ordering(name, left, right, node.children[1])
        else:
            written = self._equality(name == "eq", left, right, node.children)
        return Atom(self.source.assign(written), direct=True, known=True)

    def _ordering(self, name: str, left: Atom, right: Atom, against: Node) -> str:
        state = self.source.state
        x, y = left.name, right.name
        if not against.is_literal or type(against.ast["value"]) not in _NUMBERS:
            return f"order(order_{name}, {x}, {y}, {state()})"
        sign = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[name]
        is_number = f"type({x}) is int or type({x}) is float"
        return f"{x} {sign} {y} if {is_number} else order(order_{name}, {x}, {y}, {state()})"

    def _equality(self, wanted: bool, left: Atom, right: Atom, nodes: Sequence[Node]) -> str:
        x, y = left.name, right.name
        if nodes[0].is_literal and not nodes[1].is_literal:
            x, y, nodes = y, x, nodes[::-1]
        sign, negated = ("==", "") if wanted else ("!=", "not ")
        constant = nodes[1].ast["value"] if nodes[1].is_literal else NOT_LITERAL
        if constant is None or constant is True or constant is False:
            return f"{negated}({x} is {y} or no({x}))"
        if type(constant) in _TYPE_TESTS:
            is_alike = _TYPE_TESTS[type(constant)].format(x)
            return f"{x} {sign} {y} if {is_alike} else {negated}no({x})"
        both = f"type({x}) is str and type({y}) is str"
        otherwise = f"{negated}same({x}, {y}, {self.source.state()})"
        return f"{x} {sign} {y} if {both} else {otherwise}"

    def _function(self, node: Node, at: Atom) -> Atom:
        return self._calls(self, node, at)


class _Loop:
    """A loop over the elements of what may be a list; it fills the list ``out``."""

    empty = "[]"

    def __init__(self, source: Source, base: Atom, cost: int) -> None:
        self._source = source
        self._base = base.name
        self._cost = cost
        self._blocks: list[Any] = []
        self.element = Atom(source.fresh())
        self.out = source.fresh()

    def take(self, name: str) -> str:
        """Give the line that takes a value."""
        return f"{self.out}.append({name})"

    def __enter__(self) -> _Loop:
        source, x = self._source, self._base
        self._open(f"if type({x}) is not list")
        source.line(f"{self.out} = nil({x})")
        self._close()
        self._open("else")
        source.spend(f"len({x}) * {self._cost}" if self._cost != 1 else f"len({x})")
        source.line(f"{self.out} = {self.empty}")
        self._open(f"for {self.element.name} in {x}")
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._close()
            self._close()

    def _open(self, header: str) -> None:
        block = self._source.block(header)
        block.__enter__()
        self._blocks.append(block)

    def _close(self) -> None:
        self._blocks.pop().__exit__(None, None, None)


class _Finds(_Loop):
    """A loop of which nothing is asked but whether it takes a value: ``out`` is true then."""

    empty = "False"

    def take(self, name: str) -> str:
        """Give the line that takes a value."""
        return f"{self.out} = True"


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


def _test_of(value: Callable[[Writer, Node, Atom], Atom]) -> Callable[[Writer, Node, Atom], str]:
    return lambda writer, node, at: value(writer, node, at).name


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
_TESTS: Final = {
    "projection": Writer._projection_test,
    "filter_projection": Writer._filter_test,
    "and_expression": Writer._and_test,
    "or_expression": Writer._or_test,
}
