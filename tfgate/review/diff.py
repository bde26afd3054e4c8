"""The difference between two values, as a person reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from tfgate.review import strings as review_strings
from tfgate.review.model import Diff, Mark, Shape
from tfgate.review.values import (
    NEVER,
    NOTHING,
    Forcing,
    Side,
    has_secret,
    hides,
    is_empty,
    leaf,
    literal,
    same,
    secret,
)

# A plan does not tell sets from lists, and a provider may write the members of either in a new
# order. So equal elements are matched wherever they stand, and of the rest those that name
# themselves alike, or have most in common.
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
    """Return the member by which the elements on both sides name themselves, where there is one."""
    for name in _NAMES:
        if _distinguishes(name, before) and _distinguishes(name, after):
            return name
    return None


def _distinguishes(name: str, elements: Sequence[dict[str, Any]]) -> bool:
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
    """Return the share of members that are the same, of those that are not empty."""
    names = [
        name
        for name in before.keys() | after.keys()
        if not (is_empty(before.get(name)) and is_empty(after.get(name)))
    ]
    if not names:
        return 1.0
    return sum(same(before.get(name), after.get(name)) for name in names) / len(names)


class Differ:
    """Compares values. In a resource null stands for "not set"; with ``nulls`` it is a value."""

    def __init__(self, *, nulls: bool = False) -> None:
        self._nulls = nulls

    def members(
        self, before: Side, after: Side, forcing: Forcing = NEVER
    ) -> tuple[list[Diff], int]:
        """Compare two objects (or one with `NOTHING`): what differs, and how many do not."""
        names = _keys(before.view) | _keys(after.view)
        bare = not self._nulls and (before is NOTHING or after is NOTHING)
        found, unchanged = [], 0
        for name in sorted(names):
            old, new = self._set(before.member(name)), self._set(after.member(name))
            if (old is NOTHING and new is NOTHING) or (bare and _is_nothing(old, new)):
                continue
            diff = self.diff(name, old, new, forcing.below(name))
            if diff is None:
                unchanged += 1
            else:
                found.append(diff)
        return found, unchanged

    def _set(self, side: Side) -> Side:
        return NOTHING if side.view is None and not self._nulls else side

    def diff(self, label: str, before: Side, after: Side, forcing: Forcing = NEVER) -> Diff | None:
        """Compare two sides, of which at most one is `NOTHING`; ``None`` where nothing differs."""
        if hides(before, after):
            return secret(label, before, after, forces=forcing.here)
        if before is NOTHING:
            found: Diff | None = self._whole(label, Mark.ADDED, after, forcing)
        elif after is NOTHING:
            found = self._whole(label, Mark.REMOVED, before, forcing)
        elif _unchanged(before, after):
            return None
        else:
            found = self._changed(label, before, after, forcing)
        return replace(found, forces=True) if found is not None and forcing.here else found

    def _changed(self, label: str, before: Side, after: Side, forcing: Forcing) -> Diff | None:
        kinds = type(before.view), type(after.view)
        if kinds == (dict, dict):
            members, unchanged = self.members(before, after, forcing)
            return _group(label, Mark.CHANGED, Shape.OBJECT, members, unchanged=unchanged)
        if kinds == (list, list) and before.view and after.view:
            return self._lists(label, before, after, forcing)
        if kinds == (str, str):
            return _strings(label, before, after)
        return leaf(label, before, after)

    def _whole(self, label: str, mark: Mark, side: Side, forcing: Forcing) -> Diff:
        """Lay out a value that comes or goes."""
        value = side.view
        found = None
        if type(value) is dict:
            members, _ = self.members(*_sides(mark, side), forcing)
            found = _group(label, mark, Shape.OBJECT, members)
        elif type(value) is list and any(type(part) in (dict, list) and part for part in value):
            numbers = range(len(value))
            elements = [self._element(number, mark, side, forcing) for number in numbers]
            found = _group(label, mark, Shape.LIST, elements)
        elif type(value) is str:
            found = _whole_string(label, mark, value)
        return found or leaf(label, *_sides(mark, side))

    def _element(self, number: int, mark: Mark, side: Side, forcing: Forcing) -> Diff:
        sides = _sides(mark, side.element(number))
        label = f"[{number}]"
        return self.diff(label, *sides, forcing.below(number)) or leaf(label, *sides)

    def _lists(self, label: str, before: Side, after: Side, forcing: Forcing) -> Diff | None:
        """Compare two lists: by position where content is secret or lists of lists."""
        values = [*before.view, *after.view]
        if any(map(has_secret, values)) or any(type(value) is list for value in values):
            return self._by_position(label, before, after, forcing)
        matching = match(before.view, after.view)
        members = list(self._matched(before, after, matching, forcing))
        if not members and matching.reordered:
            return leaf(label, before, after, note="order changed")
        note = "the others are in another order" if matching.reordered else ""
        return _group(label, Mark.CHANGED, Shape.LIST, members, unchanged=matching.same, note=note)

    def _matched(
        self, before: Side, after: Side, matching: Matching, forcing: Forcing
    ) -> Iterator[Diff]:
        for old, new in matching.pairs:
            label = element_label(before.view[old], after.view[new], new)
            places = forcing.below(old, new)
            diff = self.diff(label, before.element(old), after.element(new), places)
            if diff is not None:
                yield diff
        for number in matching.removed:
            yield _by_content(self._element(number, Mark.REMOVED, before, forcing))
        for number in matching.added:
            yield _by_content(self._element(number, Mark.ADDED, after, forcing))

    def _by_position(self, label: str, before: Side, after: Side, forcing: Forcing) -> Diff | None:
        members, unchanged = [], 0
        pairs = zip_longest(_elements(before), _elements(after), fillvalue=NOTHING)
        for number, (old, new) in enumerate(pairs):
            diff = self.diff(f"[{number}]", old, new, forcing.below(number))
            if diff is None:
                unchanged += 1
            else:
                members.append(diff)
        return _group(label, Mark.CHANGED, Shape.LIST, members, unchanged=unchanged)


def element_label(before: Any, after: Any, number: int) -> str:
    """Name an element by what it calls itself on both sides, else by its number after."""
    if type(before) is dict and type(after) is dict:
        name = naming_member([before], [after])
        if name is not None and same(before[name], after[name]):
            return f"[{name} {literal(after[name])}]"
    return f"[{number}]"


def _by_content(element: Diff) -> Diff:
    """Leave out the number of a plain element: it was not matched by it."""
    return replace(element, label="") if element.shape is Shape.LEAF else element


def _keys(value: Any) -> set[str]:
    return set(value) if type(value) is dict else set()


def _is_nothing(before: Side, after: Side) -> bool:
    return is_empty((after if before is NOTHING else before).view)


def _sides(mark: Mark, side: Side) -> tuple[Side, Side]:
    return (NOTHING, side) if mark is Mark.ADDED else (side, NOTHING)


def _elements(side: Side) -> list[Side]:
    return [side.element(number) for number in range(len(side.view))]


def _unchanged(before: Side, after: Side) -> bool:
    """Whether values are the same, and redact the same of it."""
    if same(before.view, after.view):
        return True
    return same(before.real, after.real) and literal(before.view) == literal(after.view)


def _group(
    label: str,
    mark: Mark,
    shape: Shape,
    members: Iterable[Diff],
    *,
    unchanged: int = 0,
    note: str = "",
) -> Diff | None:
    members = tuple(members)
    if not members:
        return None
    return Diff(label, mark, shape, members=members, same=unchanged, note=note)


def _strings(label: str, before: Side, after: Side) -> Diff:
    """Compare two strings: as documents, by line, or whole."""
    old, new = review_strings.document(before.view), review_strings.document(after.view)
    if old is not None and new is not None:
        return _documents(label, Side.public(old), Side.public(new))
    if review_strings.has_lines(before.view) or review_strings.has_lines(after.view):
        lines = review_strings.compared(before.view, after.view)
        note = review_strings.end_note(before.view, after.view)
        return Diff(label, Mark.CHANGED, Shape.LINES, lines=lines, note=note)
    return leaf(label, before, after)


def _documents(label: str, before: Side, after: Side) -> Diff:
    inner = Differ(nulls=True).diff(label, before, after)
    if inner is None:
        return leaf(label, before, after, note="the same document, written differently")
    return _as_json(inner)


def _whole_string(label: str, mark: Mark, text: str) -> Diff | None:
    value = review_strings.document(text)
    if value is not None:
        inner = Differ(nulls=True).diff(label, *_sides(mark, Side.public(value)))
        return None if inner is None else _as_json(inner)
    if review_strings.has_lines(text):
        return Diff(label, mark, Shape.LINES, lines=review_strings.one_sided(text, mark))
    return None


def _as_json(diff: Diff) -> Diff:
    return replace(diff, shape=Shape.JSON) if diff.members else diff
