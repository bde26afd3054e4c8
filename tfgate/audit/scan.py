"""One pass over records, and what ``verify`` finds out, as data.

A pass gives runs of records that follow each other, and lines that are none. A trail that nobody
touched is one run, however long. Everything that can be wrong shows as a second run or a bad line,
so that what ``diagnose`` has to think about is small.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tfgate.audit.record import (
    FutureVersionError,
    NotARecordError,
    Record,
    decode,
    is_digest,
    is_time,
    open_line,
)
from tfgate.audit.trail_files import Lines, parts_of, record_in
from tfgate.errors import AuditError
from tfgate.model import Word


class ProblemKind(Word):
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


MAX_PIECES = 20_000
"""Runs and bad lines kept per scan; a file with more is no trail in any useful sense."""

_encode = msgspec.json.Encoder(order="sorted").encode


class Run(msgspec.Struct):
    """Records that stand in a row, each chained to the one before."""

    file: int
    """Index of the file in the list of files."""
    first_line: int
    last_line: int
    first_seq: int
    last_seq: int
    first_prev: str
    first_hash: str
    last_hash: str
    last_time: str
    first_time: str


class Bad(msgspec.Struct):
    """A line that is not a whole and unaltered record."""

    file: int
    line: int
    reason: str
    seq: int | None
    """The number it gives itself, where it has one."""
    stated: str | None
    """The ``hash`` it gives itself, where it has one."""
    future: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What to look out for besides the chain."""

    hashes: frozenset[str] = frozenset()
    """Records to report the place of, by hash."""
    seqs: frozenset[int] = frozenset()
    """Records to report the hash of, by number."""
    evidence: bool = False


class Place(msgspec.Struct, frozen=True):
    """Where a wanted record stands."""

    file: int
    line: int
    seq: int
    hash: str


class Scan(msgspec.Struct):
    """What one pass gave. Scans of neighbouring parts are joined by ``join``."""

    lines: int = 0
    records: int = 0
    pieces: list[Run | Bad] = []
    backwards: list[tuple[int, int, int]] = []
    """(file, line, seq) of records whose time is before their predecessor's."""
    places: list[Place] = []
    events: dict[str, int] = {}
    started: dict[str, tuple[int, int, int]] = {}
    """decision_id of each ``apply_started`` → (file, line, seq)."""
    finished: set[str] = set()
    evidence: dict[str, tuple[int, int, int]] = {}
    """Digest → (file, line, seq) of the first record that names it."""
    checkpoints: list[tuple[int, int, int, dict[str, Any]]] = []
    """(file, line, seq, fields) of every ``checkpoint`` event."""
    overflow: bool = False
    """True where more than ``MAX_PIECES`` pieces were found and the rest left out."""


def scan_lines(lines: Iterable[bytes], file: int, wanted: Wanted) -> Scan:
    """Read ``lines`` (each without its newline) of file number ``file``."""
    scan = Scan()
    run: Run | None = None
    for line in lines:
        scan.lines += 1
        sealed = None if run is None else _follows(line, run)
        if run is not None and sealed is not None:
            if sealed["time"] < run.last_time:
                scan.backwards.append((file, scan.lines, sealed["seq"]))
            run.last_line = scan.lines
            run.last_seq, run.last_hash = sealed["seq"], sealed["hash"]
            run.last_time = sealed["time"]
        else:
            run, sealed = _begin(line, file, scan)
        if run is not None and sealed is not None:
            scan.records += 1
            _collect(scan, sealed, run, wanted)
    return scan


def join(left: Scan, right: Scan) -> Scan:
    """Join the scans of two parts that stand one after the other in the same file."""
    for piece in right.pieces:
        if isinstance(piece, Run):
            piece.first_line += left.lines
            piece.last_line += left.lines
        else:
            piece.line += left.lines
    _shift(right, left.lines)
    left.lines += right.lines
    return merge(left, right)


