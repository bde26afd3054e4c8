"""The trail: one event appended is one record on the disk before the call returns."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfgate.audit.files import (
    append_line,
    last_line,
    make_directory,
    opened,
    replace_tail,
    reported,
    sync_directory,
    writing,
)
from tfgate.audit.record import (
    Clock,
    FutureVersionError,
    NotARecordError,
    Record,
    canonical,
    check_fields,
    decode,
    log_record,
    open_line,
)
from tfgate.audit.trail_files import (
    Lines,
    Rotation,
    completed_fields,
    completes,
    fragment_after,
    last_rotated_line,
    recovered_fields,
    rotate,
    rotated_fields,
    trail_files,
)
from tfgate.errors import AuditError

ONCE: Mapping[str, str] = {"receipt_used": "receipt_sha256"}
"""Event → the field that no two records of it may agree in."""


class AlreadyRecordedError(AuditError):
    """The trail has such a record already; ``record`` is that one."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        super().__init__(
            f"The audit trail has a record of this already: number {record.get('seq')}, "
            f"of {record.get('time')}."
        )


def find_once(log: Path, event: str, name: str, value: str) -> dict[str, Any] | None:
    """Return the record of ``event`` in the trail at ``log`` whose member ``name`` is ``value``.

    Raises ``AuditError`` where a file of the trail cannot be read to its end: what is behind
    that point cannot be ruled out.
    """
    needles = [canonical(text) for text in (event, value)]
    for path in trail_files(log):
        if not path.exists():  # a trail that has not begun yet
            continue
        lines = Lines(path)
        for line in lines:
            if all(needle in line for needle in needles):
                record = _record(line)
                if record.get("event") == event and record.get(name) == value:
                    return record
        if lines.damage is not None:
            raise AuditError(
                f"Whether {event} is in the audit trail already is not known: of {path}, "
                f"{lines.damage}.",
                hint="Run `tfgate audit verify`.",
            )
    return None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = decode(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def utc_now() -> dt.datetime:
    """The system's clock."""
    return dt.datetime.now(dt.timezone.utc)


class AuditTrail:
    """An append-only file of chained records (docs/reference/audit-record.md).

    Several processes and threads may append at once. ``clock`` gives aware datetimes;
    ``patience`` is how many seconds to wait for other writers; ``rotation`` says when a new file
    is begun (never, unless given).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock = utc_now,
        patience: float = 60.0,
        rotation: Rotation | None = None,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self.clock = clock
        self._patience = patience
        self._rotation = rotation

    def append(self, event: str, fields: dict[str, Any]) -> Record:
        """Append one record and give it; when this returns, it is on the disk.

        Of an event that stands once (``ONCE``), of several writers that try one succeeds, and the
        others get ``AlreadyRecordedError``.

        Raises ``AuditError`` where it cannot be written, or where the trail's last record has been
        altered; then nothing of it stands in the file.
        """
        check_fields(fields)
        with reported(self.path.parent, "created"):
            make_directory(self.path.parent)
        with writing(self.path, patience=self._patience), reported(self.path, "written"):
            self._refuse_second(event, fields)
            last = self._continue()
            if last is not None and self._rotation is not None:
                last = self._rotated(last, self._rotation)
            return self._write(event, fields, last)

    def _refuse_second(self, event: str, fields: dict[str, Any]) -> None:
        name = ONCE.get(event)
        before = None if name is None else find_once(self.path, event, name, fields[name])
        if before is not None:
            raise AlreadyRecordedError(before)

    def head(self) -> Record | None:
        """Return the last whole record, or ``None`` where there is none; nothing is written.

        Raises ``AuditError`` where it has been altered.
        """
        with reported(self.path, "read"):
            if self.path.exists():
                return self._tail()[0]
            place, line = last_rotated_line(self.path) or (self.path, None)
            return None if line is None else _trusted(line, place)

    def _tail(self) -> tuple[Record | None, int, bytes]:
        """Return the last record, where its line ends in the log, and the fragment after it."""
        place = self.path
        with opened(self.path) as descriptor:
            line, end = last_line(descriptor)
            fragment = fragment_after(descriptor, end)
        if line is None:
            sync_directory(self.path.parent)
            place, line = last_rotated_line(self.path) or (self.path, None)
        return None if line is None else _trusted(line, place), end, fragment

    def _continue(self) -> Record | None:
        """Return the record that the next one is chained to; a fragment after it is recovered."""
        last, end, fragment = self._tail()
        if not fragment:
            return last
        whole = completes(fragment, last)
        return self._recover(fragment, end, last) if whole is None else self._complete(whole)

    def _complete(self, record: Record) -> Record:
        with opened(self.path) as descriptor:
            append_line(descriptor, b"\n")
        return self._write("recovered", completed_fields(record, self.path), record)

    def _rotated(self, last: Record, rotation: Rotation) -> Record:
        """Begin a new file where the old one is full; give the record to be chained to."""
        size = self.path.stat().st_size
        reason = rotation.due(size, last, self.clock()) if size else None
        if reason is None:
            return last
        old = rotate(self.path, last)
        return self._write("rotated", rotated_fields(old, last, reason), last)

    def _write(self, event: str, fields: dict[str, Any], last: Record | None) -> Record:
        def write(record: Record) -> Record:
            with opened(self.path) as descriptor:
                append_line(descriptor, record.line + b"\n")
            if event == "rotated":
                sync_directory(self.path.parent)
            return record

        return log_record(write, event, fields, after=last, clock=self.clock)

    def _recover(self, fragment: bytes, offset: int, last: Record | None) -> Record:
        def write(record: Record) -> Record:
            replace_tail(self.path, offset, fragment, record.line + b"\n")
            return record

        facts = recovered_fields(fragment, self.path, None if last is None else last.seq)
        return log_record(write, "recovered", facts, after=last, clock=self.clock)


def _trusted(line: bytes, place: Path) -> Record:
    """Read the record that the next one will vouch for; refuse to vouch for an altered one."""
    try:
        return open_line(line)
    except FutureVersionError as error:
        raise AuditError(
            f"The audit trail {place} cannot be continued: of its last record, {error}.",
            hint="Use the newer tfgate, or name another file.",
        ) from None
    except NotARecordError as error:
        name = "last line" if error.seq is None else f"last record (number {error.seq})"
        raise AuditError(
            f"The audit trail {place} cannot be continued: its {name} is not as it was written"
            f" ({error}).",
            hint="Run `tfgate audit verify`, keep the file as evidence, and name a new one.",
        ) from None
