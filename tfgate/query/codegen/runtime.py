"""What generated functions call: the parts of evaluation that are not worth writing out.

Each gives what the evaluator gives where everything it looks at is known, and raises otherwise.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.equality import equal
from tfgate.query.functions.types import parsed_number
from tfgate.query.nodes.comparing import ORDERINGS, ordered
from tfgate.query.state import LONG, SMALL, State
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

FEW: Final = SMALL // 2
"""Steps that a generated function may take in its loops, and as many in what it calls: together
too few for the evaluator to count them."""


class DeclinedError(Exception):
    """A generated function does not know: the evaluator is to be asked."""


class _Declined:
    """What a generated function gives where the evaluator is to be asked."""

    def __repr__(self) -> str:
        return "DECLINED"


DECLINED: Final = _Declined()
MISSING: Final = object()
"""No ``let`` value yet."""


class Brief(State):
    """The state of an evaluation that may take few steps; it ends with BudgetError otherwise."""

    left = FEW


def nil(value: Any) -> None:
    """Give null, as a field of what is no object and an element of what is no list."""
    if type(value) is Unknown:
        raise DeclinedError


def no(value: Any) -> bool:
    """Say that a value of another type than the literal that it is compared with differs."""
    if type(value) is Unknown:
        raise DeclinedError
    return False


def truthy(value: Any) -> bool:
    """Give JMESPath truthiness."""
    kind = type(value)
    if kind is str or kind is list or kind is dict:
        return bool(value)
    if kind is Unknown:
        raise DeclinedError
    return value is not None and value is not False


def same(left: Any, right: Any, state: State) -> bool:
    """Compare as ``==`` does."""
    known = equal(left, right, state)
    if known is None:
        raise DeclinedError
    return known


def order(compare: Callable[[Any, Any], Any], left: Any, right: Any, state: State) -> Any:
    """Compare as ``<`` and its relatives do."""
    found = ordered(compare, left, right, state)
    if state.dirty or state.may_raise:
        raise DeclinedError
    return found


def order_to(compare: Callable[[Any, Any], Any], left: Any, number: float) -> Any:
    """Compare what is no number with one that is written out."""
    return order(compare, left, number, Brief())


def holds(subject: Any, sought: str) -> bool:
    """Say whether a list or a string contains a string; others, and long ones, are not for here."""
    if type(subject) is list and len(subject) <= _FEW_ELEMENTS:
        if sought in subject:
            return True
        for element in subject:
            if type(element) is Unknown:
                raise DeclinedError
        return False
    if type(subject) is str and len(subject) <= LONG:
        return sought in subject
    raise DeclinedError


def cut(value: Any, bounds: slice) -> Any:
    """Give a slice of a list."""
    if type(value) is not list:
        return nil(value)
    if len(value) > _FEW_ELEMENTS:
        raise DeclinedError
    return value[bounds]


def values_of(value: Any) -> list[Any] | None:
    """Give the values of an object."""
    if type(value) is not dict:
        nil(value)
        return None
    if len(value) > FEW:
        raise DeclinedError
    return list(value.values())


def uncertain(elements: list[Any]) -> bool:
    """Say whether an element may be absent."""
    return any(type(element) is Maybe for element in elements)


def one(value: Any) -> list[Any]:
    """Make a list of what is none."""
    if type(value) is Unknown:
        raise DeclinedError
    return [value]


def flat(value: Any) -> list[Any] | None:
    """Give the elements of the lists in a list, and what is no list in it."""
    if type(value) is not list:
        nil(value)
        return None
    if len(value) > _FEW_ELEMENTS:
        raise DeclinedError
    merged: list[Any] = []
    for element in value:
        kind = type(element)
        if kind is list:
            merged.extend(element)
        elif kind is Unknown:
            raise DeclinedError
        else:
            merged.append(element)
        if len(merged) > _FEW_ELEMENTS:
            raise DeclinedError
    return merged


def flat_values(value: Any) -> list[Any] | None:
    """Give the same without nulls."""
    found = flat(value)
    if found:
        for element in found:
            if element is None or type(element) is Unknown:
                break
        else:
            return found
        if any(type(element) is Unknown for element in found):
            raise DeclinedError
        return [element for element in found if element is not None]
    return found


def number(value: Any) -> Any:
    """Read a number, as to_number() does."""
    kind = type(value)
    if kind is str and len(value) <= _FEW_ELEMENTS:
        return parsed_number(value)
    if kind is int or kind is float:
        return value
    if kind is str or kind is Unknown:
        raise DeclinedError
    return None


def text(value: Any) -> str:
    """Write what is not a string as one, as to_string() does."""
    kind = type(value)
    if kind is bool or kind is int or value is None:
        return dumps(value)
    raise DeclinedError


_FEW_ELEMENTS: Final = 64
"""Elements and characters that are so few that what is done with them is no more than a call."""

KINDS: Final = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""What type() says, by Python's type."""

SIZED: Final = frozenset({str, list, dict})
ATOMS: Final = frozenset({str, bool, int, float, type(None)})

NAMES: Final[dict[str, Any]] = {
    "__builtins__": {},
    "BaseFault": Exception,
    "Brief": Brief,
    "DECLINED": DECLINED,
    "Declined": DeclinedError,
    "MISSING": MISSING,
    "Unknown": Unknown,
    "bool": bool,
    "ATOMS": ATOMS,
    "KINDS": KINDS,
    "SIZED": SIZED,
    "cut": cut,
    "flat": flat,
    "flat_values": flat_values,
    "number": number,
    "text": text,
    "dict": dict,
    "float": float,
    "holds": holds,
    "int": int,
    "len": len,
    "list": list,
    "nil": nil,
    "no": no,
    "one": one,
    "LONG": LONG,
    "order": order,
    "order_to": order_to,
    "values_of": values_of,
    "same": same,
    "str": str,
    "truthy": truthy,
    "uncertain": uncertain,
    "type": type,
    **{f"order_{name}": compare for name, compare in ORDERINGS.items()},
}
"""Everything that generated source may name, beside its own constants and variables."""
