"""What can be ordered: lists whose members are all numbers or all strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.errors import EvaluationError
from tfgate.query.values import NUMBER, STRINGS, Maybe, kinds, restrict

if TYPE_CHECKING:
    from tfgate.query.state import State

_NUMBERS: Final = frozenset({int, float})
_STRINGS: Final = frozenset({str})


def content(element: Any) -> Any:
    """Give the element itself, present or not."""
    return element.value if type(element) is Maybe else element


def all_known(elements: list[Any]) -> bool:
    """Whether all are numbers, or all strings, with nothing unknown and none that may be absent."""
    found = set(map(type, elements))
    return found <= _STRINGS or found <= _NUMBERS


def orderable(elements: list[Any], state: State) -> list[int]:
    """Give the positions of the elements that can be there when all are of one orderable type.

    Raises EvaluationError if no completion has only numbers or only strings, and notes in the
    state when some completion has something else.
    """
    if all_known(elements):
        return list(range(len(elements)))
    masks = [kinds(content(element)) for element in elements]
    firm = [m for m, e in zip(masks, elements, strict=True) if type(e) is not Maybe]
    feasible = [group for group in (NUMBER, STRINGS) if all(mask & group for mask in firm)]
    if not feasible:
        raise EvaluationError("Only a list of all numbers or of all strings can be ordered.")
    if not any(all(not mask & ~group for mask in masks) for group in feasible):
        state.may_raise = True
    allowed = sum(feasible)
    return [i for i, mask in enumerate(masks) if mask & allowed]


def narrowed(element: Any, state: State) -> Any:
    """Give an element's content without the kinds that cannot be ordered."""
    state.dirty = True
    return restrict(content(element), NUMBER | STRINGS)
