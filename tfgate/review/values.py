"""The two sides of a difference, and the differences that have no parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from tfgate.query.values import SENSITIVE, Maybe, Unknown
from tfgate.review.model import Diff, Form, Mark, Shown


def as_planned(value: Any) -> Any:
    """Return a value with the one element that the provider planned where there may be any number.

    `tfgate.plan.arguments.settle` marks such elements for rules; Terraform shows what was planned.
    """
    if type(value) is Maybe:
        return as_planned(value.value)
    if type(value) is list:
        return [as_planned(part) for part in value]
    if type(value) is dict:
        return {key: as_planned(part) for key, part in value.items()}
    return value


def shown(value: Any) -> Shown:
    """Return one side of a difference. Parts inside that are unknown or sensitive say so."""
    if isinstance(value, Unknown):
        return Shown(Form.SENSITIVE if value is SENSITIVE else Form.UNKNOWN)
    return Shown(Form.LITERAL, literal(value))


def literal(value: Any) -> str:
    """Write a value as compact JSON; marks inside stand without quotes."""
    if isinstance(value, Unknown):
        return "(sensitive)" if value is SENSITIVE else "(known after apply)"
    if type(value) is dict:
        inner = ", ".join(f"{quoted(key)}: {literal(part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if type(value) is list:
        return f"[{', '.join(map(literal, value))}]"
    return quoted(value)


def quoted(value: Any) -> str:
    """Write a string, number, boolean or null as JSON."""
    return json.dumps(value, ensure_ascii=False)


def has_secret(value: Any) -> bool:
    """Whether anything in ``value`` is sensitive."""
    if type(value) is dict:
        return any(map(has_secret, value.values()))
    if type(value) is list:
        return any(map(has_secret, value))
    return value is SENSITIVE


def same(before: Any, after: Any) -> bool:
    """Whether two values are certainly the same; what is unknown is not.

    Unlike Python's ``==``, ``1`` is not ``true``.
    """
    if type(before) is not type(after):
        return _same_number(before, after)
    if type(before) is dict:
        return before.keys() == after.keys() and all(
            same(value, after[key]) for key, value in before.items()
        )
    if type(before) is list:
        return len(before) == len(after) and all(map(same, before, after))
    return not isinstance(before, Unknown) and bool(before == after)


def _same_number(before: Any, after: Any) -> bool:
    numbers = (int, float)
    return type(before) in numbers and type(after) in numbers and bool(before == after)


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: null, ``[]``, ``{}``. (``""``, ``0``, ``false`` do.)"""
    return value is None or (type(value) in (list, dict) and not value)


class Side(NamedTuple):
    """One value in two views."""

    view: Any
    """Redacted: what is shown is made of this alone."""
    real: Any
    """Shows only whether something secret stays as it is, as Terraform's own plan does."""

    def member(self, key: str) -> Side:
        """Return the member of an object, `NOTHING` where it has none."""
        if type(self.view) is not dict or key not in self.view:
            return NOTHING
        real = self.real.get(key) if type(self.real) is dict else self.real
        return Side(self.view[key], real)

    def element(self, number: int) -> Side:
        """Return the element of a list."""
        fits = type(self.real) is list and len(self.real) > number
        return Side(self.view[number], self.real[number] if fits else self.real)

    @staticmethod
    def public(value: Any) -> Side:
        """Return a side with nothing to redact."""
        return Side(value, value)


NOTHING: Final = Side(None, None)
"""There is no value at all. Compared by identity: null may be a value."""


def hides(before: Side, after: Side) -> bool:
    """Whether neither side may be shown: one is a secret, and the other may be the same."""
    if before.view is SENSITIVE or after.view is SENSITIVE:
        return True
    if before is NOTHING or after is NOTHING or type(before.view) is type(after.view):
        return False
    return has_secret(before.view) or has_secret(after.view)


def secret(label: str, before: Side, after: Side, *, forces: bool) -> Diff | None:
    """Return the difference of what may not be shown; ``None`` where it stays as it is."""
    was, becomes = before.view is SENSITIVE, after.view is SENSITIVE
    if was and becomes and same(before.real, after.real):
        return None
    note = ""
    if was != becomes and not any(map(_has_no_secrecy, (before, after))):
        note = "becomes sensitive" if becomes else "no longer sensitive"
    return Diff(
        label,
        _mark(before, after),
        before=_hidden(before),
        after=_hidden(after),
        forces=forces,
        note=note,
    )


