"""The trail as the queue of a sink: what it has (its cursor), and the records that come next.

Only what is durable is read: a line that a writer is about to finish, or to take back, is not. A
cursor is a small file that survives a crash at any point.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import os
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from tfgate.audit.files import held, last_line, make_directory, reported, write_whole, writing
from tfgate.audit.record import (
    MAX_LINE,
    NotARecordError,
    Record,
    decode,
    moment_of,
    open_line,
    timestamp,
)
from tfgate.audit.trail_files import first_of, open_log, rotated_files
from tfgate.errors import AuditError
from tfgate.opening import descriptor_of, open_file

VERSION = 1
_LARGEST = 64 * 1024
_PATIENCE = 10.0
"""Seconds to wait for those who write to the trail."""


class Place(msgspec.Struct, frozen=True):
    """A record, and where its line stands."""

    seq: int
    hash: str
    first: int
    """Number of the first record of its file, which names the file whatever it is called."""
    start: int
    """Where its line begins, in bytes of the (unpacked) file."""
    end: int
    """Where the next line begins."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one sink has taken of one trail, and how the last attempts went."""

    v: int
    chain: str | None = None
    place: Place | None = None
    """The last record that the sink has."""
    sending: int | None = None
    """Number of the last record of a batch of which nobody knows whether the sink has it."""
    since: str | None = None
    """When an attempt was begun that has not come to an end."""
    delivered: str | None = None
    """When a batch was taken last."""
    failures: int = 0
    """Attempts in a row that failed."""
    failed: str | None = None
    """When the last attempt failed."""
    not_before: str | None = None
    """When the next one is due."""
    error: str | None = None
    """Why it failed."""
    note: str | None = None
    """What a person should know of the trail as the sink has it."""


NONE = Cursor(VERSION)
"""Nothing was delivered yet."""


def cursor_path(log: Path, name: str) -> Path:
    """Return the file of the sink ``name`` for the trail ``log``."""
    return log.parent / "sinks" / log.stem / f"{name}.json"


