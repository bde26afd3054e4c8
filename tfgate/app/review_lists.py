"""Which elements of a list before belong to which after.

A plan does not tell sets from lists, and a provider may write the members of either in a new
order. So equal elements are matched wherever they stand, and of the rest those that name
themselves alike, or have most in common.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.app.review_values import is_empty, literal, same

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: Final = (
    "Sid", "sid", "Id", "id", "ID", "name", "Name", "key", "rule_id", "rule_number", "device_name",
    "priority", "identifier", "volume_id", "host", "path",
)  # fmt: skip
"""Members by which an element of a list names itself, the strongest first."""
_MAX_PAIRS: Final = 2_500
"""Pairs of elements that are compared with each other; more are paired by position."""
_ALIKE: Final = 0.5
"""Share of members in common from which on two elements are versions of one."""


class Matching(NamedTuple):
    """How the elements of two lists belong together, by their numbers."""

    pairs: tuple[tuple[int, int], ...]
    """Changed: before, after."""
    removed: tuple[int, ...]
    added: tuple[int, ...]
    same: int
    """How many are the same."""
    reordered: bool
    """Whether those that are the same stand in another order."""


def match(before: Sequence[Any], after: Sequence[Any]) -> Matching:
    """Match the elements of two lists with nothing sensitive in them."""
    equal = _equal(before, after)
    matched_before, matched_after = {b for b, _ in equal}, {a for _, a in equal}
    old = [number for number in range(len(before)) if number not in matched_before]
    new = [number for number in range(len(after)) if number not in matched_after]
    pairs = _changed(before, after, old, new)
    paired_before, paired_after = {b for b, _ in pairs}, {a for _, a in pairs}
    places = [a for _, a in equal]
    return Matching(
        pairs=tuple(sorted(pairs, key=lambda pair: pair[1])),
        removed=tuple(number for number in old if number not in paired_before),
        added=tuple(number for number in new if number not in paired_after),
        same=len(equal),
        reordered=places != sorted(places),
    )


def _equal(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[int, int]]:
    """Pair the elements that are the same, each once, in order of the first list.

    Elements with something unknown inside are the same as nothing.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for number in reversed(range(len(after))):
        places[literal(after[number])].append(number)
    equal = []
    for number, value in enumerate(before):
        candidates = places.get(literal(value))
        if candidates and same(value, after[candidates[-1]]):
            equal.append((number, candidates.pop()))
    return equal


def _changed(
    before: Sequence[Any], after: Sequence[Any], old: list[int], new: list[int]
) -> list[tuple[int, int]]:
    """Pair elements that are two versions of one."""
    if not all(type(before[number]) is dict for number in old):
        return []
    if not all(type(after[number]) is dict for number in new):
        return []
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    name = naming_member([before[number] for number in old], [after[number] for number in new])
    if name is not None:
        by_name = {literal(after[number][name]): number for number in new}
        named = ((number, by_name.get(literal(before[number][name]))) for number in old)
        return [(number, other) for number, other in named if other is not None]
    if len(old) * len(new) > _MAX_PAIRS:
        return list(zip(old, new, strict=False))
    return _most_alike(before, after, old, new)


def naming_member(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> str | None:
    """Give the member by which the elements on both sides name themselves, where there is one."""
    for name in _NAMES:
        if _tells_apart(name, before) and _tells_apart(name, after):
            return name
    return None


def _tells_apart(name: str, elements: Sequence[dict[str, Any]]) -> bool:
    found = [element.get(name) for element in elements]
    if not all(type(value) in (str, int) and value != "" for value in found):
        return False
    return len({literal(value) for value in found}) == len(found)


def _most_alike(
    before: Sequence[Any], after: Sequence[Any], old: list[int], new: list[int]
) -> list[tuple[int, int]]:
    """Pair greedily, those with most in common first; the plan's order breaks ties."""
    scored = [(-_likeness(before[b], after[a]), abs(b - a), b, a) for b in old for a in new]
    pairs: list[tuple[int, int]] = []
    taken_before: set[int] = set()
    taken_after: set[int] = set()
    for score, _, b, a in sorted(scored):
        if -score >= _ALIKE and b not in taken_before and a not in taken_after:
            pairs.append((b, a))
            taken_before.add(b)
            taken_after.add(a)
    return pairs


def _likeness(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Give the share of members that are the same, of those that say something."""
    names = [
        name
        for name in before.keys() | after.keys()
        if not (is_empty(before.get(name)) and is_empty(after.get(name)))
    ]
    if not names:
        return 1.0
    return sum(same(before.get(name), after.get(name)) for name in names) / len(names)
