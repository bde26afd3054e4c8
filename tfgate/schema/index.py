"""The compact form: a header that says where each type is, then types in compressed chunks.

::

    tfgate-schema 1\n <length of the header, 8 digits>\n <header> <chunk> <chunk> …

Header and chunks are JSON under zlib. A chunk holds types that follow each other in the alphabet:
they are alike, and compress well together. One look-up decompresses the header and one chunk.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec

from tfgate.errors import UsageError
from tfgate.model.text import any_glob

OPTIONAL = 1
REQUIRED = 2
COMPUTED = 4
SENSITIVE = 8
DEPRECATED = 16
WRITE_ONLY = 32

FLAGS = {
    "optional": OPTIONAL,
    "required": REQUIRED,
    "computed": COMPUTED,
    "sensitive": SENSITIVE,
    "deprecated": DEPRECATED,
    "write_only": WRITE_ONLY,
}
"""Words of the format (JSON Provider Schemas, "attributes") → bits of `Attribute.flags`."""


class Attribute(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One attribute."""

    type: Any
    """A type constraint as Terraform writes it: ``"string"``, ``["list", "string"]``,
    ``["object", {"a": "bool"}]``, ``"dynamic"``; of nested attributes ``["nested", mode, {…}]``."""
    flags: int = 0

    def has(self, flag: int) -> bool:
        """Whether a flag of this module is set."""
        return bool(self.flags & flag)

    @property
    def nested(self) -> tuple[str, dict[str, Attribute]] | None:
        """Of nested attributes, their nesting mode and the attributes; else ``None``."""
        if isinstance(self.type, list) and self.type[:1] == ["nested"]:
            return self.type[1], msgspec.convert(self.type[2], dict[str, Attribute])
        return None


class NestedBlock(msgspec.Struct, frozen=True, array_like=True):
    """A kind of block inside another."""

    mode: str
    """``single``, ``group``, ``list``, ``set`` or ``map``: how it is nested."""
    least: int
    most: int
    """Greatest number of such blocks, 0 for no limit."""
    block: Block


