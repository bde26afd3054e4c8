"""The values an expression works on: JSON, `UNKNOWN`, and list elements that may be absent.

An `Unknown` stands for a *set* of JSON values, kept as a mask of kinds. The two public ones,
`UNKNOWN` and `SENSITIVE`, stand for every JSON value; inside the evaluator smaller sets occur
("some boolean", "some non-empty list"), which is what lets ``UNKNOWN || 'x'`` be known as truthy.

The kinds are cut where JMESPath's truthiness cuts: ``""``, ``[]`` and ``{}`` are kinds of their
own, and a number has one kind because every number, 0 included, is truthy.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from tfgate.query.state import State


NULL: Final = 1
FALSE: Final = 2
TRUE: Final = 4
NUMBER: Final = 8
EMPTY_STRING: Final = 16
STRING: Final = 32
EMPTY_LIST: Final = 64
LIST: Final = 128
EMPTY_OBJECT: Final = 256
OBJECT: Final = 512
EXPREF: Final = 1024

BOOLEANS: Final = FALSE | TRUE
STRINGS: Final = EMPTY_STRING | STRING
LISTS: Final = EMPTY_LIST | LIST
OBJECTS: Final = EMPTY_OBJECT | OBJECT
FALSY: Final = NULL | FALSE | EMPTY_STRING | EMPTY_LIST | EMPTY_OBJECT
TRUTHY: Final = TRUE | NUMBER | STRING | LIST | OBJECT | EXPREF
ANYTHING: Final = NULL | BOOLEANS | NUMBER | STRINGS | LISTS | OBJECTS


class Unknown:
    """A value not known yet: it may become any JSON value of the kinds in ``mask``.

    Users meet two instances, `UNKNOWN` and `SENSITIVE`. Neither can be used as a condition by
    accident: ``bool()`` of one raises TypeError. Copies and pickles are the same object.
    """

    __slots__ = ("high", "low", "mask", "sensitive", "truth")

    mask: int
    """Kinds the value may have, an or of the constants of this module."""
    sensitive: bool
    """Whether the value is known to someone and must not be shown."""
    truth: bool | None
    """JMESPath truthiness, None where it depends on what the value becomes."""
    low: float
    high: float
    """Bounds of a value that is certainly a number; infinite unless it is a `count`."""

    _made: dict[tuple[int, bool], Unknown] = {}  # noqa: RUF012 - with slots a ClassVar is the same

    def __new__(cls, mask: int = ANYTHING, sensitive: bool = False) -> Unknown:
        made = cls._made.get((mask, sensitive))
        if made is None:
            made = super().__new__(cls)
            made.mask, made.sensitive = mask, sensitive
            made.low, made.high = -inf, inf
            made.truth = None if mask & TRUTHY and mask & FALSY else bool(mask & TRUTHY)
            cls._made[mask, sensitive] = made
        return made

    def __bool__(self) -> NoReturn:
        raise TypeError("An unknown value is neither true nor false: ask `verdict` instead.")

    def __repr__(self) -> str:
        name = "SENSITIVE" if self.sensitive else "UNKNOWN"
        return name if self.mask == ANYTHING else f"{name}:{self.mask:#x}"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self

    def __reduce__(self) -> tuple[type[Unknown], tuple[int, bool]]:
        return Unknown, (self.mask, self.sensitive)


UNKNOWN: Final = Unknown()
"""Any JSON value: null, a boolean, a number, a string, a list or an object of anything."""

SENSITIVE: Final = Unknown(ANYTHING, True)
"""Evaluates exactly as `UNKNOWN`; stands for a value that exists and must not be shown."""


class Maybe:
    """A list element that may be absent: an unknown predicate selected it, or it may be null.

    ``value`` is the element where it is present. ``many`` says that it stands for any number of
    elements, none included, each of them one of the values ``value`` stands for.
    """

    __slots__ = ("many", "value")

    def __init__(self, value: Any, many: bool = False) -> None:
        self.value = value
        self.many = many

    def __repr__(self) -> str:
        return f"Maybe({self.value!r}{', many=True' if self.many else ''})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not Maybe:
            return NotImplemented
        return self.many == other.many and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # the value inside is seldom hashable


class Expref:
    """An expression reference (``&expr``) bound to the evaluation it occurs in."""

    __slots__ = ("node", "state", "test", "weight")

    def __init__(self, node: Any, test: Any, state: Any, weight: int = 1) -> None:
        self.node = node
        self.test = test
        self.state = state
        self.weight = weight
        """Steps of evaluating it once."""

    def __call__(self, value: Any) -> Any:
        """Return the expression's value on ``value``."""
        return self.node(value, self.state)


_BY_TYPE: Final = {type(None): NULL, int: NUMBER, float: NUMBER, Expref: EXPREF}


