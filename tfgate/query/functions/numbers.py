"""Standard functions on numbers: abs, avg, ceil, floor, sum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.functions.registry import Function, Parameter
from tfgate.query.values import NULL, NUMBER, Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.query.state import State


def _total(state: State, numbers: list[Any]) -> Any:
    if _all_known(numbers):
        return sum(numbers)
    return _some_number(state, NUMBER)


def _average(state: State, numbers: list[Any]) -> Any:
    if not numbers:
        return None
    if _all_known(numbers):
        return sum(numbers) / len(numbers)
    present = any(type(number) is not Maybe for number in numbers)
    return _some_number(state, NUMBER if present else NUMBER | NULL)


def _some_number(state: State, mask: int) -> Any:
    state.may_raise = True  # an integer too large for a float cannot be added to one
    return state.make(mask)


def _all_known(numbers: list[Any]) -> bool:
    return not any(type(number) is Maybe or type(number) is Unknown for number in numbers)


_NUMBERS: Final = (Parameter("numbers", "array-number"),)

FUNCTIONS: Final = (
    Function(
        name="abs",
        parameters=(Parameter("value", "number"),),
        returns="number",
        doc="Gives the absolute value of a number.",
        example="abs(`-3`)",
        result=3,
        call=abs,
        total=True,
        standard=True,
    ),
    Function(
        name="avg",
        parameters=_NUMBERS,
        returns="number|null",
        doc="Gives the mean of a list of numbers, null for an empty list.",
        example="avg(`[1, 2, 6]`)",
        result=3.0,
        call=_average,
        errors="The mean is too large for a number.",
        state=True,
        handles_unknown=True,
        standard=True,
    ),
    Function(
        name="ceil",
        parameters=(Parameter("value", "number"),),
        returns="number",
        doc="Gives the least integer that is not less than a number.",
        example="ceil(`1.2`)",
        result=2,
        call=math.ceil,
        errors="The number is infinite or not a number.",
        standard=True,
    ),
    Function(
        name="floor",
        parameters=(Parameter("value", "number"),),
        returns="number",
        doc="Gives the greatest integer that is not greater than a number.",
        example="floor(`1.9`)",
        result=1,
        call=math.floor,
        errors="The number is infinite or not a number.",
        standard=True,
    ),
    Function(
        name="sum",
        parameters=_NUMBERS,
        returns="number",
        doc="Gives the sum of a list of numbers, 0 for an empty list.",
        example="sum(`[1, 2, 6]`)",
        result=9,
        call=_total,
        plain=sum,
        errors="The sum is too large for a number.",
        state=True,
        handles_unknown=True,
        standard=True,
    ),
)
