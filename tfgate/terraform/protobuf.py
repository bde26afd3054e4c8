"""Read a few fields of a protocol buffer message, merged as protocol buffers merge them.

protobuf.dev/programming-guides/encoding: a field that stands there several times is its last value,
or, where it is a message, all of its values read as one. A field in another wire type than its own
is unknown, and passed over. What is cut off, malformed or larger than anybody writes is refused;
never is a part of it taken for the whole.
"""

from __future__ import annotations

import enum
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 1 << 20
"""Bytes of one wanted field, all its values together: a backend's settings take a few hundred."""

MOST_FIELDS: Final = 4_000_000
"""Fields of one message: a plan has one for each change, of which the largest have 100,000."""

_CHUNK: Final = 1 << 16
_HIGHEST_NUMBER: Final = (1 << 29) - 1
_LARGEST_VARINT: Final = (1 << 64) - 1


class Kind(enum.Enum):
    """What a wanted field holds."""

    NUMBER = 0
    """An integer or a boolean: wire type 0."""
    BYTES = 2
    """Bytes or text: wire type 2; the last value counts."""
    MESSAGE = "message"
    """A message: wire type 2; all values are one message."""

    @property
    def wire_type(self) -> int:
        """The wire type in which such a field is written."""
        return 0 if self is Kind.NUMBER else 2


def read_fields(stream: IO[bytes], wanted: Mapping[int, Kind]) -> dict[int, bytes | int]:
    """Walk one message to its end and give the wanted fields that it has, by number.

    The rest is skipped unread: memory does not grow with the message. Raises ``ValueError`` where
    it is no message or exceeds a bound, and ``EOFError`` where it is cut off.
    """
    found: dict[int, bytes | int] = {}
    count = 0
    while (key := _varint(stream)) is not None:
        count += 1
        number, wire_type = key >> 3, key & 7
        if not 0 < number <= _HIGHEST_NUMBER:
            raise ValueError("a field has no valid number")
        if count > MOST_FIELDS:
            raise ValueError("it has too many fields")
        kind = wanted.get(number)
        _take(stream, number, wire_type, kind, found)
    return found


def _take(
    stream: IO[bytes], number: int, wire_type: int, kind: Kind | None, found: dict[int, bytes | int]
) -> None:
    """Read the value of one field, and keep it where it is wanted."""
    is_wanted = kind is not None and kind.wire_type == wire_type
    if wire_type == 0:
        value = _needed(stream)
        if is_wanted:
            found[number] = value
    elif wire_type == 2:
        length = _needed(stream)
        if not is_wanted:
            _skip(stream, length)
            return
        before = found.get(number, b"") if kind is Kind.MESSAGE else b""
        assert isinstance(before, bytes), "a message is kept as bytes"
        if len(before) + length > LONGEST:
            raise ValueError("a field is too large")
        found[number] = before + _exactly(stream, length)
    elif wire_type in (1, 5):
        _skip(stream, 8 if wire_type == 1 else 4)
    else:  # groups, which proto3 does not have
        raise ValueError("a field has an unknown wire type")


def _needed(stream: IO[bytes]) -> int:
    value = _varint(stream)
    if value is None:
        raise EOFError
    return value


def _varint(stream: IO[bytes]) -> int | None:
    """Read one variable-length integer of at most 64 bits; ``None`` at the end of the stream."""
    result = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            if shift:
                raise EOFError
            return None
        result |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            if result > _LARGEST_VARINT:
                break
            return result
    raise ValueError("an integer has more than 64 bits")


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return data


def _skip(stream: IO[bytes], length: int) -> None:
    while length > 0:
        piece = stream.read(min(length, _CHUNK))
        if not piece:
            raise EOFError
        length -= len(piece)
