"""Records that stand once: whether a trail has one already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.audit.canonical import canonical, decode
from tfgate.audit.read import Lines
from tfgate.audit.rotation import trail_files
from tfgate.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

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
    """Give the record of ``event`` in the trail at ``log`` whose member ``name`` is ``value``.

    Raises ``AuditError`` where a file of the trail cannot be read to its end: what it hides cannot
    be ruled out.
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
                f"Whether {event} stands in the audit trail already cannot be told: of {path}, "
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
