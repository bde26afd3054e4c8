"""``let``, the variables it binds, those given from outside, and ``$``.

A scope is lexical: the compiler gives every binding a slot of its own. What a slot holds is the
state's. A slot is never bound anew while something that was bound to it is in use: nothing in the
language calls itself, and a ``&`` expression does not leave the ``let`` that it stands in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.errors import BudgetError, EvaluationError
from tfgate.query.functions.registry import MayRaise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.query.state import Closure, State


class Later:
    """A bound value that nobody has asked for yet, or one that may raise."""

    __slots__ = ("error", "may_raise", "node", "value")

    def __init__(self, node: Closure, value: Any) -> None:
        self.node: Closure | None = node
        self.value = value
        """What ``node`` is evaluated on, and then what it gave."""
        self.error: EvaluationError | None = None
        self.may_raise = False

    def get(self, slot: int, state: State) -> Any:
        """Return the value; evaluated once, it stands in ``slot`` itself unless it may raise."""
        if self.node is not None:
            self._evaluate(self.node, state)
            if not self.may_raise and self.error is None:
                state.bound[slot] = self.value
        if self.error is not None:
            raise self.error
        state.may_raise = state.may_raise or self.may_raise
        return self.value

    def _evaluate(self, node: Closure, state: State) -> None:
        before, state.may_raise = state.may_raise, False
        try:
            self.value = node(self.value, state)
        except BudgetError:
            raise
        except EvaluationError as error:
            self.error = error
        self.node = None
        self.may_raise = state.may_raise
        state.may_raise = before


def let(bindings: Sequence[tuple[int, Closure]], body: Closure) -> Closure:
    """Compile ``let $a = x in body``; a condition where ``body`` is one."""

    def bind(value: Any, state: State) -> Any:
        if not state.bound:
            state.bound = {}
        bound = state.bound
        for slot, node in bindings:
            bound[slot] = Later(node, value)
        return body(value, state)

    return bind


def local(slot: int) -> Closure:
    """Compile ``$a`` where a ``let`` around it binds it."""

    def look_up(value: Any, state: State) -> Any:
        found = state.bound[slot]
        return found.get(slot, state) if type(found) is Later else found

    return look_up


def given(name: str, position: int | None) -> Closure:
    """Compile ``$a`` where the scope has it."""

    def look_up(value: Any, state: State) -> Any:
        if state.scope is None:
            raise EvaluationError(
                f"${name} has no value here.", kind="undefined-variable", position=position
            )
        found = state.scope.variable(name, state)
        if type(found) is MayRaise:
            state.may_raise = True
            return found.value
        return found

    return look_up


def root(value: Any, state: State) -> Any:
    """``$``."""
    return state.root


def from_root(whole: Closure) -> Closure:
    """Compile a whole expression that has ``$`` in it; a condition where ``whole`` is one."""

    def begin(value: Any, state: State) -> Any:
        state.root = value
        return whole(value, state)

    return begin
