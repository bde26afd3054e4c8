"""Prove a trail: every record as it was written, none missing, moved or put in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.audit.diagnose import diagnose
from tfgate.audit.links import loose_hashes
from tfgate.audit.result import Problem, ProblemKind, VerifyResult
from tfgate.audit.rotation import log_of, trail_files
from tfgate.audit.scan import Run, Scan, Wanted
from tfgate.audit.work import Damage, scan_files
from tfgate.errors import AuditError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    Progress = Callable[[int, int], None]


def verify(
    paths: Sequence[str | os.PathLike[str]],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> VerifyResult:
    """Check the trails at ``paths``: logs (with their rotated files), files of one, directories.

    Nothing found ends the reading; ``problems`` and ``notes`` of the result say what it was.
    ``progress(done, total)`` is called with bytes. ``workers`` processes share the work (default:
    one per processor where the trail is large). Raises ``AuditError`` where there is no file.
    """
    files = find_files(paths)
    names = [str(file) for file in files]
    scan, damages = scan_files(files, Wanted(), workers=workers, progress=progress)
    places = scan.places
    if hashes := loose_hashes(scan.pieces):
        found, _ = scan_files(files, Wanted(hashes=hashes), workers=workers)
        places = found.places
    trails = [str(log_of(file)) for file in files]
    problems, chains = diagnose(scan.pieces, places, names, trails)
    unread, notes = _damaged(damages, names)
    notes += [*_clock(scan, names), *_orphans(scan, names)]
    times = [piece for piece in scan.pieces if isinstance(piece, Run)]
    return VerifyResult(
        records=scan.records,
        chains=tuple(chains),
        problems=(*problems, *unread),
        notes=tuple(notes),
        files=tuple(names),
        first_time=min((run.first_time for run in times), default=None),
        last_time=max((run.last_time for run in times), default=None),
        events=dict(sorted(scan.events.items())),
    )


def find_files(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Give every file of the trails at ``paths``, each once, in the order of the chain."""
    found: dict[Path, None] = {}
    for path in paths:
        for file in trail_files(Path(path).expanduser()):
            if not file.exists():
                raise AuditError(f"There is no audit trail at {file}.", hint="Name another place.")
            found.setdefault(file)
    if not found:
        raise AuditError("There is no audit trail in the places named.")
    return [*found]


def _damaged(
    damages: Sequence[Damage], names: Sequence[str]
) -> tuple[list[Problem], list[Problem]]:
    problems: list[Problem] = []
    notes: list[Problem] = []
    for damage in damages:
        name = names[damage.file]
        last_of_trail = log_of(Path(name)) == Path(name)
        if damage.reason is not None:
            text = f"Only {damage.lines} line(s) of {name} can be read: {damage.reason}."
            problems.append(Problem(ProblemKind.UNREADABLE, text, name, damage.lines + 1))
        elif damage.tail:
            text = f"Line {damage.lines + 1} is unfinished ({damage.tail} bytes, no newline): a"
            text += " writer was cut short or is at work; the next one takes it out and records it."
            target = notes if last_of_trail else problems
            target.append(
                Problem(
                    ProblemKind.UNFINISHED, text, name, damage.lines + 1, fatal=not last_of_trail
                )
            )
    return problems, notes


def _clock(scan: Scan, names: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            ProblemKind.CLOCK,
            f"Record {seq} (line {line}) has an earlier time than the one before: the clock was"
            " set back, or two machines disagree.",
            names[file],
            line,
            seq,
            fatal=False,
        )
        for file, line, seq in scan.backwards
    ]


def _orphans(scan: Scan, names: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            ProblemKind.ORPHAN,
            f"Record {seq} (line {line}) starts an apply of decision {decision}, and no record"
            " says how it ended.",
            names[file],
            line,
            seq,
            fatal=False,
        )
        for decision, (file, line, seq) in scan.started.items()
        if decision not in scan.finished
    ]
