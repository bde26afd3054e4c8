"""``+ - * / // %`` and signs, on numbers alone, known and unknown."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import bounds
from tfgate.query.errors import EvaluationError
from tfgate.query.functions.numbers import calculate, is_finite, not_a_number
from tfgate.query.values import NUMBER, count, kinds, make

if TYPE_CHECKING:
    from tfgate.query.state import Closure, State

_NUMBERS: Final = frozenset({int, float})
_DIVISIONS: Final = frozenset({"/", "//", "%"})


def binary(sign: str, left: Closure, right: Closure, position: int | None) -> Closure:
    """Compile ``left + right``."""

    def value_of(value: Any, state: State) -> Any:
        a, b = left(value, state), right(value, state)
        if type(a) in _NUMBERS and type(b) in _NUMBERS:
            return calculate(sign, a, b, sign, position)
        return _of_unknown(sign, a, b, state, position)

    return value_of


def unary(sign: str, operand: Closure, position: int | None) -> Closure:
    """Compile ``-operand`` and ``+operand``."""

    def value_of(value: Any, state: State) -> Any:
        found = operand(value, state)
        if type(found) in _NUMBERS:
            return -found if sign == "-" else found
        _refuse(sign, (found,), state, position)
        low, high = bounds(found)
        return _between(-high, -low) if sign == "-" else _between(low, high)

    return value_of


def _of_unknown(sign: str, a: Any, b: Any, state: State, position: int | None) -> Any:
    """Compute where an operand is unknown, or no number.

    All but the divisions are monotonic in each operand: the ends of their results are among what
    the ends of the operands give.
    """
    _refuse(sign, (a, b), state, position)
    (low, high), (bottom, top) = bounds(a), bounds(b)
    finite = is_finite(low) and is_finite(high)
    if sign in _DIVISIONS:
        if bottom == top == 0:
            not_a_number(sign, position, zero=True)
        state.may_raise = state.may_raise or not (finite and bottom >= 1)
        return make(NUMBER)
    if not finite or not is_finite(bottom) or not is_finite(top):
        state.may_raise = True
        return make(NUMBER)
    ends = [calculate(sign, x, y, sign, position) for x in (low, high) for y in (bottom, top)]
    return _between(min(ends), max(ends))


def _between(low: float, high: float) -> Any:
    return make(NUMBER) if low == -inf and high == inf else count(low, high)


def _refuse(sign: str, operands: tuple[Any, ...], state: State, position: int | None) -> None:
    """Refuse operands that are no number, and note that others may be none."""
    for found in operands:
        mask = kinds(found)
        if not mask & NUMBER:
            raise EvaluationError(f"{sign} takes numbers alone.", position=position)
        if mask & ~NUMBER:
            state.may_raise = True
