"""What must hold for any trail, any edit and any value."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

import msgspec
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tfgate.audit.record import (
    GENESIS,
    NotARecordError,
    is_harmless,
    neutralise,
    neutralise_text,
    open_line,
    seal,
)
from tfgate.audit.scan import Run, Wanted, join, scan_lines
from tfgate.audit.verifier import verify

RECORDS = 12

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(exclude_categories=()))  # lone surrogates too
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@cache
def lines() -> tuple[bytes, ...]:
    """A trail with every kind of value in it."""
    result, prev = [], GENESIS
    for seq in range(RECORDS):
        record = seal(
            {
                "v": 1,
                "seq": seq,
                "prev": prev,
                "time": f"2026-01-31T12:00:{seq:02}.000000Z",
                "event": "decision",
                "findings": [{"message": 'über "hash":"\\\n', "line": seq, "n": None, "t": True}],
                "nested": {"hash": "0" * 64, "a": [], "b": {}},
            }
        )
        result.append(record.line)
        prev = record.hash
    return tuple(result)


def judged(data: bytes) -> bool:
    """Say whether a trail with these bytes verifies as the whole of what was written."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.jsonl"
        log.write_bytes(data)
        result = verify([log])
        return result.ok and not result.notes and result.records == RECORDS


WHOLE = b"".join(line + b"\n" for line in lines())
positions = st.integers(0, len(WHOLE) - 1)


def test_the_untouched_trail_verifies() -> None:
    """Otherwise the tests below would prove nothing."""
    assert judged(WHOLE)


@given(positions, st.integers(1, 255))
def test_any_changed_byte_is_seen(position: int, difference: int) -> None:
    """No byte can become another one."""
    changed = bytes([WHOLE[position] ^ difference])
    assert not judged(WHOLE[:position] + changed + WHOLE[position + 1 :])


@given(positions)
def test_any_removed_byte_is_seen(position: int) -> None:
    """No byte can go, the newlines included."""
    assert not judged(WHOLE[:position] + WHOLE[position + 1 :])


@given(st.integers(0, len(WHOLE)), st.sampled_from([*range(256)]))
def test_any_added_byte_is_seen(position: int, byte: int) -> None:
    """No byte can be added, white space and newlines included."""
    assert not judged(WHOLE[:position] + bytes([byte]) + WHOLE[position:])


@given(st.permutations(range(RECORDS)))
def test_any_other_order_is_seen(order: list[int]) -> None:
    """Records verify in one order alone."""
    data = b"".join(lines()[index] + b"\n" for index in order)
    assert judged(data) is (order == sorted(order))


@given(st.lists(st.integers(0, RECORDS - 1), min_size=1, max_size=RECORDS * 2))
def test_any_selection_but_a_beginning_is_seen(chosen: list[int]) -> None:
    """Removed and doubled records are seen; a cut tail alone looks like a shorter trail."""
    data = b"".join(lines()[index] + b"\n" for index in chosen)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.jsonl"
        log.write_bytes(data)
        assert verify([log]).ok is (chosen == [*range(len(chosen))])


@given(st.integers(1, RECORDS - 1))
def test_parts_scanned_apart_join_to_the_whole(cut: int) -> None:
    """Where the work is cut for several processes makes no difference."""
    whole = scan_lines(lines(), 0, Wanted())
    parts = [scan_lines(part, 0, Wanted()) for part in (lines()[:cut], lines()[cut:])]
    assert join(*parts) == whole
    assert [type(piece) for piece in whole.pieces] == [Run]


@given(st.dictionaries(st.text(), anything, max_size=5))
def test_every_value_can_be_recorded(fields: dict[str, object]) -> None:
    """What comes out of ``neutralise`` is written in the RFC 8785 form, and reads back the same."""
    members = {
        **neutralise(fields),
        "v": 1,
        "seq": 0,
        "prev": GENESIS,
        "time": "2026-01-31T12:00:00.000000Z",
        "event": "decision",
    }
    members.pop("hash", None)
    record = seal(members)
    assert rfc8785.dumps(json.loads(record.line)) == record.line
    assert hashlib.sha256(rfc8785.dumps(members)).hexdigest() == record.hash
    assert open_line(record.line) == record
    assert b"\n" not in record.line


@given(st.binary(max_size=300))
def test_reading_garbage_never_raises_anything_else(data: bytes) -> None:
    """A line is a record or a ``NotARecordError``."""
    with contextlib.suppress(NotARecordError):
        assert open_line(data).line == data


_TELLING = "ab\\ur0\x00\x08\x0c\r\n\t\x1b\x7f\x9bé\u202e\ufe0f"


@given(st.text(st.sampled_from(_TELLING), max_size=4) | st.text(max_size=20))
def test_json_text_is_harmless_only_where_nothing_is_neutralised(text: str) -> None:
    """Evidence is written as it is where a look at its bytes finds nothing to neutralise."""
    encoded = msgspec.json.encode({"message": text})
    assert not is_harmless(encoded) or neutralise_text(text) == text
    assert is_harmless(encoded) or neutralise_text(text) != text or "\\" in text
