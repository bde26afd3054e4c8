"""One record of the trail: how it is sealed, and how a line is read back.

A record is one line: the RFC 8785 form of a JSON object and a newline. ``hash`` is the SHA-256 of
the RFC 8785 form of the record without its ``hash`` member; ``prev`` is the ``hash`` of the record
before it. docs/reference/audit-record.md says the same to an auditor.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

import msgspec
import rfc8785

from tfgate.model.text import late

Clock = Callable[[], dt.datetime]


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of a value that ``neutralise`` has been through.

    On such values (integers within 2**53, keys below U+E000, no lone surrogate) msgspec's sorted
    form is RFC 8785, byte for byte, at a fortieth of the time the ``rfc8785`` package takes; a
    property test holds the two equal.
    """
    return _encoder.encode(value)


def is_canonical(line: bytes, value: Any) -> bool:
    """Whether ``line`` is the RFC 8785 form of ``value``, whatever wrote it."""
    return _encoder.encode(value) == line or _reference(value) == line


def decode(data: bytes) -> Any:
    """Decode one JSON text; raises ``ValueError`` where it is none."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:  # a ValueError in new versions of msgspec alone
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hex."""
    return hashlib.sha256(data).hexdigest()


def _reference(value: Any) -> bytes | None:
    # Floats and exotic keys: only records that tfgate did not write have them.

    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError):
        return None


VERSION = 1
"""Version of the record format (member ``v``)."""

GENESIS = "0" * 64
"""``prev`` of the first record of a chain."""

CHAIN_FIELDS = ("v", "seq", "prev", "hash", "time", "event")
"""Members that the trail itself sets; an event's own fields have other names."""

MAX_LINE = 64 * 1024 * 1024
"""Bytes. A longer line is not a record."""

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class Record(msgspec.Struct, frozen=True):
    """A sealed record, as written or read."""

    seq: int
    """Number in the chain, from 0."""
    hash: str
    prev: str
    time: str
    """RFC 3339, UTC, six decimals: ``2026-01-31T12:00:00.000000Z``."""
    event: str
    fields: dict[str, Any]
    """Every other member: ``decision_id``, ``workspace``, …"""
    line: bytes = b""
    """The record's bytes without the newline."""


