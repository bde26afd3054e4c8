"""The reader of protocol buffers beside Google's own."""

from __future__ import annotations

import io
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.protobuf import field, varint
from tfgate.terraform.planfile import LONGEST, Kind, read_fields

NUMBER, TEXT, INNER = 1, 2, 3
WANTED = {NUMBER: Kind.NUMBER, TEXT: Kind.BYTES, INNER: Kind.MESSAGE}


def _message_type() -> type[message.Message]:
    """Return ``message M { uint64 number = 1; bytes text = 2; M inner = 3; }`` in proto3."""
    file = descriptor_pb2.FileDescriptorProto(name="m.proto", package="p", syntax="proto3")
    declared = file.message_type.add(name="M")
    field = descriptor_pb2.FieldDescriptorProto
    for number, name, kind in (
        (NUMBER, "number", field.TYPE_UINT64),
        (TEXT, "text", field.TYPE_BYTES),
        (INNER, "inner", field.TYPE_MESSAGE),
    ):
        added = declared.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
        if kind == field.TYPE_MESSAGE:
            added.type_name = ".p.M"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.M"))


M = _message_type()


def theirs(data: bytes) -> dict[str, Any] | None:
    """Return the fields as Google's library reads them; ``None`` where it refuses."""
    found: Any = M()
    try:
        found.ParseFromString(data)
    except message.DecodeError:
        return None
    return _fields(found)


def _fields(found: Any) -> dict[str, Any]:
    read: dict[str, Any] = {"number": found.number, "text": bytes(found.text)}
    if found.HasField("inner"):
        read["inner"] = _fields(found.inner)
    return read


def ours(data: bytes) -> dict[str, Any] | None:
    """Return the fields as tfgate reads them; ``None`` where it refuses."""
    try:
        found = read_fields(io.BytesIO(data), WANTED)
    except (ValueError, EOFError):
        return None
    read: dict[str, Any] = {"number": found.get(NUMBER, 0), "text": found.get(TEXT, b"")}
    if INNER in found:
        inner = found[INNER]
        assert isinstance(inner, bytes)
        read["inner"] = ours(inner)
        if read["inner"] is None:
            return None
    return read


NUMBERS = st.integers(1, 5)
PLAIN = st.builds(field, NUMBERS, st.integers(0, 2**64 - 1) | st.binary(max_size=20))
FIXED = st.builds(
    lambda number, value: varint(number << 3 | (1 if len(value) == 8 else 5)) + value,
    NUMBERS,
    st.binary(min_size=8, max_size=8) | st.binary(min_size=4, max_size=4),
)


def _nested(below: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(PLAIN | FIXED | st.builds(field, st.just(INNER), below), max_size=8).map(
        b"".join
    )


MESSAGES = st.recursive(st.lists(PLAIN | FIXED, max_size=8).map(b"".join), _nested, max_leaves=12)


@settings(max_examples=400)
@given(MESSAGES)
@example(b"\x1a\x03\x12\x03\x00\x1a\x02\x08\x00")  # two halves of a message, neither of them one
def test_it_merges_as_protocol_buffers_do(data: bytes) -> None:
    """Repeated, mixed, of another wire type: the last value, and messages as one.

    Where Google's library refuses, this one does; where this one reads, both read the same.
    """
    read = ours(data)
    if read is not None:
        assert read == theirs(data)


@settings(max_examples=200)
@given(st.lists(st.builds(field, st.just(INNER), st.lists(PLAIN, max_size=4).map(b"".join))))
def test_whole_messages_are_read(parts: list[bytes]) -> None:
    """Nothing that is well written is refused."""
    data = b"".join(parts)
    assert (ours(data) is None) == (theirs(data) is None)


@settings(max_examples=400)
@given(st.binary(max_size=60))
def test_hostile_bytes_are_refused_or_read_as_google_reads_them(data: bytes) -> None:
    """There is no message that says one thing here, and another to Terraform."""
    read = ours(data)
    if read is not None:
        assert read == theirs(data)


@settings(max_examples=200)
@given(MESSAGES, st.data())
def test_a_cut_message_is_never_read_as_more(data: bytes, draw: st.DataObject) -> None:
    """Cut anywhere it is refused, or is what Google's library reads of that part."""
    part = data[: draw.draw(st.integers(0, len(data)))]
    read = ours(part)
    if read is not None:
        assert read == theirs(part)


@pytest.mark.parametrize(
    "data",
    [
        field(TEXT, bytes(LONGEST + 1)),
        field(INNER, bytes(LONGEST)) + field(INNER, b"\x08\x01"),
        b"\x0b",
        b"\x00\x00",
        varint((1 << 32) | 0) + b"\x01",
        b"\x08" + b"\xff" * 9 + b"\x7f",
        b"\x08" + b"\xff" * 11,
        b"\x12\x05abc",
        b"\x22\x05abc",
        b"\x25abc",
        b"\x08",
    ],
    ids=[
        "text too large", "messages too large together", "group", "field number 0",
        "field number too large", "65 bits", "endless integer", "text cut off",
        "skipped text cut off", "fixed cut off", "no value",
    ],
)  # fmt: skip
def test_what_nobody_writes_is_refused(data: bytes) -> None:
    """Never is a part of it taken for the whole."""
    with pytest.raises((ValueError, EOFError)):
        read_fields(io.BytesIO(data), WANTED)


def test_fields_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of nothing but tiny fields ends."""
    monkeypatch.setattr("tfgate.terraform.planfile.MOST_FIELDS", 10)
    with pytest.raises(ValueError, match="too many fields"):
        read_fields(io.BytesIO(field(9, 1) * 11), WANTED)
