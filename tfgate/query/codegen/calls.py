"""Function calls written out, as calls of what the function is made of.

A call is written for arguments of the types that the function takes, with nothing unknown in them
unless the function takes that; everything else is left to the evaluator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tfgate.query.codegen.inplace import IN_PLACE
from tfgate.query.codegen.nodes import DOCUMENT
from tfgate.query.codegen.source import Atom, Source, Unsuited, literal, made
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

_QUANTIFIERS: Final = {"any": ("False", "if {}", "True"), "all": ("True", "if not {}", "False"),
                       "none": ("True", "if {}", "False")}  # fmt: skip
"""What a quantifier is at first, when it turns, and to what."""
_KINDS: Final[dict[str, type]] = {"boolean": bool, "string": str, "array": list, "object": dict}


class Value(NamedTuple):
    """A ``let`` value."""

    node: Node
    call: Callable[[Any, dict[Any, Any], Any], Any]
    """Gives the value on a document, or `DECLINED`; takes what was found before, and the scope."""
    scoped: bool
    """Whether it wants a scope."""


class Surroundings(Protocol):
    """What the expressions of a rule may refer to by name."""

    def constant(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Give what a call with these literals always gives, `NOT_LITERAL` if it varies."""

    def variable(self, name: str) -> Value | None:
        """Give a ``let`` value, None where there is none of that name or none can be generated."""


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
        literals = tuple(c.ast["value"] if c.is_literal else NOT_LITERAL for c in node.children)
        constant = self._surroundings.constant(function.name, literals)
        if constant is not NOT_LITERAL:
            return literal(source, constant)
        if function.name == "var" and function.scope:
            return self._variable(writer, literals[0])
        ours = is_builtin(function)
        if ours and function.name in _QUANTIFIERS:
            return self._quantifier(writer, node, at)
        arguments = [
            self._reference(source, function, index, child)
            if child.type == "expref"
            else source.sure(writer.value(child, at))
            for index, child in enumerate(node.children)
        ]
        write = IN_PLACE.get(function.name) if ours else None
        written = write(source, arguments) if write is not None else None
        return written or self._call(source, function, arguments)

    def _reference(self, source: Source, function: Function, index: int, node: Node) -> Atom:
        if function.parameter(index).mask != EXPREF or not function.handles_unknown:
            raise Unsuited  # passed on as a value, or it may give something unknown to who is none
        (body,) = node.children
        parts = [source.constant(part) for part in (Expref, body.value, body.test)]
        make = f"{parts[0]}({parts[1]}, {parts[2]}, {source.state()}, {body.weight})"
        return made(source.assign(make), Expref)

    def _variable(self, writer: Writer, name: Any) -> Atom:
        variable = self._surroundings.variable(name) if type(name) is str else None
        if variable is None:
            raise Unsuited
        if _is_path(variable.node):
            return writer.value(variable.node, DOCUMENT)
        source = writer.source
        kept = source.find(("var", name))
        if kept is not None:
            return kept
        self.scoped = self.scoped or variable.scoped
        call = source.constant(variable.call)
        value = source.assign(f"lets.get({call}, MISSING)")
        with source.block(f"if {value} is MISSING"):
            source.line(f"{value} = lets[{call}] = {call}(d, lets, scope)")
        source.decline_if(f"{value} is DECLINED")
        return source.keep(("var", name), Atom(value, known=True))

    def _quantifier(self, writer: Writer, node: Node, at: Atom) -> Atom:
        """Write a loop that looks at every element: an error in any of them is the evaluator's."""
        source = writer.source
        first, turns, last = _QUANTIFIERS[node.ast["value"]]
        elements, *condition = node.children
        if condition and condition[0].type != "expref":
            raise Unsuited
        x = source.ensure(writer.value(elements, at), list).name
        body = condition[0].children[0] if condition else None
        source.spend(f"len({x}) * {1 + body.weight if body else 1}")
        result, each = source.assign(first), Atom(source.fresh())
        with source.block(f"for {each.name} in {x}"):
            element = writer.object_of(each, body)
            truth = writer.test(body, element) if body else writer.truth(element)
            with source.block(turns.format(truth)):
                source.line(f"{result} = {last}")
        return made(result, bool)

    def _call(self, source: Source, function: Function, arguments: Sequence[Atom]) -> Atom:
        """Write a call of the function itself."""
        for index, argument in enumerate(arguments):
            _check(source, argument, function, index)
        self.scoped = self.scoped or function.scope
        run, prefix = _callee(source, function, arguments)
        names = ", ".join([*prefix, *(argument.name for argument in arguments)])
        result = source.assign(f"{source.constant(run)}({names})")
        if function.handles_unknown:
            if source.wants_state:
                source.decline_if("state.dirty or state.may_raise")
            # Functions that look beyond the document may give lists that are not known whole.
            source.decline_if(f"type({result}) is {source.constant(MayRaise)}")
            source.decline_if(f"type({result}) is list and uncertain({result})")
            return Atom(result)
        return _of(result, function)


def _is_path(node: Node) -> bool:
    """Whether a value is nothing but a field of a field: finding it again costs nothing."""
    if node.type == "subexpression":
        return all(child.type == "field" for child in node.children)
    return node.type == "field"


def _callee(
    source: Source, function: Function, arguments: Sequence[Atom]
) -> tuple[Callable[..., Any], list[str]]:
    if function.dynamic is not None and not arguments[1].literal:
        return function.dynamic, [source.state()]
    if function.state:
        return function.call, [source.state()]
    if function.scope:
        return function.call, ["scope"]
    return function.call, []


def _of(name: str, function: Function) -> Atom:
    """Give the result of a function that knows no unknowns; one of a plugin may be anything."""
    returns = function.returns.partition("-")[0]
    if function.standard and returns in _KINDS:
        return made(name, _KINDS[returns])
    return Atom(name, known=True)


def _check(source: Source, argument: Atom, function: Function, index: int) -> None:
    """Write what leaves an argument of another type, or with an unknown in it, to the evaluator."""
    parameter, x = function.parameter(index), argument.name
    atoms = python_types(parameter.mask, PYTHON_TYPES)
    containers = python_types(parameter.mask, CONTAINER_TYPES)
    takes_anything = not (ANYTHING | EXPREF) & ~parameter.mask
    if not takes_anything and argument.kind not in atoms | containers:
        types = source.constant(atoms | containers)
        source.decline_if(f"type({x}) not in {types}")
    if parameter.element_mask:
        inner = source.constant(python_types(parameter.element_mask, PYTHON_TYPES))
        with source.block(f"if type({x}) is list"):
            source.spend(f"len({x})")
            with source.block(f"for e in {x}"):
                source.decline_if(f"type(e) not in {inner}")
        return
    may_hold = (containers or takes_anything) and argument.kind in (None, list, dict)
    if may_hold and not function.handles_unknown:
        look = source.constant(has_unknown)
        source.decline_if(f"type({x}) not in ATOMS and {look}({x}, {source.state()})")
