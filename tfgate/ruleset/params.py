"""Parameters of a ruleset: their types, and checked values."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from tfgate.model import Frozen
from tfgate.model.text import late
from tfgate.ruleset.strict import INVALID, Json, toml_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tfgate.ruleset.problems import KeyPath, Problems

TYPE_PATTERN = r"\s*(?:(?:list|set|map)\s*\(\s*){0,8}(?:string|number|bool|any)\s*(?:\)\s*){0,8}"
"""What a type may look like; whether its parentheses fit is checked by ``ParamType.parse``."""

_OUTER = late(r"\s*(list|set|map)\s*\((.*)\)\s*", re.DOTALL)


class ParamType(Frozen, frozen=True):
    """``string``, ``number``, ``bool``, ``any``, or ``list``/``set``/``map`` of a type."""

    name: str
    item: ParamType | None = None

    @classmethod
    def parse(cls, text: str) -> ParamType | None:
        """Parse ``list(string)``, as Terraform writes it; ``None`` for what is no such type."""
        if len(text) > 200:
            return None
        outer = _OUTER.fullmatch(text)
        if outer is None:
            name = text.strip()
            return cls(name) if name in _CHECKS else None
        item = cls.parse(outer.group(2))
        return None if item is None else cls(outer.group(1), item)

    def __str__(self) -> str:
        return self.name if self.item is None else f"{self.name}({self.item})"

    def check(self, value: object, at: KeyPath, problems: Problems) -> bool:
        """Record every place where ``value`` is not of this type; return whether it is."""
        if self.item is None:
            return self._check_plain(value, at, problems)
        outer = dict if self.name == "map" else list
        if not isinstance(value, outer):
            problems.add(f"expected {self}, found {toml_type(value)}", at)
            return False
        items = value.items() if isinstance(value, dict) else enumerate(value)
        checked = [self.item.check(item, (*at, key), problems) for key, item in items]
        right = all(checked)
        if right and self.name == "set" and isinstance(value, list):
            right = _check_no_repeats(value, at, problems)
        return right

    def _check_plain(self, value: object, at: KeyPath, problems: Problems) -> bool:
        if self.name == "any":
            return Json().read(value, at, problems) is not INVALID
        if _CHECKS[self.name](value):
            return True
        problems.add(f"expected {self}, found {toml_type(value)}", at)
        return False


def _check_no_repeats(value: list[Any], at: KeyPath, problems: Problems) -> bool:
    seen: set[str] = set()
    for number, item in enumerate(value):
        text = json.dumps(item, sort_keys=True)
        if text in seen:
            problems.add("repeats an element that stands before it", (*at, number))
            return False
        seen.add(text)
    return True


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "bool": lambda value: isinstance(value, bool),
    "any": lambda value: True,
}


class ParamSpec(Frozen, frozen=True):
    """A parameter that a ruleset declares."""

    name: str
    type: ParamType
    description: str
    required: bool
    """Whether the configuration must give a value."""
    default: Any = None
    """A plain JSON value; ``None`` where there is none."""


def check_known(
    known: Collection[str], given: Iterable[str], at: KeyPath, problems: Problems
) -> None:
    """Record each name that there is none of."""
    for name in given:
        if name not in known:
            problems.unknown_key(name, at, known)


def check_params(
    specs: Mapping[str, ParamSpec], values: Mapping[str, Any], at: KeyPath, problems: Problems
) -> dict[str, Any]:
    """Return the values that are right; record each unknown name and each wrong type."""
    right = {}
    for name, value in values.items():
        if name not in specs:
            problems.unknown_key(name, at, specs)
        elif specs[name].type.check(value, (*at, name), problems):
            right[name] = value
    return right
