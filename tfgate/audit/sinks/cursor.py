"""How far a sink has come: a small file that survives a crash at any point."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit.files import make_directory, open_private, reported, sync_directory
from tfgate.audit.lock import held
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
