"""What ``verify`` finds out, as data."""

from __future__ import annotations

from enum import Enum

import msgspec


class ProblemKind(str, Enum):
    """What is wrong with a trail."""

    ALTERED = "altered"
    """A record's bytes are not those that were written."""
    REPLACED = "replaced"
    """A record's own hash fits, but its successor was chained to another record."""
    MISSING = "missing"
    """Records were removed."""
    REORDERED = "reordered"
    """A record stands in another place than it was written."""
    REPEATED = "repeated"
    """A record stands twice."""
    INSERTED = "inserted"
    """A record was put in that the chain does not know."""
    MIXED = "mixed"
    """Two chains in one trail."""
    FOREIGN = "foreign"
    """A line that is no audit record at all."""
    FUTURE = "future"
    """A record of a later format version, which cannot be checked here."""
    UNREADABLE = "unreadable"
    """A file cannot be read, or only in part (a truncated gzip)."""
    UNFINISHED = "unfinished"
    """The last line was cut short: a crash, or a write under way."""
    CLOCK = "clock"
    """A record's time is before its predecessor's."""
    ORPHAN = "orphan"
    """An apply that was started and of which no end is recorded."""
    CUT = "cut"
    """A checkpoint knows of records that the trail has no longer."""
    CHECKPOINT = "checkpoint"
    """A checkpoint contradicts the trail, or its signature is bad or by an unknown key."""
    EVIDENCE = "evidence"
    """An evidence file is missing or was changed."""
    PLACE = "place"
    """Something about where the trail lies: who can write to it."""

    def __str__(self) -> str:
        return self.value


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing found, in a sentence that names records by number and lines by number."""

    kind: ProblemKind
    text: str
    file: str
    """Path as given or found."""
    line: int | None = None
    """1-based line in the file (uncompressed)."""
    seq: int | None = None
    """Number of the (first) record it is about."""
    fatal: bool = True
    """False for a note: worth knowing, and no sign that anybody changed anything."""


class ChainFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One chain of records."""

    id: str | None
    """``hash`` of record 0; ``None`` where the beginning is missing."""
    first_seq: int
    last_seq: int
    first_prev: str
    """``hash`` of the record before the first one: 64 zeros where a chain begins."""
    last_hash: str
    records: int
    """Whole, unaltered records that belong to it."""
    files: tuple[str, ...]


class VerifyResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a trail. ``ok`` is the verdict."""

    records: int
    """Whole, unaltered records read."""
    chains: tuple[ChainFacts, ...]
    problems: tuple[Problem, ...]
    """In the order of files and lines."""
    notes: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    """Every file read, in the order of the chain."""
    first_time: str | None = None
    last_time: str | None = None
    events: dict[str, int] = {}
    """Number of records per event."""
    evidence: int = 0
    """Evidence files checked."""
    checkpoints: int = 0
    """Checkpoints that agree with the trail and whose signature is good."""

    @property
    def ok(self) -> bool:
        """True where every record is as it was written, and nothing contradicts it."""
        return not self.problems
