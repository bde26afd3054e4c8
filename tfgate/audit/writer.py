"""The trail: one event appended is one record on the disk before the call returns."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgate.audit.files import (
    append_line,
    last_line,
    make_directory,
    open_private,
    replace_tail,
    reported,
    sync_directory,
)
from tfgate.audit.lock import writing
from tfgate.audit.pipeline import log_record
from tfgate.audit.record import FutureVersionError, NotARecordError, Record, open_line
from tfgate.audit.recovery import fragment_after, recovered_fields
from tfgate.errors import AuditError

if TYPE_CHECKING:
    from tfgate.audit.pipeline import Clock


def utc_now() -> dt.datetime:
    """The system's clock."""
    return dt.datetime.now(dt.timezone.utc)


class AuditTrail:
    """An append-only file of chained records (docs/reference/audit-record.md).

    Several processes and threads may append at once. ``clock`` gives aware datetimes;
    ``patience`` is how many seconds to wait for other writers.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, clock: Clock = utc_now, patience: float = 60.0
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._clock = clock
        self._patience = patience

    def append(self, event: str, fields: dict[str, Any]) -> Record:
        """Append one record and give it; when this returns, it is on the disk.

        Raises ``AuditError`` where it cannot be written, or where the trail's last record has been
        altered; then nothing of it stands in the file.
        """
        with reported(self.path.parent, "created"):
            make_directory(self.path.parent)
        with writing(self.path, patience=self._patience), reported(self.path, "written"):
            descriptor = open_private(self.path, append=True)
            try:
                return self._append(descriptor, event, fields)
            finally:
                os.close(descriptor)

    def _append(self, descriptor: int, event: str, fields: dict[str, Any]) -> Record:
        line, end = last_line(descriptor)
        last = None if line is None else self._trusted(line)
        if last is None:
            sync_directory(self.path.parent)
        fragment = fragment_after(descriptor, end)
        if fragment:
            last = self._recover(fragment, end, last)

        def write(record: Record) -> Record:
            append_line(descriptor, record.line + b"\n")
            return record

        return log_record(write, event, fields, after=last, clock=self._clock)

    def _recover(self, fragment: bytes, offset: int, last: Record | None) -> Record:
        def write(record: Record) -> Record:
            replace_tail(self.path, offset, fragment, record.line + b"\n")
            return record

        facts = recovered_fields(fragment, self.path, None if last is None else last.seq)
        return log_record(write, "recovered", facts, after=last, clock=self._clock)

    def _trusted(self, line: bytes) -> Record:
        try:
            return open_line(line)
        except FutureVersionError as error:
            raise AuditError(
                f"The audit trail {self.path} cannot be continued: of its last record, {error}.",
                hint="Use the newer tfgate, or name another file.",
            ) from None
        except NotARecordError as error:
            name = "last line" if error.seq is None else f"last record (number {error.seq})"
            raise AuditError(
                f"The audit trail {self.path} cannot be continued: its {name} is not as it was"
                f" written ({error}).",
                hint="Run `tfgate audit verify`, keep the file as evidence, and name a new one.",
            ) from None
