"""The difference between two values, as a person reads it."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.app import review_lists, review_strings
from tfgate.app.review_leaf import NOTHING, Side, hides, leaf, secret
from tfgate.app.review_paths import NEVER, Forcing
from tfgate.app.review_values import has_secret, is_empty, literal, same
from tfgate.model.review import Diff, Mark, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
            if (old is NOTHING and new is NOTHING) or (bare and _says_nothing(old, new)):
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
        matching = review_lists.match(before.view, after.view)
        members = list(self._matched(before, after, matching, forcing))
        if not members and matching.reordered:
            return leaf(label, before, after, note="order changed")
        note = "the others are in another order" if matching.reordered else ""
        return _group(label, Mark.CHANGED, Shape.LIST, members, unchanged=matching.same, note=note)

    def _matched(
        self, before: Side, after: Side, matching: review_lists.Matching, forcing: Forcing
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
        name = review_lists.naming_member([before], [after])
        if name is not None and same(before[name], after[name]):
            return f"[{name} {literal(after[name])}]"
    return f"[{number}]"


def _by_content(element: Diff) -> Diff:
    """Leave out the number of a plain element: it was not matched by it."""
    return replace(element, label="") if element.shape is Shape.LEAF else element


def _keys(value: Any) -> set[str]:
    return set(value) if type(value) is dict else set()


def _says_nothing(before: Side, after: Side) -> bool:
    return is_empty((after if before is NOTHING else before).view)


def _sides(mark: Mark, side: Side) -> tuple[Side, Side]:
    return (NOTHING, side) if mark is Mark.ADDED else (side, NOTHING)


def _elements(side: Side) -> list[Side]:
    return [side.element(number) for number in range(len(side.view))]


def _unchanged(before: Side, after: Side) -> bool:
    """Whether values are the same, and hide the same of it."""
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
