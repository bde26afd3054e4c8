"""Differences of values in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.action import Action
from tfgate.model.review import Form, Mark, Shape
from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.neutral import clip, console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.model.review import Diff, Line, Shown
    from tfgate.report.layout import Sheet, Span

_SIGNS: Final = {Mark.ADDED: "+", Mark.REMOVED: "-", Mark.CHANGED: "~", Mark.SAME: " "}
_ROLES: Final = {
    Action.CREATE: "added",
    Action.UPDATE: "changed",
    Action.REPLACE: "removed",
    Action.DELETE: "removed",
}
_WIDEST_NAME: Final = 32
"""Columns that names may take before their values stop standing in one column."""
_LINES: Final = 30
_MEMBERS: Final = 40
_DEEPEST: Final = 12
"""Levels below which the indent no longer grows."""


_TIED: Final = "\N{NO-BREAK SPACE}"
"""Stands for a blank at which no line ends. Plan text has none: ``visible`` writes it out."""


def tied(text: str) -> str:
    """Keep a few words on one line, until ``untied``."""
    return console(text).replace(" ", _TIED)


def untied(text: str) -> str:
    """Give the finished text its blanks."""
    return text.replace(_TIED, " ")


def role_of(action: Action | None) -> str:
    """Give the role (``Sheet``'s word for a look) of an action."""
    return _ROLES.get(action, "quiet") if action is not None else "changed"


class DiffWriter:
    """Writes differences below each other, with the members of each indented."""

    def __init__(self, sheet: Sheet, width: int, *, full: bool) -> None:
        self._sheet = sheet
        self._full = full
        self._longest = max(160, 4 * width)

    def write(self, diffs: Sequence[Diff], *, indent: int) -> None:
        """Write the differences of one level."""
        names = [len(console(diff.label)) for diff in diffs if diff.shape is Shape.LEAF]
        column = min(max(names, default=0), _WIDEST_NAME)
        shown = len(diffs) if self._full else _MEMBERS
        for diff in diffs[:shown]:
            self._one(diff, indent, column)
        if len(diffs) > shown:
            number = view.count(len(diffs) - shown, "difference")
            self._sheet.add((f"… {number} more (shown with --full)", "quiet"), indent=indent)

    def _one(self, diff: Diff, indent: int, column: int) -> None:
        sign = (f"{_SIGNS[diff.mark]} ", diff.mark.value)
        label = console(clip(diff.label, 200))
        note = words.notes(diff)
        ending = (
            ((f" {_TIED}({tied(note)})", "forces" if diff.forces else "quiet"),) if note else ()
        )
        if diff.shape is Shape.LEAF:
            name = f"{label:<{column}}  " if label else ""
            self._sheet.add(sign, (name, ""), *self._values(diff), *ending, indent=indent, hang=4)
            return
        what = {Shape.JSON: "  (JSON)", Shape.LINES: "  (text)"}.get(diff.shape, "")
        self._sheet.add(sign, (label, ""), (what, "quiet"), *ending, indent=indent, hang=4)
        deeper = min(indent + 4, 6 + 4 * _DEEPEST)
        self._lines(diff.lines, deeper)
        self.write(diff.members, indent=deeper)
        if diff.same:
            self._sheet.add((f"{diff.same:,} unchanged", "quiet"), indent=deeper + 2)

    def _values(self, diff: Diff) -> list[Span]:
        before, after = diff.before, diff.after
        if before is None or after is None or before == after:
            only = after or before
            return [self._side(only, diff.mark)] if only is not None else []
        return [
            self._side(before, Mark.REMOVED),
            (" → ", "quiet"),
            self._side(after, Mark.ADDED),
        ]

    def _side(self, shown: Shown, mark: Mark) -> Span:
        text = words.side(shown)
        if not self._full:
            text = clip(text, self._longest)
        return console(text), mark.value if shown.form is Form.LITERAL else "quiet"

    def _lines(self, lines: Sequence[Line], indent: int) -> None:
        shown = len(lines) if self._full else _LINES
        for line in lines[:shown]:
            sign = "…" if line.skipped else _SIGNS[line.mark].replace(" ", _TIED)
            role = "quiet" if line.skipped or line.mark is Mark.SAME else line.mark.value
            text = line.text if self._full else clip(line.text, self._longest)
            self._sheet.add((f"{sign} {console(text)}", role), indent=indent, hang=2)
        if len(lines) > shown:
            number = view.count(len(lines) - shown, "line")
            self._sheet.add((f"… {number} more (shown with --full)", "quiet"), indent=indent)