def merge(left: Scan, right: Scan) -> Scan:
    """Add ``right``, which comes later in the trail, to ``left``."""
    _append_pieces(left, right.pieces)
    left.records += right.records
    left.backwards += right.backwards
    left.places += right.places
    left.checkpoints += right.checkpoints
    left.started.update(right.started)
    left.finished |= right.finished
    left.overflow |= right.overflow
    for digest, place in right.evidence.items():
        left.evidence.setdefault(digest, place)
    for event, count in right.events.items():
        left.events[event] = left.events.get(event, 0) + count
    return left


def _follows(line: bytes, run: Run) -> dict[str, Any] | None:
    """Return the record in ``line`` if it continues ``run``: ``open_line``, but fast."""
    try:
        sealed = decode(line)
        digest = sealed["hash"]
        if (
            sealed["prev"] == run.last_hash
            and sealed["seq"] == run.last_seq + 1
            and sealed["v"] == 1
            and sha256(line.replace(f',"hash":"{digest}"'.encode(), b"", 1)).hexdigest() == digest
            and _encode(sealed) == line
            and type(sealed["v"]) is int
            and type(sealed["seq"]) is int
            and type(sealed["event"]) is str
            and is_time(sealed["time"])
        ):
            return sealed  # type: ignore[no-any-return]  # only an object has these members
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def _begin(line: bytes, file: int, scan: Scan) -> tuple[Run | None, dict[str, Any] | None]:
    """Start a new run with ``line``, or note that it is no record."""
    piece: Run | Bad
    try:
        record = open_line(line)
    except NotARecordError as error:
        future = isinstance(error, FutureVersionError)
        piece = Bad(file, scan.lines, str(error), error.seq, error.stated, future)
        run, sealed = None, None
    else:
        run, sealed = _run_of(record, file, scan.lines), decode(line)
        piece = run
    if len(scan.pieces) < MAX_PIECES:
        scan.pieces.append(piece)
    else:
        scan.overflow = True
    return run, sealed


def _run_of(record: Record, file: int, line: int) -> Run:
    seq, digest, time = record.seq, record.hash, record.time
    return Run(file, line, line, seq, seq, record.prev, digest, digest, time, time)


def _collect(scan: Scan, sealed: dict[str, Any], run: Run, wanted: Wanted) -> None:
    file, event = run.file, sealed["event"]
    scan.events[event] = scan.events.get(event, 0) + 1
    seq, line = sealed["seq"], scan.lines
    if seq in wanted.seqs or sealed["hash"] in wanted.hashes:
        scan.places.append(Place(file, line, seq, sealed["hash"]))
    if event == "apply_started":
        scan.started[str(sealed.get("decision_id"))] = (file, line, seq)
    elif event == "apply_finished":
        scan.finished.add(str(sealed.get("decision_id")))
    elif event == "checkpoint":
        scan.checkpoints.append((file, line, seq, sealed))
        if line > run.first_line:
            # Mostly it vouches for the record right before it: spares looking for that one.
            scan.places.append(Place(file, line - 1, seq - 1, sealed["prev"]))
    if wanted.evidence and (digest := evidence_digest(sealed)):
        scan.evidence.setdefault(digest, (file, line, seq))


def evidence_digest(members: dict[str, Any]) -> str | None:
    """Return the digest (hex) of the evidence that a record names, where it names one."""
    digest = members.get("evidence_sha256")
    return digest if isinstance(digest, str) and is_digest(digest) else None


def _append_pieces(left: Scan, pieces: list[Run | Bad]) -> None:
    for piece in pieces:
        last = left.pieces[-1] if left.pieces else None
        if isinstance(last, Run) and isinstance(piece, Run) and _continues(piece, last):
            if piece.first_time < last.last_time:
                left.backwards.append((piece.file, piece.first_line, piece.first_seq))
            last.last_line, last.last_seq = piece.last_line, piece.last_seq
            last.last_hash, last.last_time = piece.last_hash, piece.last_time
        elif len(left.pieces) < MAX_PIECES:
            left.pieces.append(piece)
        else:
            left.overflow = True


