"""Standard functions on numbers: abs, avg, ceil, floor, sum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tfgate.query.functions.registry import function
from tfgate.query.values import NULL, NUMBER, Maybe, Unknown, make

if TYPE_CHECKING:
    from tfgate.query.state import State


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