class Block(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A resource type, a data source or a block in one."""

    attributes: dict[str, Attribute] = {}
    blocks: dict[str, NestedBlock] = {}
    deprecated: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Names of attributes and blocks."""
        return frozenset(self.attributes) | frozenset(self.blocks)


class Provider(msgspec.Struct, frozen=True):
    """All that one provider offers."""

    name: str
    """Full name: ``registry.terraform.io/hashicorp/aws``."""
    version: str
    """``5.100.0``; empty where it is not known."""
    resources: Mapping[str, Block]
    data: Mapping[str, Block]


MAGIC: Final = b"tfgate-schema 1\n"
SUFFIX: Final = ".tfschema"
_LENGTH: Final = 9
_CHUNK: Final = 25_000
"""Bytes of a chunk before compression; 0.2 ms to open. Larger ones compress a little better."""
_MOST: Final = 64 * 1024 * 1024
"""Bytes that a hostile file may unfold to, a chunk."""


class _Chunk(msgspec.Struct, array_like=True, frozen=True):
    offset: int
    length: int
    data: bool
    """Whether these are data sources."""
    names: tuple[str, ...]


class _Header(msgspec.Struct, frozen=True):
    provider: str
    version: str
    chunks: tuple[_Chunk, ...]


_HEADER: Final = msgspec.json.Decoder(_Header)
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BLOCK: Final = msgspec.json.Decoder(Block)


def write_index(provider: Provider) -> bytes:
    """Return the index of one provider. The same schema gives the same bytes."""
    chunks, bodies, offset = [], [], 0
    for is_data, types in ((False, provider.resources), (True, provider.data)):
        for names, body in _packed(types):
            bodies.append(zlib.compress(body, 9))
            chunks.append(_Chunk(offset, len(bodies[-1]), is_data, names))
            offset += len(bodies[-1])
    header = zlib.compress(
        msgspec.json.encode(_Header(provider.name, provider.version, tuple(chunks))), 9
    )
    return b"".join([MAGIC, f"{len(header):08}\n".encode(), header, *bodies])


def _packed(types: Mapping[str, Block]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    held: dict[str, msgspec.Raw] = {}
    size = 0
    for name in sorted(types):
        raw = msgspec.json.encode(types[name], order="deterministic")
        if held and size + len(raw) > _CHUNK:
            yield tuple(held), msgspec.json.encode(held)
            held, size = {}, 0
        held[name] = msgspec.Raw(raw)
        size += len(raw)
    if held:
        yield tuple(held), msgspec.json.encode(held)


class SchemaIndex:
    """A provider's index, decoded a type at a time."""

    def __init__(self, data: bytes, *, name: str = "the index") -> None:
        """Read the header. Raises ``UsageError`` for what is no index."""
        self.file = name
        start = len(MAGIC) + _LENGTH
        if not data.startswith(MAGIC) or not data[len(MAGIC) : start].strip().isdigit():
            raise self._broken()
        self._body = start + int(data[len(MAGIC) : start])
        self._data = data
        try:
            self._header = _HEADER.decode(_inflate(data[start : self._body]))
        except (zlib.error, msgspec.DecodeError, ValueError):
            raise self._broken() from None
        self._chunk = lru_cache(maxsize=8)(self._read_chunk)
        self._block = lru_cache(maxsize=4096)(self._read_block)

    def __repr__(self) -> str:
        return f"SchemaIndex({self.provider} {self.version})"

    @property
    def provider(self) -> str:
        """Full name of the provider."""
        return self._header.provider

    @property
    def version(self) -> str:
        """Version of the provider, empty where it is not known."""
        return self._header.version

    @property
    def prefix(self) -> str:
        """What its types begin with: the last part of its name."""
        return self.provider.rpartition("/")[2]

    @cached_property
    def _places(self) -> dict[tuple[bool, str], int]:
        return {
            (chunk.data, name): number
            for number, chunk in enumerate(self._header.chunks)
            for name in chunk.names
        }

    def types(self, *, data: bool = False) -> list[str]:
        """Name the resource types, or the data sources, sorted."""
        return [name for chunk in self._header.chunks if chunk.data is data for name in chunk.names]

    def has(self, kind: str) -> bool:
        """Whether there is such a resource type."""
        return (False, kind) in self._places

    def get(self, kind: str, *, data: bool = False) -> Block | None:
        """Return a type's schema. Raises ``UsageError`` where the file is spoilt."""
        return self._block(kind, data)

    def _read_block(self, kind: str, data: bool) -> Block | None:
        number = self._places.get((data, kind))
        if number is None:
            return None
        try:
            return _BLOCK.decode(self._chunk(number)[kind])
        except (zlib.error, msgspec.DecodeError, ValueError, KeyError, RecursionError):
            raise self._broken() from None

    def _read_chunk(self, number: int) -> dict[str, msgspec.Raw]:
        chunk = self._header.chunks[number]
        start = self._body + chunk.offset
        return _RAW.decode(_inflate(self._data[start : start + chunk.length]))

    def _broken(self) -> UsageError:
        return UsageError(
            f"{self.file} is not an index of a provider's schema.",
            hint="Make one with: tfgate schema index",
        )


def _inflate(data: bytes) -> bytes:
    made = zlib.decompressobj()
    inflated = made.decompress(data, _MOST)
    if made.unconsumed_tail or not made.eof:
        raise ValueError("cut short, or too large")
    return inflated


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
        """Return the index of the provider that a type's prefix names."""
        return self._by_prefix.get(kind.partition("_")[0])

    def get(self, kind: str, *, data: bool = False) -> Block | None:
        """Return a type's schema, ``None`` where it is not known."""
        index = self.index_of(kind)
        return index.get(kind, data=data) if index else None

    def other(self, kind: str, *, data: bool = False) -> Block | None:
        """Return a type's schema in the version of the provider that was put aside."""
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
        """Return the known type that is spelt most like ``kind``, if one is near.

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
