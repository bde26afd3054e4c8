"""One record of the trail: how it is sealed, and how a line is read back.

A record is one line: the RFC 8785 form of a JSON object and a newline. ``hash`` is the SHA-256 of
the RFC 8785 form of the record without its ``hash`` member; ``prev`` is the ``hash`` of the record
before it. docs/reference/audit-record.md says the same to an auditor.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tfgate.audit.canonical import canonical, decode, is_canonical, sha256

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
    """Say whether ``value`` is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """Say whether ``value`` is written as the ``time`` of a record."""
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
    """Say whether a decoded line can be shown as a record, verified or not."""
    return (
        isinstance(value, dict)
        and type(value.get("v")) is int
        and type(value.get("seq")) is int
        and all(isinstance(value.get(name), str) for name in ("prev", "hash", "time", "event"))
    )


def record_of(sealed: dict[str, Any], line: bytes) -> Record:
    """Give a decoded line, of which ``is_readable`` holds, as a record."""
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
