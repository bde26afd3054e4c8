"""Function calls: one closure for each common shape of call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.nodes.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.query.functions.registry import Function
    from tfgate.query.nodes.node import Node
    from tfgate.query.state import Closure, State


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
        if arguments[1].is_literal and type(arguments[1].ast["value"]) in site.plain[1]:
            return _binary_with_literal(site, nodes[0], arguments[1].ast["value"])
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
