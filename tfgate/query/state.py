"""What one evaluation carries along: whether some completion raises, the scope, the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import BudgetError, EvaluationError
from tfgate.query.values import Maybe

if TYPE_CHECKING:
    from datetime import datetime

STEPS: Final = 20_000_000
"""Steps that one evaluation may take; a rule on a plan of 10,000 changes needs a fraction.

A step is a part of an expression evaluated on an element of a list; functions count what they read
and make. It takes 0.1 µs, and what it makes takes some 20 bytes, on average and at worst a few
times as much: so an evaluation ends after seconds, whatever it is and whatever it is given.
"""

TEXT: Final = 16 * 1024 * 1024
"""Characters that a string made by an expression may have."""


RULE_STEPS: Final = 100_000_000
"""Steps that one rule may take on one plan beyond the small ones, which are too many to count."""

SMALL: Final = 2_000
"""Steps of an evaluation that are not counted against what a rule may take on a plan."""

LONG: Final = 1024
"""Characters up to which going through a text is no more than the call that does it."""


class Scope:
    """What an expression gets beside the document; the engine subclasses it.

    An instance is given to `Expression.search` and its relatives. A function declared with
    ``scope=True`` receives it, or None where none was given.

    ``$name`` asks `variable` for every name that the expression was compiled with as one of its
    ``variables`` and no ``let`` binds. It is asked whenever the name is evaluated: it returns
    objects that it has (``$params``), and keeps what it has to evaluate first (a rule's ``let``).
    """

    variables: Mapping[str, Any] = {}
    """The values of variables."""

    now: datetime | None = None
    """The time that ``age_days`` measures from, with its time zone; the caller's clock."""

    def variable(self, name: str, state: State) -> Any:
        """Return the value of ``$name``: a JSON value, with unknowns in it or not.

        `MayRaise` says that it holds for some completions alone; EvaluationError, that there is
        none. What it takes to find it is taken from ``state``.
        """
        if name not in self.variables:
            raise EvaluationError(f"${name} has no value here.", kind="undefined-variable")
        return self.variables[name]


class State:
    """One evaluation. The defaults stand on the class, which makes an instance cheap."""

    may_raise: bool = False
    """Set when some completion of the document raises; the value holds for the others."""
    scope: Any = None
    root: Any = None
    """The document, where the expression asks for ``$``."""
    bound: dict[int, Any] = {}  # noqa: RUF012 - the first ``let`` replaces it
    """What the ``let`` around a part have bound, by slot."""
    left: int = STEPS
    """Steps that are left."""
    _asked: set[object] | None = None
    """What it was given from outside, each of which it pays for once."""

    def spend(self, steps: int) -> None:
        """Take ``steps`` from the budget; BudgetError when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise BudgetError(f"The expression was stopped after {STEPS:,} steps.")

    def read(self, characters: int) -> None:
        """Take the steps of going through a text, or of making one."""
        self.spend(characters >> 4)

    def is_new(self, what: object) -> bool:
        """Whether the evaluation asks for something outside of it for the first time."""
        if self._asked is None:
            self._asked = set()
        if what in self._asked:
            return False
        self._asked.add(what)
        return True

    def has_asked_more_than(self, count: int) -> bool:
        """Whether it asked for more than ``count`` things outside of it."""
        return self._asked is not None and len(self._asked) > count

    def has_maybe(self, elements: list[Any]) -> bool:
        """Whether an element of a list may be absent."""
        self.spend(len(elements) >> 2)
        return Maybe in map(type, elements)

    def maybe(self, value: Any, many: bool = False) -> Maybe:
        """Return a list element that may be absent."""
        self.spend(_MAYBE)
        return Maybe(value, many)


class Meter:
    """What the evaluations of one rule on one plan take together.

    Without it a rule could take all the steps of an evaluation on each of 10,000 resources.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = RULE_STEPS

    def take(self, state: State) -> None:
        """Count an evaluation that is over."""
        self.spend(State.left - max(state.left, 0) - SMALL)

    def spend(self, steps: int) -> None:
        """Count ``steps``, if there are any."""
        if steps > 0:
            self.left -= steps

    @property
    def is_empty(self) -> bool:
        """Whether the rule has had its steps."""
        return self.left < 0


Closure = Callable[[Any, State], Any]
"""A compiled node: its value on a value."""

Test = Callable[[Any, State], "bool | None"]
"""A compiled node as a condition: JMESPath truthiness, None where it depends on an unknown."""


class _Absent:
    """The result of a part that raises whenever it is evaluated."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

_ERROR: Final = 30
"""Steps of an error that is put aside."""

_MAYBE: Final = 6
"""Steps of making an element that may be absent."""


def attempt(node: Callable[[Any, State], Any], value: Any, state: State) -> Any:
    """Evaluate a part that only some completions evaluate.

    An error in it concerns those completions alone: it becomes ``state.may_raise``, and `ABSENT`
    says that the part has no value where nothing raises.
    """
    try:
        return node(value, state)
    except BudgetError:
        raise
    except EvaluationError:
        state.may_raise = True
        state.spend(_ERROR)
        return ABSENT