def _continues(piece: Run, last: Run) -> bool:
    return (
        piece.file == last.file
        and piece.first_line == last.last_line + 1
        and piece.first_prev == last.last_hash
        and piece.first_seq == last.last_seq + 1
    )


def _shift(scan: Scan, lines: int) -> None:
    scan.backwards = [(file, line + lines, seq) for file, line, seq in scan.backwards]
    scan.checkpoints = [(f, line + lines, seq, fields) for f, line, seq, fields in scan.checkpoints]
    scan.places = [Place(p.file, p.line + lines, p.seq, p.hash) for p in scan.places]
    for table in (scan.started, scan.evidence):
        for name, (file, line, seq) in table.items():
            table[name] = (file, line + lines, seq)


_WORTH_IT = 8 << 20
"""Bytes below which starting processes costs more than it saves."""

_PART = 16 << 20
"""Bytes of one piece of work: small enough to show progress and to share evenly."""


class Damage(msgspec.Struct, frozen=True):
    """A file that does not end as a file should."""

    file: int
    lines: int
    """Whole lines read before it."""
    tail: int
    """Bytes after the last newline."""
    reason: str | None
    """Why it could not be read on, where it could not."""
    seq: int | None = None
    """Number of the record that the unfinished line is, but for its end; ``None`` for a part."""
    after: int = 0
    """Bytes that stand after that record where its newline should be."""


class _Task(msgspec.Struct, frozen=True):
    path: str
    file: int
    start: int
    end: int | None
    size: int


def scan_files(
    files: Sequence[Path],
    wanted: Wanted,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Scan, list[Damage]]:
    """Scan all of ``files``, in order, and say which of them end badly."""
    tasks = [task for index, file in enumerate(files) for task in _tasks(file, index)]
    total, done = sum(task.size for task in tasks), 0
    whole, damages = Scan(), []
    current, of_file = Scan(), 0
    for task, result in zip(tasks, _run(tasks, wanted, workers, total), strict=True):
        if task.file != of_file:
            whole, current, of_file = merge(whole, current), Scan(), task.file
        scan, damage = result
        current = join(current, scan)
        if damage.tail or damage.reason:
            damages.append(msgspec.structs.replace(damage, lines=current.lines))
        done += task.size
        if progress is not None:
            progress(done, total)
    return merge(whole, current), damages


def _tasks(path: Path, index: int) -> Iterator[_Task]:
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    for start, end in parts_of(path, max(1, size // _PART)):
        share = size if end is None else end - start
        yield _Task(str(path), index, start, end, share)


def _run(
    tasks: list[_Task], wanted: Wanted, workers: int | None, total: int
) -> Iterator[tuple[Scan, Damage]]:
    count = min(_processes(total) if workers is None else workers, len(tasks))
    if count <= 1:
        yield from (_scan(task, wanted) for task in tasks)
        return

    try:
        with ProcessPoolExecutor(count, multiprocessing.get_context("fork")) as pool:
            yield from pool.map(_scan, tasks, [wanted] * len(tasks))
    except BrokenProcessPool:
        raise AuditError(
            "A process that read a part of the audit trail was killed.",
            hint="Free some memory, or let one process do it all.",
        ) from None


def _processes(total: int) -> int:
    # Forking is not safe beside other threads, and spawning would run the host's main module.
    alone = threading.active_count() == 1 and hasattr(os, "fork")
    return (os.cpu_count() or 1) if total > _WORTH_IT and alone else 1


def _scan(task: _Task, wanted: Wanted) -> tuple[Scan, Damage]:
    lines = Lines(Path(task.path), task.start, task.end)
    scan = scan_lines(lines, task.file, wanted)
    found = record_in(lines.tail)
    seq, after = (None, 0) if found is None else (found[0].seq, len(found[1]))
    return scan, Damage(task.file, scan.lines, len(lines.tail), lines.damage, seq, after)