class NotARecordError(ValueError):
    """The line is no whole and unaltered record; the text says why."""

    def __init__(self, reason: str, *, seq: int | None = None, stated: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seq = seq
        """The number the line gives itself, where it has one."""
        self.stated = stated
        """The ``hash`` the line gives itself, where it has one."""


class FutureVersionError(NotARecordError):
    """The record says it was written by a later format version."""


def seal(members: dict[str, Any]) -> Record:
    """Compute ``hash`` over neutralised ``members`` (all but ``hash``) and give the record."""
    digest = sha256(canonical(members))
    sealed = {**members, "hash": digest}
    return record_of(sealed, canonical(sealed))


def open_line(line: bytes) -> Record:
    """Read one line (without newline); raises ``NotARecordError`` unless every byte is right."""
    sealed = _decode(line)
    _check_shape(sealed)
    seq, stated = sealed["seq"], sealed["hash"]
    if sha256(without_hash(line, stated)) != stated:
        reason = "its hash does not fit its content"
    elif not is_canonical(line, sealed):
        reason = "it is not in canonical form (RFC 8785)"
    else:
        return record_of(sealed, line)
    raise NotARecordError(reason, seq=seq, stated=stated)


def is_digest(value: object) -> bool:
    """Whether ``value`` is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """Whether ``value`` is written as the ``time`` of a record."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def without_hash(line: bytes, digest: str) -> bytes:
    """Cut the ``hash`` member out of a canonical line.

    ``event`` sorts before ``hash``, so that a comma always precedes it. A nested member cannot be
    taken for it: it would have to hold the record's own SHA-256.
    """
    return line.replace(b',"hash":"' + digest.encode() + b'"', b"", 1)


def _decode(line: bytes) -> dict[str, Any]:
    try:
        sealed = decode(line)
    except ValueError:
        raise NotARecordError("it is not JSON") from None
    if not isinstance(sealed, dict):
        raise NotARecordError("it is not a JSON object")
    return sealed


def _check_shape(sealed: dict[str, Any]) -> None:
    version, seq = sealed.get("v"), sealed.get("seq")
    number = seq if type(seq) is int and seq >= 0 else None
    if type(version) is int and version > VERSION:
        reason = (
            f"it has format version {version}, which this tfgate (version {VERSION}) cannot read"
        )
        raise FutureVersionError(reason, seq=number)
    stated = sealed.get("hash")
    stated = stated if isinstance(stated, str) and is_digest(stated) else None
    wrong = [name for name, good in _shape(sealed, number, stated).items() if not good]
    if wrong:
        known = version is not None and number is not None
        kind = "is missing or malformed" if known else "is missing, so this is no audit record"
        raise NotARecordError(f'member "{wrong[0]}" {kind}', seq=number, stated=stated)


def _shape(sealed: dict[str, Any], seq: int | None, stated: str | None) -> dict[str, bool]:
    event = sealed.get("event")
    return {
        "v": type(sealed.get("v")) is int and sealed["v"] == VERSION,
        "seq": seq is not None,
        "hash": stated is not None,
        "prev": is_digest(sealed.get("prev")),
        "time": is_time(sealed.get("time")),
        "event": isinstance(event, str) and bool(event),
    }


def is_readable(value: object) -> bool:
    """Whether a decoded line can be shown as a record, verified or not."""
    return (
        isinstance(value, dict)
        and type(value.get("v")) is int
        and type(value.get("seq")) is int
        and all(isinstance(value.get(name), str) for name in ("prev", "hash", "time", "event"))
    )


def record_of(sealed: dict[str, Any], line: bytes) -> Record:
    """Return a decoded line, of which ``is_readable`` holds, as a record."""
    fields = {name: value for name, value in sealed.items() if name not in CHAIN_FIELDS}
    return Record(
        seq=sealed["seq"],
        hash=sealed["hash"],
        prev=sealed["prev"],
        time=sealed["time"],
        event=sealed["event"],
        fields=fields,
        line=line,
    )


SAFE_INTEGER = 2**53 - 1
"""RFC 8785 (through I-JSON, RFC 7493 section 2.2) has no larger integers."""

MAX_DEPTH = 64
"""Objects and arrays nested deeper than this are replaced by a sentence."""

_HOSTILE = late(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters (ANSI escapes) except tab and newline
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # invisible, bidi, line breaks
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # surrogates, marks, tags
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # fillers
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors: a whole text can be made of them
    "]"
)
_HOSTILE_ESCAPE = late(rb"\\(?:u00|[bfr])")
"""How JSON writes control characters but tab and newline; only DEL stands in it as it is."""
_ASCII = bytes(range(0x80))
# Code point order (msgspec's) and UTF-16 order (RFC 8785's) of keys differ only where a key has
# a character from here on, so that keys are kept below it.
_HOSTILE_IN_KEY = late("[\n\t\ue000-\U0010ffff]")


def is_harmless(data: bytes) -> bool:
    """Whether JSON text has no character that ``neutralise_text`` would write differently.

    May say no for harmless text (a JSON escape may spell an escape); never yes for the other.
    """
    # DEL apart: of a pattern that begins with one and the same character, megabytes take 1 ms.
    if b"\x7f" in data or _HOSTILE_ESCAPE.search(data) is not None:
        return False
    return data.isascii() or _HOSTILE.search(data.translate(None, _ASCII).decode()) is None


def neutralise_text(text: str) -> str:
    """Write control, bidirectional and invisible characters as ``<U+202E>``, and lone surrogates.

    Tab and newline stay: JSON escapes them, and a record stays one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HOSTILE.sub(_name, text)


def neutralise(value: object) -> Any:
    """Return ``value`` as plain JSON data that RFC 8785 can write.

    Integers beyond 2**53 - 1 and all floats become strings (``"9007199254740993"``, ``"0.5"``,
    ``"nan"``): records hold integers only, so that every reader agrees on them. ``bytes``, dates
    and other types become their text.
    """
    return _walk(value, 0)


def _walk(value: object, depth: int) -> Any:
    # The commonest types first: a record with a thousand findings has tens of thousands of values.
    if isinstance(value, str):
        return neutralise_text(value.value if isinstance(value, Enum) else value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -SAFE_INTEGER <= value <= SAFE_INTEGER else _digits(value)
    if depth >= MAX_DEPTH:
        return "(nested too deeply to record)"
    if isinstance(value, (dict, Mapping)):
        return {_key(key): _walk(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(item, depth + 1) for item in value]
    return _other(value, depth)


def _other(value: object, depth: int) -> Any:
    if isinstance(value, msgspec.Struct):
        return _walk(msgspec.to_builtins(value, enc_hook=str), depth)
    if isinstance(value, (set, frozenset)):
        return sorted((_walk(item, depth + 1) for item in value), key=str)
    return neutralise_text(str(value.value if isinstance(value, Enum) else value))


def _key(key: object) -> str:
    return _key_text(key) if type(key) is str else _key_text(str(getattr(key, "value", key)))


@lru_cache(maxsize=1024)
def _key_text(text: str) -> str:
    text = neutralise_text(text)
    return text if text.isascii() and text.isprintable() else _HOSTILE_IN_KEY.sub(_name, text)


def _digits(value: int) -> str:
    # str() of a huge integer raises above sys.get_int_max_str_digits(); hex() never does.
    return str(value) if value.bit_length() < 10_000 else hex(value)


def _name(match: re.Match[str]) -> str:
    return f"<U+{ord(match.group()):04X}>"


def log_record(
    sink: Callable[[Record], Record],
    event: str,
    fields: dict[str, Any],
    *,
    after: Record | None,
    clock: Clock,
) -> Record:
    """Make ``event`` the record that follows ``after``, hand it to ``sink``, give what that gives.

    ``fields`` must have passed ``check_fields``.
    """
    members: dict[str, Any] = neutralise({**fields, "event": event})
    members["time"] = timestamp(clock())
    members["v"] = VERSION
    members["seq"] = 0 if after is None else after.seq + 1
    members["prev"] = GENESIS if after is None else after.hash
    return sink(seal(members))


def check_fields(fields: dict[str, Any]) -> None:
    """Raise ``ValueError`` where ``fields`` has a member that the chain sets itself."""
    reserved = sorted({*CHAIN_FIELDS}.intersection(fields))
    if reserved:
        raise ValueError(f"an event's own fields cannot be named {', '.join(reserved)}")


def timestamp(moment: dt.datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC with six decimals."""
    if moment.tzinfo is None:
        raise ValueError("the clock of an audit trail gives aware datetimes")
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(time: str) -> dt.datetime:
    """Read what `timestamp` has written, or another RFC 3339 time of six decimals or none."""
    return dt.datetime.fromisoformat(time.replace("Z", "+00:00"))  # 3.10 does not take the Z
