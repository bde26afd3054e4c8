"""Names of a trail's files, and the step from one file to the next.

``audit.jsonl`` is written to. When it is full or its day is over it becomes
``audit-20260131-000000001234.jsonl``: the day of its last record (UTC) and the number of its first
one. The record that comes next begins a new ``audit.jsonl`` and is chained to the old one's last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ROTATED = re.compile(r"(?P<stem>.+)-(?P<day>\d{8})-(?P<seq>\d{12,})\.jsonl(?:\.gz)?", re.ASCII)


def rotated_name(log: Path, day: str, first_seq: int) -> Path:
    """Name the file that ``log`` becomes; ``day`` is ``YYYYMMDD``."""
    return log.with_name(f"{log.stem}-{day}-{first_seq:012d}.jsonl")


def rotated_files(log: Path) -> list[Path]:
    """Give the rotated files of ``log`` in the order of the chain.

    Where a file is there both plain and as ``.gz`` (the gate died between the two), the plain one
    counts.
    """
    found: dict[tuple[int, str], Path] = {}
    siblings = sorted(log.parent.iterdir()) if log.parent.is_dir() else []
    for path in siblings:
        match = _ROTATED.fullmatch(path.name)
        if match and match["stem"] == log.stem and path.is_file():
            found.setdefault((int(match["seq"]), match["day"]), path)  # .jsonl sorts before .gz
    return [found[key] for key in sorted(found)]


def trail_files(path: Path) -> list[Path]:
    """Give every file of the trail that ``path`` names.

    ``path`` is the log itself (its rotated files come before it), one file of it, or a directory
    (every log in it).
    """
    if path.is_dir():
        logs = {log_of(found) for found in path.iterdir() if _is_log(found)}
        return [file for log in sorted(logs) for file in trail_files(log)]
    if path.name.endswith(".jsonl") and not _ROTATED.fullmatch(path.name):
        rotated = rotated_files(path)
        return [*rotated, path] if path.exists() or not rotated else rotated
    return [path]


def log_of(path: Path) -> Path:
    """Give the log that a rotated file belongs to; any other path is its own."""
    match = _ROTATED.fullmatch(path.name)
    return path.with_name(f"{match['stem']}.jsonl") if match else path


def _is_log(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz"))