def _has_no_secrecy(side: Side) -> bool:
    """Whether a side is nothing, or not known: then it does not lose or gain secrecy."""
    return side is NOTHING or (isinstance(side.view, Unknown) and side.view is not SENSITIVE)


def _hidden(side: Side) -> Shown | None:
    if side is NOTHING:
        return None
    unknown = isinstance(side.view, Unknown) and side.view is not SENSITIVE
    return Shown(Form.UNKNOWN if unknown else Form.SENSITIVE)


def leaf(label: str, before: Side, after: Side, *, note: str = "") -> Diff:
    """Return a difference that shows both sides whole."""
    return Diff(
        label,
        _mark(before, after),
        before=None if before is NOTHING else shown(before.view),
        after=None if after is NOTHING else shown(after.view),
        note=note,
    )


def _mark(before: Side, after: Side) -> Mark:
    if before is NOTHING:
        return Mark.ADDED
    return Mark.REMOVED if after is NOTHING else Mark.CHANGED


Path = tuple[str | int, ...]


class Forcing:
    """The forcing paths that lead on from one place in a value."""

    __slots__ = ("_rests",)

    def __init__(self, rests: Iterable[Path]) -> None:
        self._rests = frozenset(rests)

    @staticmethod
    def of(replace_paths: Sequence[Any]) -> Forcing:
        """Read the paths as a plan has them; one that has other steps ends before them."""
        return Forcing(path for path in map(known_path, replace_paths) if path)

    @property
    def here(self) -> bool:
        """Whether a path ends here."""
        return () in self._rests

    def below(self, *steps: str | int) -> Forcing:
        """Go one step on; by several names where a place has them (before and after)."""
        if not self._rests:
            return self
        return Forcing(
            rest[1:]
            for rest in self._rests
            if rest and any(type(step) is type(rest[0]) and step == rest[0] for step in steps)
        )


NEVER: Final = Forcing(())
"""Nothing here forces anything."""


def known_path(path: Any) -> Path:
    """Return the steps of a path as far as they are names and numbers."""
    steps: list[str | int] = []
    for step in path if type(path) is list else ():
        if type(step) is not str and type(step) is not int:
            break
        steps.append(step)
    return tuple(steps)


def path_text(path: Path) -> str:
    """Write ``network_interface[0].subnet_id``."""
    text = "".join(f"[{step}]" if type(step) is int else f".{step}" for step in path)
    return text.lstrip(".")


# Terraform marks the values that a configuration makes sensitive, and follows them through
# expressions; what a provider computes from them carries no mark (the ``output`` of a
# ``terraform_data`` whose ``input`` is sensitive). Within one change such a repetition is hidden.
_SHORTEST: Final = 8
"""Characters: a shorter secret is also a common word, and redacting that would point at it."""


def without_echoes(before: Side, after: Side) -> tuple[Side, Side]:
    """Redact every string that has one of the change's own secrets in it."""
    secrets = {*_secrets(before.view, before.real), *_secrets(after.view, after.real)}
    if not secrets:
        return before, after
    return _masked(before, secrets), _masked(after, secrets)


def _masked(side: Side, secrets: set[str]) -> Side:
    return side if side is NOTHING else Side(_mask(side.view, secrets), side.real)


def _secrets(view: Any, real: Any) -> Iterator[str]:
    """Find the strings of ``real`` that ``view`` redacts."""
    if view is SENSITIVE:
        yield from _strings(real)
    elif type(view) is dict and type(real) is dict:
        for key, part in view.items():
            yield from _secrets(part, real.get(key))
    elif type(view) is list and type(real) is list:
        for part, value in zip(view, real, strict=False):
            yield from _secrets(part, value)


def _strings(value: Any) -> Iterator[str]:
    if type(value) is str:
        if len(value) >= _SHORTEST:
            yield value
    elif type(value) is dict:
        for part in value.values():
            yield from _strings(part)
    elif type(value) is list:
        for part in value:
            yield from _strings(part)


def _mask(view: Any, secrets: set[str]) -> Any:
    if type(view) is str:
        return SENSITIVE if any(secret in view for secret in secrets) else view
    if type(view) is list:
        return [_mask(part, secrets) for part in view]
    if type(view) is not dict:
        return view
    if any(secret in key for key in view for secret in secrets):
        return SENSITIVE
    return {key: _mask(part, secrets) for key, part in view.items()}
