"""Several providers' schemas, asked by type, glob and nearest name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from tfgate.model.glob import any_glob

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tfgate.schema.index import SchemaIndex
    from tfgate.schema.types import Block


class Catalog:
    """The indexes at hand; of two of one provider the first counts, the second is `older`."""

    def __init__(self, indexes: Iterable[SchemaIndex] = ()) -> None:
        self._by_prefix: dict[str, SchemaIndex] = {}
        self.others: dict[str, SchemaIndex] = {}
        """By prefix, the index that a first one has put aside: for comparison."""
        for index in indexes:
            if index.prefix not in self._by_prefix:
                self._by_prefix[index.prefix] = index
            else:
                self.others.setdefault(index.prefix, index)

    @property
    def indexes(self) -> tuple[SchemaIndex, ...]:
        """The indexes that count."""
        return tuple(self._by_prefix.values())

    def index_of(self, kind: str) -> SchemaIndex | None:
        """Give the index of the provider that a type's prefix names."""
        return self._by_prefix.get(kind.partition("_")[0])

    def get(self, kind: str, *, data: bool = False) -> Block | None:
        """Give a type's schema, ``None`` where it is not known."""
        index = self.index_of(kind)
        return index.get(kind, data=data) if index else None

    def other(self, kind: str, *, data: bool = False) -> Block | None:
        """Give a type's schema in the version of the provider that was put aside."""
        index = self.others.get(kind.partition("_")[0])
        return index.get(kind, data=data) if index else None

    def types(self, *, data: bool = False) -> list[str]:
        """Name every known type."""
        return [name for index in self.indexes for name in index.types(data=data)]

    def matching(
        self, globs: Sequence[str], providers: Sequence[str] = (), *, data: bool = False
    ) -> list[str]:
        """Name the known types that fit one of ``globs`` (all, where none is given)."""
        fits = any_glob(tuple(globs))
        of = any_glob(tuple(providers))
        return [
            name
            for index in self.indexes
            if not providers or of(index.provider) or of(index.prefix)
            for name in index.types(data=data)
            if not globs or fits(name)
        ]

    def nearest(self, kind: str, *, data: bool = False) -> str | None:
        """Give the known type that is spelt most like ``kind``, if one is near.

        Where the prefix is of no known provider, only a misspelt prefix is thought of: the type may
        well be of a provider that is not known.
        """
        prefix, _, rest = kind.partition("_")
        index = self.index_of(kind)
        if index is not None:
            near = get_close_matches(kind, index.types(data=data), n=1, cutoff=0.7)
            return near[0] if near else None
        for known in get_close_matches(prefix, self._by_prefix, n=3, cutoff=0.6):
            types = self._by_prefix[known].types(data=data)
            near = get_close_matches(f"{known}_{rest}", types, n=1, cutoff=0.9)
            if near:
                return near[0]
        return None
