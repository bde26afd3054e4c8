"""The two sides of a difference, and the differences that have no parts."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tfgate.app.review_values import has_secret, same, shown
from tfgate.model.review import Diff, Form, Mark, Shown
from tfgate.query.values import SENSITIVE, Unknown


class Side(NamedTuple):
    """One value in two views."""

    view: Any
    """Redacted: what is shown is made of this alone."""
    real: Any
    """Only tells whether something secret stays as it is, as Terraform's own plan does."""

    def member(self, key: str) -> Side:
        """Give the member of an object, `NOTHING` where it has none."""
        if type(self.view) is not dict or key not in self.view:
            return NOTHING
        real = self.real.get(key) if type(self.real) is dict else self.real
        return Side(self.view[key], real)

    def element(self, number: int) -> Side:
        """Give the element of a list."""
        fits = type(self.real) is list and len(self.real) > number
        return Side(self.view[number], self.real[number] if fits else self.real)

    @staticmethod
    def public(value: Any) -> Side:
        """Give a side with nothing to hide."""
        return Side(value, value)


NOTHING: Final = Side(None, None)
"""There is no value at all. Told by identity: null may be a value."""


def hides(before: Side, after: Side) -> bool:
    """Whether neither side may be shown: one is a secret, and the other may be the same."""
    if before.view is SENSITIVE or after.view is SENSITIVE:
        return True
    if before is NOTHING or after is NOTHING or type(before.view) is type(after.view):
        return False
    return has_secret(before.view) or has_secret(after.view)


def secret(label: str, before: Side, after: Side, *, forces: bool) -> Diff | None:
    """Give the difference of what may not be shown; ``None`` where it stays as it is."""
    was, becomes = before.view is SENSITIVE, after.view is SENSITIVE
    if was and becomes and same(before.real, after.real):
        return None
    note = ""
    if was != becomes and not any(map(_has_no_say, (before, after))):
        note = "becomes sensitive" if becomes else "no longer sensitive"
    return Diff(
        label,
        _mark(before, after),
        before=_hidden(before),
        after=_hidden(after),
        forces=forces,
        note=note,
    )


def _has_no_say(side: Side) -> bool:
    """Whether a side is nothing, or not known: then it does not lose or gain secrecy."""
    return side is NOTHING or (isinstance(side.view, Unknown) and side.view is not SENSITIVE)


def _hidden(side: Side) -> Shown | None:
    if side is NOTHING:
        return None
    unknown = isinstance(side.view, Unknown) and side.view is not SENSITIVE
    return Shown(Form.UNKNOWN if unknown else Form.SENSITIVE)


def leaf(label: str, before: Side, after: Side, *, forces: bool = False, note: str = "") -> Diff:
    """Give a difference that shows both sides whole."""
    return Diff(
        label,
        _mark(before, after),
        before=None if before is NOTHING else shown(before.view),
        after=None if after is NOTHING else shown(after.view),
        forces=forces,
        note=note,
    )


def _mark(before: Side, after: Side) -> Mark:
    if before is NOTHING:
        return Mark.ADDED
    return Mark.REMOVED if after is NOTHING else Mark.CHANGED
