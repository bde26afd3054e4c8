"""The compact form: a header that says where each type is, then types in compressed chunks.

::

    tfgate-schema 1\\n <length of the header, 8 digits>\\n <header> <chunk> <chunk> …

Header and chunks are JSON under zlib. A chunk holds types that follow each other in the alphabet:
they are alike, and compress well together. One look-up decompresses the header and one chunk.
"""

from __future__ import annotations

import zlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from tfgate.errors import UsageError
from tfgate.schema.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.schema.types import Provider

MAGIC: Final = b"tfgate-schema 1\n"
SUFFIX: Final = ".tfschema"
_LENGTH: Final = 9
_CHUNK: Final = 150_000
"""Bytes of a chunk before compression; 2 ms to open."""
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
    """Give the index of one provider. The same schema gives the same bytes."""
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

    def has(self, kind: str, *, data: bool = False) -> bool:
        """Tell whether there is such a resource type, or data source."""
        return (data, kind) in self._places

    def get(self, kind: str, *, data: bool = False) -> Block | None:
        """Give a type's schema. Raises ``UsageError`` where the file is spoilt."""
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
