"""How far a sink has come: a small file that survives a crash at any point."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tfgate.audit.files import held, make_directory, open_private, reported, sync_directory
from tfgate.audit.pipeline import moment_of, timestamp
from tfgate.errors import AuditError
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


VERSION = 1
_LARGEST = 64 * 1024


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
    """Give the file of the sink ``name`` for the trail ``log``."""
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
            f"What was delivered cannot be told from {self.path}: {reason}.",
            hint="To deliver the whole trail again: tfgate audit deliver --again NAME.",
        )

    def save(self, cursor: Cursor) -> None:
        """Put ``cursor`` in the place of what was there, durably. Raises ``AuditError``."""
        new = self.path.with_name(f"{self.path.name}.new")
        with reported(self.path, "written"):
            descriptor = open_private(new)
            try:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, msgspec.json.encode(cursor) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            new.replace(self.path)
            sync_directory(self.path.parent)


# --- When a sink that failed is tried again.


FIRST: Final = 1.0
LONGEST: Final = 15 * 60.0
UNFINISHED: Final = 10.0
"""Seconds that an attempt which never ended is taken to have lasted."""
ASKED_FOR: Final = 60 * 60.0
"""Seconds that a sink may put the next attempt off by asking."""


def pause(failures: int, asked: float | None = None) -> float:
    """Give the seconds to wait after so many failures in a row: doubled each time, and uneven.

    Many gates whose sink comes back must not all come at once.
    """
    wait = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
    wait *= random.uniform(0.75, 1.25)  # noqa: S311  # not for a secret
    return max(wait, min(asked, ASKED_FOR)) if asked is not None else wait


def later(now: dt.datetime, seconds: float) -> str:
    """Give the time that is so many seconds after ``now``, as records write it."""
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
    """Say whether the sink is to be left alone yet.

    A time further away than any pause is a clock that was set back since.
    """
    due = cursor.not_before
    return due is not None and timestamp(now) < due <= later(now, ASKED_FOR + LONGEST)