def kinds(value: Any) -> int:
    """Mask of the kinds that ``value`` may have; one bit unless something in it is unknown."""
    kind = type(value)
    if kind is str:
        return STRING if value else EMPTY_STRING
    if kind is bool:
        return TRUE if value else FALSE
    if kind is dict:
        return OBJECT if value else EMPTY_OBJECT
    if kind is list:
        return _list_kinds(value)
    if kind is Unknown:
        mask: int = value.mask
        return mask
    return _BY_TYPE.get(kind, ANYTHING)


def _list_kinds(value: list[Any]) -> int:
    if not value:
        return EMPTY_LIST
    for element in value:
        if type(element) is not Maybe:
            return LIST
    return LISTS


def truth(value: Any) -> bool | None:
    """JMESPath truthiness of ``value``: True, False, or None where it depends on an unknown."""
    kind = type(value)
    if kind is bool:
        return bool(value)
    if value is None:
        return False
    if kind is str or kind is dict:
        return bool(value)
    if kind is list:
        if not value:
            return False
        return True if type(value[0]) is not Maybe or _list_kinds(value) == LIST else None
    if kind is Unknown:
        known: bool | None = value.truth
        return known
    return True


def count(low: float, high: float) -> Any:
    """Return the value that stands for the numbers from ``low`` to ``high``."""
    if low == high:
        return low
    counted: Unknown = object.__new__(Unknown)
    counted.mask, counted.sensitive, counted.truth = NUMBER, False, True
    counted.low, counted.high = low, high
    return counted


_SINGLE: Final = {NULL: None, FALSE: False, TRUE: True, EMPTY_STRING: ""}


def make(mask: int, sensitive: bool = False) -> Any:
    """Return the value that stands for every value of the kinds in ``mask`` (at least one kind)."""
    if mask in _SINGLE:
        return _SINGLE[mask]
    if mask == EMPTY_LIST:
        return []
    if mask == EMPTY_OBJECT:
        return {}
    return Unknown(mask, sensitive)


def join(left: Any, right: Any) -> Any:
    """Return a value that stands for everything ``left`` or ``right`` may be."""
    if left is right:
        return left
    mask = kinds(left) | kinds(right)
    if type(left) is type(right) and type(left) in _ATOMS and left == right:
        return left
    return make(mask, _is_sensitive(left) or _is_sensitive(right))


_ATOMS: Final = frozenset({str, int, bool, float, type(None)})


def _is_sensitive(value: Any) -> bool:
    return type(value) is Unknown and value.sensitive


def restrict(value: Any, allowed: int) -> Any:
    """Return ``value`` without the kinds outside ``allowed``; some kind of it must be allowed."""
    if type(value) is Unknown:
        if value.mask & ~allowed:
            return make(value.mask & allowed, value.sensitive)
        return value
    if type(value) is list and not allowed & EMPTY_LIST and _list_kinds(value) == LISTS:
        return _at_least_one(value)
    if type(value) is list and not allowed & LIST and _list_kinds(value) == LISTS:
        return []
    return value


def _at_least_one(value: list[Any]) -> Any:
    if len(value) == 1 and not value[0].many:
        return [value[0].value]
    return Unknown(LIST)


def some(mask: int, value: Any = UNKNOWN) -> list[Any]:
    """Return the list that stands for every list of the list kinds in ``mask``, of ``value``s."""
    many = Maybe(value, many=True)
    if not mask & LIST:
        return []
    return [many] if mask & EMPTY_LIST else [value, many]


# --- Values as the outside sees them: of the unknowns only `UNKNOWN` and `SENSITIVE`.


def measure(value: Any, state: State) -> bool:
    """Take the steps of going through a value; one part may stand in it many times.

    Returns whether anything in it is not for the outside as it is.
    """
    around = [value]
    pending: list[Any] = [around]
    seen, inner_only = -(len(around) + 2), False
    while pending:
        found = pending.pop()
        inner: Any = found
        if type(found) is dict:
            inner = found.values()
        elif type(found) is Maybe:
            inner, inner_only = [found.value], True
        seen += len(inner) + 2
        if seen > state.left:
            break
        for part in inner:
            kind = type(part)
            if kind is dict or kind is list or kind is Maybe:
                pending.append(part)
            elif kind is Unknown and part is not UNKNOWN and part is not SENSITIVE:
                inner_only = True
    state.spend(seen)
    return inner_only


def published(value: Any, *, lists: bool = True) -> Any:
    """Widen every inner unknown to the public one it is an instance of.

    With ``lists`` a list keeps its `Maybe` elements; without, a list that has one is unknown as a
    whole, for readers who look for `UNKNOWN` alone.
    """
    kind = type(value)
    if kind is Unknown:
        return SENSITIVE if value.sensitive else UNKNOWN
    if kind is list:
        if not lists and any(type(element) is Maybe for element in value):
            return UNKNOWN
        return [published(element, lists=lists) for element in value]
    if kind is dict:
        return {key: published(part, lists=lists) for key, part in value.items()}
    if kind is Maybe:
        return Maybe(published(value.value), value.many)
    return value
