"""Function calls written out: those that rules make all the time in place, the others as calls.

A call is written for arguments of the types that the function takes, with nothing unknown in them
unless the function takes that; everything else is left to the evaluator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tfgate.query.codegen.source import LONG, Atom, Source, Unsuited
from tfgate.query.equality import has_unknown
from tfgate.query.functions.builtin import is_builtin
from tfgate.query.functions.registry import NOT_LITERAL, MayRaise
from tfgate.query.nodes.site import CONTAINER_TYPES, PYTHON_TYPES, python_types
from tfgate.query.values import ANYTHING, EXPREF, Expref

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.codegen.nodes import Writer
    from tfgate.query.functions.registry import Function
    from tfgate.query.nodes.node import Node

_ATOMS: Final = frozenset({str, int, float, bool, type(None)})
_QUANTIFIERS: Final = {"any": ("False", "if {}", "True"), "all": ("True", "if not {}", "False"),
                       "none": ("True", "if {}", "False")}  # fmt: skip
"""What a quantifier is at first, when it turns, and to what."""


class Value(NamedTuple):
    """The function of a ``let`` value."""

    call: Callable[[Any, dict[Any, Any], Any], Any]
    """Gives the value on a document, or `DECLINED`; takes what was found before, and the scope."""
    scoped: bool
    """Whether it wants a scope."""


class Surroundings(Protocol):
    """What the expressions of a rule may refer to by name."""

    def constant(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Give what a call with these literals always gives, `NOT_LITERAL` if it varies."""

    def variable(self, name: str) -> Value | None:
        """Give the function of a ``let`` value, None where there is none."""


class Calls:
    """Writes the function calls of one expression."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.scoped = False
        """Whether a call wants the scope."""

    def __call__(self, writer: Writer, node: Node, at: Atom) -> Atom:
        """Write the call ``node`` on ``at``."""
        function, source = node.function, writer.source
        assert function is not None, "the compiler knows the function of every call"
        literals = tuple(_literal(child) for child in node.children)
        constant = self._surroundings.constant(function.name, literals)
        if constant is not NOT_LITERAL:
            return _constant(source, constant)
        if function.name == "var" and function.scope:
            return self._variable(source, literals[0])
        ours = is_builtin(function)
        if ours and function.name in _QUANTIFIERS:
            return self._quantifier(writer, node, at)
        arguments = [
            self._reference(source, function, index, child)
            if child.type == "expref"
            else writer.value(child, at)
            for index, child in enumerate(node.children)
        ]
        write = _IN_PLACE.get(function.name) if ours else None
        written = write(source, arguments, node) if write is not None else None
        return written or self._call(source, function, arguments, node)

    def _reference(self, source: Source, function: Function, index: int, node: Node) -> Atom:
        if function.parameter(index).mask != EXPREF:
            raise Unsuited  # a reference that is passed on as a value
        (body,) = node.children
        parts = [source.constant(part) for part in (Expref, body.value, body.test)]
        make = f"{parts[0]}({parts[1]}, {parts[2]}, {source.state()}, {body.weight})"
        return Atom(source.assign(make), direct=True, known=True)

    def _variable(self, source: Source, name: Any) -> Atom:
        variable = self._surroundings.variable(name) if type(name) is str else None
        if variable is None:
            raise Unsuited
        kept = source.find(("var", name))
        if kept is not None:
            return kept
        self.scoped = self.scoped or variable.scoped
        call = source.constant(variable.call)
        value = source.assign(f"lets.get({call}, MISSING)")
        with source.block(f"if {value} is MISSING"):
            source.line(f"{value} = lets[{call}] = {call}(d, lets, scope)")
        source.decline_if(f"{value} is DECLINED")
        return source.keep(("var", name), Atom(value))

    def _quantifier(self, writer: Writer, node: Node, at: Atom) -> Atom:
        """Write a loop that looks at every element: an error in any of them is the evaluator's."""
        source = writer.source
        first, turns, last = _QUANTIFIERS[node.ast["value"]]
        elements, *condition = node.children
        if condition and condition[0].type != "expref":
            raise Unsuited
        x = writer.value(elements, at).name
        source.decline_if(f"type({x}) is not list")
        body = condition[0].children[0] if condition else None
        source.spend(f"len({x}) * {1 + body.weight if body else 1}")
        result, element = source.assign(first), Atom(source.fresh())
        with source.block(f"for {element.name} in {x}"):
            element = writer.object_of(element, body)
            truth = writer.test(body, element) if body else writer.truth(element)
            with source.block(turns.format(truth)):
                source.line(f"{result} = {last}")
        return Atom(result, direct=True, known=True)

    def _call(
        self, source: Source, function: Function, arguments: Sequence[Atom], node: Node
    ) -> Atom:
        """Write a call of the function itself."""
        for index, argument in enumerate(arguments):
            if not _is_fit(node.children[index], function, index):
                _check(source, argument, function, index)
        self.scoped = self.scoped or function.scope
        run, prefix = self._callee(source, function, node)
        names = ", ".join([*prefix, *(argument.name for argument in arguments)])
        result = source.assign(f"{source.constant(run)}({names})")
        if source.wants_state:
            source.decline_if("state.dirty or state.may_raise")
        if function.handles_unknown:
            source.decline_if(f"type({result}) is {source.constant(MayRaise)}")
        kinds = {name.partition("-")[0] for name in function.returns.split("|")}
        direct = not kinds & {"any", "number", "expref"}
        return Atom(result, direct=direct, known=not function.handles_unknown)

    def _callee(
        self, source: Source, function: Function, node: Node
    ) -> tuple[Callable[..., Any], list[str]]:
        if function.dynamic is not None and not node.children[1].is_literal:
            return function.dynamic, [source.state()]
        if function.state:
            return function.call, [source.state()]
        if function.scope:
            return function.call, ["scope"]
        return function.call, []


