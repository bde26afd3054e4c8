"""``&&``, ``||`` and ``!`` after Kleene, each as a value and as a condition.

Where the left side's truth is unknown, the right side is evaluated for the completions that reach
it, and the value is a join of what is left of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.nodes.node import truth_in
from tfgate.query.state import ABSENT, Closure, State, Test, attempt
from tfgate.query.values import BOOLEANS, FALSY, TRUTHY, restrict

if TYPE_CHECKING:
    from collections.abc import Sequence


def both_value(parts: Sequence[Closure]) -> Closure:
    """Compile a chain of ``&&`` to its value: the first falsy one, else the last."""
    return _short_circuit(parts, stop=False, kept=FALSY)


def either_value(parts: Sequence[Closure]) -> Closure:
    """Compile a chain of ``||`` to its value: the first truthy one, else the last."""
    return _short_circuit(parts, stop=True, kept=TRUTHY)


def _short_circuit(parts: Sequence[Closure], *, stop: bool, kept: int) -> Closure:
    """Compile an operator that goes no further than a value whose truth is ``stop``."""
    *early, last = parts

    def value_of(value: Any, state: State) -> Any:
        for position, part in enumerate(early):
            found = part(value, state)
            known = truth_in(found, state)
            if known is stop:
                return found
            if known is None:
                return go_on(restrict(found, kept), position + 1, value, state)
        return last(value, state)

    def go_on(rest: Any, position: int, value: Any, state: State) -> Any:
        """Join what the left side gives where it stops with what comes after it."""
        for part in early[position:]:
            found = attempt(part, value, state)
            if found is ABSENT:
                return rest
            known = truth_in(found, state)
            if known is stop:
                return state.join(rest, found)
            if known is None:
                rest = state.join(rest, restrict(found, kept))
        found = attempt(last, value, state)
        return rest if found is ABSENT else state.join(rest, found)

    return value_of


def all_test(tests: Sequence[Test]) -> Test:
    """Compile a chain of ``&&`` to a condition."""
    if len(tests) == 2:
        return _two(tests[0], tests[1], stop=False)
    if len(tests) == 3:
        return _three(tests[0], tests[1], tests[2])

    def every(value: Any, state: State) -> bool | None:
        for position, test in enumerate(tests):
            known = test(value, state)
            if known is None:
                return _undecided(tests[position + 1 :], value, state, stop=False)
            if not known:
                return False
        return True

    return every


def _three(first: Test, second: Test, third: Test) -> Test:
    def triple(value: Any, state: State) -> bool | None:
        known = first(value, state)
        if known is None:
            return _undecided((second, third), value, state, stop=False)
        if not known:
            return False
        known = second(value, state)
        if known is None:
            return _undecided((third,), value, state, stop=False)
        return third(value, state) if known else False

    return triple


def any_test(tests: Sequence[Test]) -> Test:
    """Compile a chain of ``||`` to a condition."""
    if len(tests) == 2:
        return _two(tests[0], tests[1], stop=True)

    def some(value: Any, state: State) -> bool | None:
        for position, test in enumerate(tests):
            known = test(value, state)
            if known is None:
                return _undecided(tests[position + 1 :], value, state, stop=True)
            if known:
                return True
        return False

    return some


def _two(left: Test, right: Test, *, stop: bool) -> Test:
    def pair(value: Any, state: State) -> bool | None:
        known = left(value, state)
        if known is stop:
            return stop
        if known is None:
            return _undecided((right,), value, state, stop=stop)
        return right(value, state)

    return pair


def _undecided(rest: Sequence[Test], value: Any, state: State, *, stop: bool) -> bool | None:
    """Truth of a chain whose last evaluated condition is unknown: ``stop`` if a later one is.

    The parts of ``rest`` are reached by some completions alone. If one raises, those completions
    that raise nothing have stopped before it.
    """
    for test in rest:
        known = attempt(test, value, state)
        if known is ABSENT or known is stop:
            return stop
    return None


def not_test(test: Test) -> Test:
    """Compile ``!x`` to a condition."""

    def negated(value: Any, state: State) -> bool | None:
        known = test(value, state)
        return None if known is None else not known

    return negated


def boolean_value(test: Test) -> Closure:
    """Compile to its value what always gives a boolean."""

    def value_of(value: Any, state: State) -> Any:
        known = test(value, state)
        return state.make(BOOLEANS) if known is None else known

    return value_of
