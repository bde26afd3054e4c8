"""Share a scan among processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit.read import Lines, parts_of
from tfgate.audit.recovery import record_in
from tfgate.audit.scan import Scan, Wanted, join, merge, scan_lines
from tfgate.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


class _Done(msgspec.Struct):
    scan: Scan
    tail: int
    reason: str | None
    seq: int | None
    after: int


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
        current = join(current, result.scan)
        if result.tail or result.reason:
            place = (task.file, current.lines)
            damages.append(
                Damage(*place, result.tail, result.reason, seq=result.seq, after=result.after)
            )
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


def _run(tasks: list[_Task], wanted: Wanted, workers: int | None, total: int) -> Iterator[_Done]:
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


def _scan(task: _Task, wanted: Wanted) -> _Done:
    lines = Lines(Path(task.path), task.start, task.end)
    scan = scan_lines(lines, task.file, wanted)
    found = record_in(lines.tail)
    seq, after = (None, 0) if found is None else (found[0].seq, len(found[1]))
    return _Done(scan, len(lines.tail), lines.damage, seq, after)
