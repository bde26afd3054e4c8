"""The place of one function call: checks arguments, unknown ones included, and explains errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from tfgate.query.equality import has_unknown
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import MayRaise
from tfgate.query.tree import Literal
from tfgate.query.values import (
    BOOLEANS,
    EXPREF,
    LISTS,
    NULL,
    NUMBER,
    OBJECTS,
    STRINGS,
    Expref,
    Maybe,
    Unknown,
    kinds,
    make,
    restrict,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.functions.registry import Function, Parameter
    from tfgate.query.nodes.node import Node
    from tfgate.query.state import Closure, State


_PYTHON_TYPES: Final[dict[int, tuple[type, ...]]] = {
    NULL: (type(None),),
    BOOLEANS: (bool,),
    NUMBER: (int, float),
    STRINGS: (str,),
}
_CONTAINER_TYPES: Final[dict[int, tuple[type, ...]]] = {
    LISTS: (list,),
    OBJECTS: (dict,),
    EXPREF: (Expref,),
}
_CHECKED: Final = 20
"""Steps of looking at arguments one by one."""
_NAMES: Final = {
    NULL: "null",
    BOOLEANS: "a boolean",
    NUMBER: "a number",
    STRINGS: "a string",
    LISTS: "an array",
    OBJECTS: "an object",
    EXPREF: "an expression reference",
}


class _UnknownInside(Exception):  # noqa: N818 - no error: the call has no known result
    """A function that does not take unknowns was about to get one from an expression."""


class _Known:
    """An expression reference for a function that does not take unknowns."""

    def __init__(self, reference: Expref) -> None:
        self._reference = reference

    def __call__(self, value: Any) -> Any:
        found = self._reference(value)
        if has_unknown(found, self._reference.state):
            raise _UnknownInside
        return found


class Site:
    """One place where a function is called."""

    def __init__(self, function: Function, count: int, position: int | None) -> None:
        self.function = function
        self.position = position
        self.parameters = [function.parameter(i) for i in range(count)]
        self.masks = [(p.mask, p.element_mask) for p in self.parameters]
        self.plain = [_plain_types(p, function.state) for p in self.parameters]
        self.plain_elements = [_python_types(e, _PYTHON_TYPES) for _, e in self.masks]

    def checked(self, arguments: list[Any], state: State) -> Any:
        """Check the arguments one by one, unknown ones included, then call."""
        state.spend(_CHECKED)
        arguments = [self._argument(i, found, state) for i, found in enumerate(arguments)]
        function = self.function
        if not function.handles_unknown and any(has_unknown(a, state) for a in arguments):
            return self._unknown(state)
        if not function.handles_unknown:
            arguments = [_Known(a) if type(a) is Expref else a for a in arguments]
        try:
            result = function.call(*self._prefix(state), *arguments)
        except _UnknownInside:
            return self._unknown(state)
        except Exception as error:
            self.explain(error)
        return self.accepted(result, state) if function.handles_unknown else result

    def _unknown(self, state: State) -> Any:
        """Return the result of a call that would have to look at something unknown."""
        state.may_raise = state.may_raise or not self.function.total
        return make(self.function.return_mask)

    def accepted(self, result: Any, state: State) -> Any:
        """Take what a function gave that may give unknown values, or say that it may raise."""
        if type(result) is MayRaise:
            state.may_raise = True
            return result.value
        return result

    def _prefix(self, state: State) -> tuple[Any, ...]:
        if self.function.state:
            return (state,)
        return (state.scope,) if self.function.scope else ()

    def _argument(self, index: int, found: Any, state: State) -> Any:
        allowed, elements = self.masks[index]
        found = self._restricted(index, found, allowed, state)
        if type(found) is Unknown and not found.mask & ~LISTS and self.function.state:
            found = some(found.mask)
        if elements and type(found) is list:
            return self._elements(index, found, elements, state)
        return found

    def _restricted(self, index: int, found: Any, allowed: int, state: State) -> Any:
        if type(found) is list:
            state.spend(len(found) >> 4)
        mask = kinds(found)
        if not mask & ~allowed:
            return found
        if not mask & allowed:
            self._wrong_type(index, mask)
        state.may_raise = True
        return restrict(found, allowed)

    def _elements(self, index: int, found: list[Any], allowed: int, state: State) -> list[Any]:
        """Check the elements of an ``array-string`` or the like."""
        state.spend(len(found))
        kept = []
        for element in found:
            if type(element) is not Maybe:
                kept.append(self._restricted(index, element, allowed, state))
            elif kinds(element.value) & allowed:
                value = self._restricted(index, element.value, allowed, state)
                kept.append(state.maybe(value, element.many))
            else:
                state.may_raise = True
        return kept

    def _wrong_type(self, index: int, mask: int) -> NoReturn:
        parameter = self.parameters[index]
        got = next((name for kind, name in _NAMES.items() if mask & ~kind == 0), "something else")
        raise EvaluationError(
            f"{self.function.name}() takes {parameter.types.replace('|', ' or ')} as"
            f" {parameter.name}, not {got}.",
            function=self.function.name,
            position=self.position,
        )

    def explain(self, error: Exception) -> NoReturn:
        """Raise what went wrong in the function as an error that names it and its place."""
        if isinstance(error, RecursionError | MemoryError):
            raise error
        if isinstance(error, EvaluationError):
            if error.function is None:
                error.function, error.position = self.function.name, self.position
            raise error
        reason = self.function.errors or "It does not accept these values."
        raise EvaluationError(
            f"{self.function.name}() refused its arguments: {reason}",
            kind="invalid-type" if isinstance(error, TypeError) else "invalid-value",
            function=self.function.name,
            position=self.position,
        ) from None


def _plain_types(parameter: Parameter, containers: bool) -> frozenset[type]:
    """Python types that need no further look: fitting, and with nothing unknown inside."""
    types = _python_types(parameter.mask, _PYTHON_TYPES)
    if containers and not parameter.element_mask:
        types |= _python_types(parameter.mask, _CONTAINER_TYPES)
    return types


def _python_types(mask: int, table: dict[int, tuple[type, ...]]) -> frozenset[type]:
    return frozenset(found for kind, types in table.items() if mask & kind for found in types)


# --- Function calls: one closure for each common shape of call.


def call(function: Function, arguments: Sequence[Node], position: int | None) -> Closure:
    """Compile a call. Arguments of plain, fitting types go straight to the function."""
    site = Site(function, len(arguments), position)
    nodes = [argument.value for argument in arguments]
    if len(nodes) == 1:
        if function.scope and function.handles_unknown:
            return _unary_with_scope(site, nodes[0])
        if not function.scope:
            return _unary(site, nodes[0])
    if len(nodes) == 2 and not function.scope and (function.state or not function.handles_unknown):
        second = arguments[1].tree
        if isinstance(second, Literal) and type(second.value) in site.plain[1]:
            return _binary_with_literal(site, nodes[0], second.value)
        return _binary(site, nodes[0], nodes[1])

    def several(value: Any, state: State) -> Any:
        return site.checked([node(value, state) for node in nodes], state)

    return several


def _unary(site: Site, argument: Closure) -> Closure:
    (plain,), (elements,) = site.plain, site.plain_elements
    run, with_state = site.function.call, site.function.state
    if site.function.plain is not None and elements:
        return _unary_over_elements(site, argument, site.function.plain)
    if site.function.handles_unknown and not with_state:
        return lambda value, state: site.checked([argument(value, state)], state)

    def one(value: Any, state: State) -> Any:
        found = argument(value, state)
        if type(found) not in plain:
            return site.checked([found], state)
        try:
            return run(state, found) if with_state else run(found)
        except Exception as error:
            site.explain(error)

    return one


def _unary_over_elements(site: Site, argument: Closure, run: Callable[..., Any]) -> Closure:
    """Compile a call on a list all elements of which must be known and of one type."""
    (elements,) = site.plain_elements

    def one(value: Any, state: State) -> Any:
        found = argument(value, state)
        if type(found) is not list:
            return site.checked([found], state)
        for element in found:
            if type(element) not in elements:
                return site.checked([found], state)
        state.left -= len(found)
        try:
            return run(found)
        except Exception as error:
            site.explain(error)

    return one


def _unary_with_scope(site: Site, argument: Closure) -> Closure:
    """Compile a call like ``param('name')``."""
    (plain,), run = site.plain, site.function.call
    with_state = site.function.state

    def one(value: Any, state: State) -> Any:
        found = argument(value, state)
        if type(found) not in plain:
            return site.checked([found], state)
        try:
            result = run(state if with_state else state.scope, found)
        except Exception as error:
            site.explain(error)
        return site.accepted(result, state)

    return one


def _binary(site: Site, first: Closure, second: Closure) -> Closure:
    (plain, other), dynamic = site.plain, site.function.dynamic
    run = dynamic or site.function.call
    with_state = site.function.state or dynamic is not None

    def two(value: Any, state: State) -> Any:
        left, right = first(value, state), second(value, state)
        if type(left) not in plain or type(right) not in other:
            return site.checked([left, right], state)
        try:
            return run(state, left, right) if with_state else run(left, right)
        except Exception as error:
            site.explain(error)

    return two


def _binary_with_literal(site: Site, first: Closure, right: Any) -> Closure:
    plain, run = site.plain[0], site.function.call
    with_state = site.function.state

    def two(value: Any, state: State) -> Any:
        left = first(value, state)
        if type(left) not in plain:
            return site.checked([left, right], state)
        try:
            return run(state, left, right) if with_state else run(left, right)
        except Exception as error:
            site.explain(error)

    return two
