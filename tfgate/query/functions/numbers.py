"""Numbers: how operators compute with them; abs, avg, ceil, floor, sum of the standard.

Integers stay integers, also where a division has no remainder. ``//`` and ``%`` round down, as
Python's do. What is no number a JSON document can hold (a division by zero, a result beyond the
range of a double) is an error, so that no value grows without end.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import function
from tfgate.query.values import NULL, NUMBER, Maybe, Unknown, make

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.state import State

LARGEST: Final = sys.float_info.max


def _divide(left: float, right: float) -> float:
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return left / right


_COMPUTE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "//": operator.floordiv,
    "%": operator.mod,
}


def calculate(sign: str, left: Any, right: Any, name: str, position: int | None = None) -> Any:
    """Compute with two numbers; EvaluationError, which names ``name``, where that gives none."""
    try:
        found = _COMPUTE[sign](left, right)
    except (ZeroDivisionError, OverflowError) as error:
        not_a_number(name, position, zero=isinstance(error, ZeroDivisionError))
    if not is_finite(found):
        not_a_number(name, position)
    return found


def is_finite(number: float) -> bool:
    """Whether a double can hold it; `math.isfinite` does not take every integer."""
    return -LARGEST <= number <= LARGEST


def not_a_number(name: str, position: int | None, *, zero: bool = False) -> NoReturn:
    """Raise that there is no such number."""
    reason = "divides by zero" if zero else "gives a number that is too large"
    raise EvaluationError(f"{name} {reason}.", kind="not-a-number", position=position)


@function(
    "sum(numbers: array-number) -> number",
    "sum(`[1, 2, 6]`)",
    9,
    plain=sum,
    errors="The sum is too large for a number.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _total(state: State, numbers: list[Any]) -> Any:
    """Return the sum of a list of numbers, 0 for an empty list."""
    if _all_known(numbers):
        return sum(numbers)
    return _some_number(state, NUMBER)


@function(
    "avg(numbers: array-number) -> number|null",
    "avg(`[1, 2, 6]`)",
    3.0,
    errors="The mean is too large for a number.",
    state=True,
    handles_unknown=True,
    standard=True,
)
def _average(state: State, numbers: list[Any]) -> Any:
    """Return the mean of a list of numbers, null for an empty list."""
    if not numbers:
        return None
    if _all_known(numbers):
        return sum(numbers) / len(numbers)
    present = any(type(number) is not Maybe for number in numbers)
    return _some_number(state, NUMBER if present else NUMBER | NULL)


def _some_number(state: State, mask: int) -> Any:
    state.may_raise = True  # an integer too large for a float cannot be added to one
    return make(mask)


def _all_known(numbers: list[Any]) -> bool:
    return not any(type(number) is Maybe or type(number) is Unknown for number in numbers)


function(
    "abs(value: number) -> number",
    "abs(`-3`)",
    3,
    doc="Return the absolute value of a number.",
    total=True,
    standard=True,
)(abs)
function(
    "ceil(value: number) -> number",
    "ceil(`1.2`)",
    2,
    doc="Return the least integer that is not less than a number.",
    errors="The number is infinite or not a number.",
    standard=True,
)(math.ceil)
function(
    "floor(value: number) -> number",
    "floor(`1.9`)",
    1,
    doc="Return the greatest integer that is not greater than a number.",
    errors="The number is infinite or not a number.",
    standard=True,
)(math.floor)