class CursorFile:
    """The file, and the right to deliver: one process at a time has it for a sink."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def claimed(self, patience: float = 0.0) -> Iterator[None]:
        """Have the sink to oneself while the block runs. Raises ``BusyError``.

        ``patience`` is in seconds. The claim ends with the process, however that dies.
        """
        with reported(self.path.parent, "created"):
            make_directory(self.path.parent)
        with held(self.path.with_name(f"{self.path.name}.lock"), patience=patience):
            yield

    def load(self) -> Cursor:
        """Read it; without a file nothing was delivered. Raises ``AuditError``."""
        try:
            data = self._read()
        except FileNotFoundError:
            return NONE
        try:
            cursor = msgspec.json.decode(data, type=Cursor)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise self._unreadable("it is not what tfgate writes") from None
        if cursor.v != VERSION:
            raise self._unreadable(f"it has version {cursor.v}")
        return cursor

    def _read(self) -> bytes:
        try:
            with open_file(self.path) as file:
                return file.read(_LARGEST + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._unreadable(error.strerror or type(error).__name__) from None

    def _unreadable(self, reason: str) -> AuditError:
        return AuditError(
            f"What was delivered cannot be read from {self.path}: {reason}.",
            hint="To deliver the whole trail again: tfgate audit deliver --again NAME.",
        )

    def save(self, cursor: Cursor) -> None:
        """Put ``cursor`` in the place of what was there, durably. Raises ``AuditError``."""
        with reported(self.path, "written"):
            write_whole(self.path, msgspec.json.encode(cursor) + b"\n")


FIRST: Final = 1.0
LONGEST: Final = 15 * 60.0
UNFINISHED: Final = 10.0
"""Seconds that an attempt which never ended is taken to have lasted."""
ASKED_FOR: Final = 60 * 60.0
"""Seconds that a sink may put the next attempt off by asking."""


def pause(failures: int, asked: float | None = None) -> float:
    """Return the seconds to wait after so many failures in a row: doubled each time, and uneven.

    Many gates whose sink comes back must not all come at once.
    """
    wait = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
    wait *= random.uniform(0.75, 1.25)  # noqa: S311  # not for a secret
    return max(wait, min(asked, ASKED_FOR)) if asked is not None else wait


def later(now: dt.datetime, seconds: float) -> str:
    """Return the time that is so many seconds after ``now``, as records write it."""
    return timestamp(now + dt.timedelta(seconds=seconds))


def settled(cursor: Cursor) -> Cursor:
    """Count an attempt that never ended as one that failed.

    Its process had no more time, or was killed: a sink that answers nobody must not be waited for
    by everybody.
    """
    if cursor.since is None:
        return cursor
    failures = cursor.failures + 1
    begun = moment_of(cursor.since)
    return replace(
        cursor,
        since=None,
        failures=failures,
        failed=cursor.since,
        not_before=later(begun, UNFINISHED + pause(failures)),
        error="The last attempt did not come to an end.",
    )


def waits(cursor: Cursor, now: dt.datetime) -> bool:
    """Whether the sink is to be left alone yet.

    A time further away than any pause is a clock that was set back since.
    """
    due = cursor.not_before
    return due is not None and timestamp(now) < due <= later(now, ASKED_FOR + LONGEST)


_VERIFY = (
    "Run `tfgate audit verify`. To deliver it from its start: tfgate audit deliver --again NAME."
)


class DisplacedError(AuditError):
    """The trail does not go on from what the sink has."""


class Entry(msgspec.Struct, frozen=True):
    """A record and its place."""

    record: Record
    place: Place


class Start(msgspec.Struct, frozen=True):
    """Where delivery goes on."""

    chain: str | None
    """``None`` where the trail is empty."""
    after: Place | None
    """The record before; ``None`` for the start of the oldest file."""
    note: str | None = None
    """What a person should know."""


class _File(msgspec.Struct, frozen=True):
    path: Path
    first: int
    """Number of its first record."""
    end: int | None = None
    """How much of it is whole, in bytes; ``None``: all."""
    descriptor: int | None = None
    """The log is open: it may be renamed at any moment."""


@contextlib.contextmanager
def reading(log: Path) -> Iterator[Reading]:
    """Return the trail of ``log`` as it is now; what is written meanwhile is not seen.

    Raises ``AuditError`` where it cannot be read.
    """
    with contextlib.ExitStack() as stack:
        yield Reading(log, _files(log, stack))


def _files(log: Path, stack: contextlib.ExitStack) -> list[_File]:
    if not log.exists() and not rotated_files(log):
        return []
    with reported(log, "read"):
        with writing(log, patience=_PATIENCE):
            files = [_File(path, first_of(path)) for path in rotated_files(log)]
            opened = _opened(log, stack)
        if opened is None:
            return files
        descriptor, end = opened
        os.fsync(descriptor)  # a writer that was killed may not have come to it
        first = _first_line(log, descriptor)
        return [*files, _File(log, first.seq, end, descriptor)]


def _opened(log: Path, stack: contextlib.ExitStack) -> tuple[int, int] | None:
    """Open the log and give how much of it is whole lines; ``None`` where none is."""
    try:
        descriptor = descriptor_of(log, follow=False)
    except FileNotFoundError:
        return None
    stack.callback(os.close, descriptor)
    _, end = last_line(descriptor)
    return (descriptor, end) if end else None


def _first_line(path: Path, descriptor: int) -> Record:
    with open(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return _record(file.readline(MAX_LINE), path)


class Reading:
    """The files of the trail at one moment."""

    def __init__(self, log: Path, files: list[_File]) -> None:
        self._log = log
        self._files = files

    def start(self, cursor: Cursor) -> Start:
        """Find where delivery goes on. Raises ``DisplacedError`` where that is not known.

        A trail that was begun anew is delivered from its start, with a note. Everything else that
        is not as it was delivered is a person's to look at.
        """
        place = cursor.place
        if not self._files:
            if place is not None:
                raise DisplacedError(
                    f"The trail {self._log} is gone; record {place.seq} of it was delivered.",
                    hint="Bring it back, or begin anew: the next record will be delivered.",
                )
            return Start(cursor.chain, None)
        oldest = self._oldest()
        if place is None:
            return Start(oldest.hash, None)
        if oldest.seq == 0 and oldest.hash != cursor.chain and not self._has(place):
            return Start(oldest.hash, None, _anew(cursor, place))
        return Start(cursor.chain, self._found(place, oldest))

    def after(self, start: Start) -> Iterator[Entry]:
        """Return the records that come next; each is checked, and that it follows the last one.

        Raises ``DisplacedError`` at one that is not as it was written, or not in its place.
        """
        last = start.after
        for file in self._files:
            if last is not None and file.first < last.first:
                continue
            offset = last.end if last is not None and file.first == last.first else 0
            for entry in self._entries(file, offset):
                if last is not None:
                    _check_follows(entry.record, last, file.path)
                yield entry
                last = entry.place

    def _entries(self, file: _File, offset: int) -> Iterator[Entry]:
        for begin, line in _lines(file, offset):
            record = _record(line, file.path)
            place = Place(record.seq, record.hash, file.first, begin, begin + len(line))
            yield Entry(record, place)

    def _oldest(self) -> Record:
        return _record(_line_at(self._files[0], 0), self._files[0].path)

    def _has(self, place: Place) -> bool:
        """Whether the record stands where it stood."""
        return any(self._stands(file, place) for file in self._files if file.first == place.first)

    def _stands(self, file: _File, place: Place) -> bool:
        try:
            return open_line(_line_at(file, place.start).rstrip(b"\n")).hash == place.hash
        except NotARecordError:
            return False

    def _found(self, place: Place, oldest: Record) -> Place:
        """Return the place of a record that was delivered, as it is now."""
        before = [file for file in self._files if file.first <= place.seq]
        if not before:
            return self._put_away(place, oldest)
        if before[-1].first == place.first and self._stands(before[-1], place):
            return place
        for begin, line in _lines(before[-1], 0):
            if _number(line) == place.seq:
                record = _record(line, before[-1].path)
                if record.hash == place.hash:
                    return Place(place.seq, place.hash, before[-1].first, begin, begin + len(line))
                raise DisplacedError(
                    f"Record {place.seq} of {before[-1].path} is not the one that was delivered: "
                    "the trail was rewritten.",
                    hint=_VERIFY,
                )
        raise DisplacedError(
            f"The trail {self._log} ends before record {place.seq}, which was delivered: its end "
            "was cut off.",
            hint=_VERIFY,
        )

    def _put_away(self, place: Place, oldest: Record) -> Place:
        """Go on after files that are not there any more, if all of them was delivered."""
        if oldest.seq == place.seq + 1 and oldest.prev == place.hash:
            return Place(place.seq, place.hash, oldest.seq, 0, 0)
        raise DisplacedError(
            f"Records {place.seq + 1} to {oldest.seq - 1} of {self._log} were put away before they "
            "were delivered.",
            hint="Bring them back. To go on without them: tfgate audit deliver --again NAME.",
        )


def _anew(cursor: Cursor, place: Place) -> str:
    return (
        f"the trail was begun anew; of the one before (chain {(cursor.chain or '')[:16]}) record "
        f"{place.seq} was the last to be delivered"
    )


def _check_follows(record: Record, last: Place, path: Path) -> None:
    if (record.seq, record.prev) != (last.seq + 1, last.hash):
        raise DisplacedError(
            f"In {path}, record {record.seq} stands after record {last.seq} and is not chained to "
            "it.",
            hint=_VERIFY,
        )


def _record(line: bytes, path: Path) -> Record:
    try:
        return open_line(line.removesuffix(b"\n"))
    except NotARecordError as error:
        name = "a line" if error.seq is None else f"record {error.seq}"
        raise DisplacedError(
            f"In {path}, {name} is not as it was written: {error}.", hint=_VERIFY
        ) from None


def _number(line: bytes) -> int | None:
    try:
        value = decode(line)
    except ValueError:
        return None
    seq = value.get("seq") if isinstance(value, dict) else None
    return seq if isinstance(seq, int) else None


def _lines(file: _File, offset: int) -> Iterator[tuple[int, bytes]]:
    """Return whole lines, each with its newline and where it begins. Raises ``AuditError``."""
    try:
        with _stream(file) as stream:
            stream.seek(offset)
            while file.end is None or offset < file.end:
                line = stream.readline(MAX_LINE + 1)
                if not line.endswith(b"\n"):
                    if line:
                        raise _unreadable(file.path, "its last line is unfinished")
                    return
                yield offset, line
                offset += len(line)
    except EOFError:
        raise _unreadable(file.path, "the gzip file is truncated") from None
    except (gzip.BadGzipFile, zlib.error):
        raise _unreadable(file.path, "it is not a whole gzip file") from None
    except OSError as error:
        raise _unreadable(file.path, error.strerror or type(error).__name__) from None


def _line_at(file: _File, offset: int) -> bytes:
    return next((line for _, line in _lines(file, offset)), b"")


def _stream(file: _File) -> BinaryIO:
    if file.descriptor is None:
        return open_log(file.path)
    return open(os.dup(file.descriptor), "rb")


def _unreadable(path: Path, reason: str) -> AuditError:
    return AuditError(f"Records of {path} cannot be delivered: {reason}.", hint=_VERIFY)