def _literal(node: Node) -> Any:
    return node.ast["value"] if node.is_literal else NOT_LITERAL


def _constant(source: Source, value: Any) -> Atom:
    direct = type(value) not in (int, float)
    name = source.constant(value)
    return Atom(name, direct, is_object=type(value) is dict, known=True, literal=True)


def _is_fit(node: Node, function: Function, index: int) -> bool:
    """Whether a literal was found to fit when the expression was compiled."""
    parameter = function.parameter(index)
    return node.is_literal and type(node.ast["value"]) in python_types(parameter.mask, PYTHON_TYPES)


def _check(source: Source, argument: Atom, function: Function, index: int) -> None:
    """Write what leaves an argument of another type, or with an unknown in it, to the evaluator."""
    parameter, x = function.parameter(index), argument.name
    atoms = python_types(parameter.mask, PYTHON_TYPES)
    containers = python_types(parameter.mask, CONTAINER_TYPES)
    takes_anything = not (ANYTHING | EXPREF) & ~parameter.mask
    if not takes_anything:
        types = sorted(atoms | containers, key=lambda kind: kind.__name__)
        if len(types) == 1:
            source.decline_if(f"type({x}) is not {source.constant(types[0])}")
        else:
            source.decline_if(f"type({x}) not in {source.constant(frozenset(types))}")
    if parameter.element_mask:
        inner = source.constant(python_types(parameter.element_mask, PYTHON_TYPES))
        with source.block(f"if type({x}) is list"):
            source.spend(f"len({x})")
            with source.block(f"for e in {x}"):
                source.decline_if(f"type(e) not in {inner}")
    elif not function.handles_unknown and (containers or takes_anything):
        look = source.constant(has_unknown)
        is_atom = f"type({x}) not in {source.constant(_ATOMS)}"
        source.decline_if(f"{is_atom} and {look}({x}, {source.state()})")


def _contains(source: Source, arguments: Sequence[Atom], node: Node) -> Atom | None:
    subject, sought = arguments
    x, y = subject.name, sought.name
    if subject.literal:
        values = source.value_of(x)
        if type(values) is list and all(type(value) in _ATOMS for value in values):
            among = source.constant(frozenset(values))
            source.decline_if(f"type({y}) not in {source.constant(_ATOMS)}")
            return Atom(source.assign(f"{y} in {among}"), direct=True, known=True)
    if node.children[1].is_literal and type(node.children[1].ast["value"]) is str:
        return Atom(source.assign(f"holds({x}, {y})"), direct=True, known=True)
    return None


def _to_array(source: Source, arguments: Sequence[Atom], node: Node) -> Atom:
    x = arguments[0].name
    name = source.assign(f"{x} if type({x}) is list else one({x})")
    return Atom(name, direct=True, known=True)


def _not_null(source: Source, arguments: Sequence[Atom], node: Node) -> Atom:
    *early, last = [argument.name for argument in arguments]
    chain = "".join(f"{x} if {x} is not None else " for x in early) + last
    name = source.assign(chain)
    source.decline_if(f"type({name}) is Unknown")
    direct = all(argument.direct for argument in arguments)
    return Atom(name, direct, known=True)


def _method(name: str) -> Callable[[Source, Sequence[Atom], Node], Atom]:
    """Write a method of strings that are short enough for their length not to matter."""

    def write(source: Source, arguments: Sequence[Atom], node: Node) -> Atom:
        for argument, child in zip(arguments, node.children, strict=True):
            x = argument.name
            if not (child.is_literal and type(child.ast["value"]) is str):
                source.decline_if(f"type({x}) is not str or len({x}) > {LONG}")
        subject, *rest = [argument.name for argument in arguments]
        made = source.assign(f"{subject}.{name}({', '.join(rest)})")
        return Atom(made, direct=True, known=True)

    return write


_IN_PLACE: Final[dict[str, Callable[[Source, Sequence[Atom], Node], Atom | None]]] = {
    "contains": _contains,
    "ends_with": _method("endswith"),
    "lower": _method("lower"),
    "not_null": _not_null,
    "starts_with": _method("startswith"),
    "to_array": _to_array,
    "upper": _method("upper"),
}
"""Functions of ours that are written in place, where their arguments are of the usual kinds."""
