"""What a set of rules reads of a document, so that nothing else is decoded."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import astuple

from tfgate.plan.decoding import checked_depth, decode_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Path = tuple[str, ...]

_UNNAMEABLE: Final = re.compile(r'["\\\x00-\x1f]')
"""Characters that msgspec does not take in a field's name."""


class Attributes:
    """Which top-level attributes of an object to decode: the named ones, or all."""

    __slots__ = ("_decoder", "names")

    names: tuple[str, ...] | None
    """None for all."""

    def __init__(self, names: frozenset[str] | None) -> None:
        if names is not None and any(_UNNAMEABLE.search(name) for name in names):
            names = None
        self.names = None if names is None else tuple(sorted(names))
        self._decoder = _WHOLE if self.names is None else msgspec.json.Decoder(_pruned(self.names))

    def decode(self, raw: Raw, where: str) -> Any:
        """Give an object with the wanted attributes alone; null, booleans as they are.

        What the object does not have stays absent. Raises PlanError for another shape.
        """
        if not raw:
            return None
        value = decode_as(self._decoder, raw, where)
        if self.names is not None and isinstance(value, msgspec.Struct):
            pairs = zip(self.names, astuple(value), strict=True)
            value = {name: part for name, part in pairs if part is not UNSET}
        return checked_depth(value, where)


_WHOLE: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(dict[str, Any] | bool | None)


def _pruned(names: tuple[str, ...]) -> Any:
    """Make a struct type for these attributes: msgspec skips others without allocating."""
    fields = [(f"f{number}", Any, UNSET) for number in range(len(names))]
    rename = {f"f{number}": name for number, name in enumerate(names)}
    return msgspec.defstruct("Attributes", fields, rename=rename, gc=False) | bool | None


@lru_cache(maxsize=1024)
def attributes(names: frozenset[str] | None) -> Attributes:
    """Give the (cached) `Attributes` for a set of names, or for all with None."""
    return Attributes(names)


class Reads:
    """The field paths that expressions read from a document, list steps left out.

    ``Reads.of([("after", "ingress", "from_port"), ("address",)])`` wants ``address`` and, of
    ``after``, the attribute ``ingress``. The empty path wants the whole document.
    """

    __slots__ = ("_below", "_selected", "fields", "paths")

    fields: frozenset[str] | None
    """Root fields that are read; None for all."""
    paths: frozenset[Path]

    def __init__(self, paths: frozenset[Path]) -> None:
        self.paths = paths
        self.fields = None if () in paths else frozenset(path[0] for path in paths)
        self._below: dict[str, Reads] = {}
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
        return attributes(self.below(field).fields)

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
