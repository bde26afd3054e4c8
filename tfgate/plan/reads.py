"""What a set of rules reads of a document, so that nothing else is decoded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypedDict

import msgspec
from msgspec import Raw

from tfgate.plan.decoding import (
    MARK,
    WRITE_ONLY,
    check_depth,
    is_maybe_deep,
    unmark,
    without_write_only,
)
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Path = tuple[str, ...]


class Attributes:
    """Which top-level attributes of a value to decode: the named ones, or all."""

    __slots__ = ("_decode", "names")

    names: frozenset[str] | None
    """None for all."""

    def __init__(self, names: frozenset[str] | None) -> None:
        if names is not None and not "".join(names).isascii():
            names = None  # msgspec finds no key in a TypedDict that is not ASCII
        self.names = names
        # msgspec skips what a TypedDict does not name without making objects of it.
        wanted = dict[str, Any] if names is None else _typed_dict(names)
        self._decode = msgspec.json.Decoder(wanted | bool | None).decode

    def decode(self, raw: Raw) -> Any:
        """Return an object with the wanted attributes alone; null and booleans as they are.

        What the object does not have stays absent; what is absent itself is None. Null
        write-only arguments become `UNKNOWN`. Raises ValueError or RecursionError for another
        shape, for what is no JSON, and for values nested too deep.
        """
        if not raw:
            return None
        if len(raw) == len(MARK) and bytes(raw) == MARK:
            return SENSITIVE
        value = self._decode(raw)
        if type(value) is dict:
            for part in value.values():
                if part is None or type(part) is dict or type(part) is list:
                    return _checked(value, bytes(raw))
        return value


def _checked(value: Any, text: bytes) -> Any:
    """Check the depth of what has parts, and find write-only arguments; ``text`` may show it."""
    if is_maybe_deep(text):
        check_depth(value)
    if MARK in text:
        value = unmark(value)
    return without_write_only(value) if WRITE_ONLY in text else value


def _typed_dict(names: frozenset[str]) -> Any:
    fields: Any = dict.fromkeys(names, Any)
    return TypedDict("Attributes", fields, total=False)  # type: ignore[operator]  # made at run time


@lru_cache(maxsize=1024)
def attributes(names: frozenset[str] | None) -> Attributes:
    """Return the (cached) `Attributes` for a set of names, or for all with None."""
    return Attributes(names)


class Reads:
    """The field paths that expressions read from a document, list steps left out.

    ``Reads.of([("after", "ingress", "from_port"), ("address",)])`` wants ``address`` and, of
    ``after``, the attribute ``ingress``. The empty path wants the whole document.
    """

    __slots__ = ("_attributes", "_below", "_selected", "fields", "paths")

    fields: frozenset[str] | None
    """Root fields that are read; None for all."""
    paths: frozenset[Path]

    def __init__(self, paths: frozenset[Path]) -> None:
        self.paths = paths
        self.fields = None if () in paths else frozenset(path[0] for path in paths)
        self._below: dict[str, Reads] = {}
        self._attributes: dict[str, Attributes] = {}
        self._selected: dict[int, tuple[tuple[str, Any], ...]] = {}

    @staticmethod
    def of(paths: Iterable[Path]) -> Reads:
        """Collect paths, as `tfgate.query.Expression.reads` gives them."""
        return _reads(frozenset(paths))

    def wants(self, field: str) -> bool:
        """Whether anything of this root field is read."""
        return self.fields is None or field in self.fields

    def below(self, field: str) -> Reads:
        """What is read below a root field, as the reads of that field's value."""
        found = self._below.get(field)
        if found is None:
            whole = self.fields is None
            rests = (path[1:] for path in self.paths if path and path[0] == field)
            found = self._below[field] = EVERYTHING if whole else Reads.of(rests)
        return found

    def attributes(self, field: str) -> Attributes:
        """Which top-level attributes of this root field's object are read."""
        found = self._attributes.get(field)
        if found is None:
            found = self._attributes[field] = attributes(self.below(field).fields)
        return found

    def select(self, table: Mapping[str, _Getter]) -> tuple[tuple[str, _Getter], ...]:
        """Pick the entries of a table of fields that are read, in the table's order.

        ``table`` is a module constant: the choice is kept by its identity.
        """
        chosen = self._selected.get(id(table))
        if chosen is None:
            chosen = tuple((name, get) for name, get in table.items() if self.wants(name))
            self._selected[id(table)] = chosen
        return chosen


if TYPE_CHECKING:
    _Getter = Callable[[Any, Reads], Any]


@lru_cache(maxsize=4096)
def _reads(paths: frozenset[Path]) -> Reads:
    return Reads(paths)


EVERYTHING: Final = Reads(frozenset({()}))
"""Reads the whole document."""


class PartOfPlan:
    """What the subjects of a plan have in common: plan JSON has no places and no literals."""

    __slots__ = ()

    in_plan = True

    def place(self, path: str | None) -> None:
        """None: whoever has the sources looks the address up."""

    def literal_secrets(self) -> None:
        """None: what is written is in the sources."""
