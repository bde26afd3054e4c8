"""Prove a trail: every record as it was written, none missing, moved or put in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit import notes
from tfgate.audit.diagnose import diagnose
from tfgate.audit.links import loose_hashes
from tfgate.audit.result import ChainFacts, Problem, ProblemKind, VerifyResult
from tfgate.audit.rotation import log_of, trail_files
from tfgate.audit.scan import Run, Scan, Wanted
from tfgate.audit.vouch import (
    Verdicts,
    check_checkpoints,
    embedded_checkpoints,
    read_checkpoints,
)
from tfgate.audit.work import scan_files
from tfgate.errors import AuditError
from tfgate.opening import NotAFileError, descriptor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.audit.scan import Place
    from tfgate.audit.vouch import Vouched
    from tfgate.audit.work import Damage

    Progress = Callable[[int, int], None]
    AnyPath = str | os.PathLike[str]

_TRIES = 5


def verify(
    paths: Sequence[AnyPath],
    *,
    evidence: AnyPath | None = None,
    checkpoints: Sequence[AnyPath] = (),
    allowed_signers: AnyPath | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> VerifyResult:
    """Check the trails at ``paths``: logs (with their rotated files), files of one, directories.

    ``evidence`` is the directory of evidence files, checked where it is given; ``checkpoints`` are
    checkpoint files, or directories of them, that were kept elsewhere; ``allowed_signers`` says
    whose checkpoints count (ssh-keygen(1)), for those inside the trail too.

    Nothing found ends the reading; ``problems`` and ``notes`` of the result say what it was.
    ``progress(done, total)`` is called with bytes. ``workers`` processes share the work (default:
    one per processor where the trail is large). Raises ``AuditError`` where there is no file.
    """
    kept, unreadable = read_checkpoints(checkpoints)
    wanted = Wanted(
        seqs=frozenset(item.statement.seq for item in kept), evidence=evidence is not None
    )
    found = _read(paths, wanted, kept, allowed_signers is not None, workers, progress)
    scan, names = found.scan, found.names
    trails = [str(log_of(file)) for file in found.files]
    problems, chains = diagnose(scan.pieces, found.again, names, trails)
    places = [*scan.places, *found.again]
    verdicts = check_checkpoints(found.vouched, chains, places, allowed_signers)
    everything = [
        *_excused(problems, chains, verdicts),
        *unreadable,
        *verdicts.problems,
        *verdicts.notes,
        *notes.damaged(found.damages, names),
        *notes.overflowed(scan, names),
        *notes.clock(scan, names),
        *notes.orphans(scan, names),
        *notes.modes(found.files),
        *(notes.evidence(scan, names, evidence) if evidence is not None else ()),
    ]
    return _result(scan, names, chains, everything, len(verdicts.agreed))


@dataclass(frozen=True)
class _Read:
    """What was read of the trails, at one moment."""

    files: list[Path]
    scan: Scan
    damages: list[Damage]
    vouched: list[Vouched]
    again: list[Place]
    """What a second pass found, where the first one gave reason to look for something."""

    @property
    def names(self) -> list[str]:
        return [str(file) for file in self.files]


def _read(
    paths: Sequence[AnyPath],
    wanted: Wanted,
    kept: list[Vouched],
    embedded: bool,
    workers: int | None,
    progress: Progress | None,
) -> _Read:
    """Read everything; once more where a writer has meanwhile begun a new file."""
    for _ in range(_TRIES):
        files = find_files(paths)
        before = _identity(files)
        scan, damages = scan_files(files, wanted, workers=workers, progress=progress)
        inside = embedded_checkpoints(scan, [*map(str, files)]) if embedded else []
        vouched = [*kept, *inside]
        again = _look_again(scan, frozenset(item.statement.seq for item in vouched))
        places = scan_files(files, again, workers=workers)[0].places if again else []
        if _identity(find_files(paths)) == before:
            return _Read(files, scan, damages, vouched, places)
    raise AuditError(
        "The audit trail is rotated faster than it can be read.", hint="Verify a copy of it."
    )


def _identity(files: Sequence[Path]) -> list[tuple[Path, int]]:
    return [(file, file.stat().st_ino) for file in files]


def find_files(paths: Sequence[AnyPath]) -> list[Path]:
    """Give every file of the trails at ``paths``, each once, in the order of the chain."""
    found: dict[Path, None] = {}
    for path in paths:
        for file in trail_files(Path(path).expanduser()):
            if not file.exists():
                raise AuditError(f"There is no audit trail at {file}.", hint="Name another place.")
            _check_file(file)
            found.setdefault(file)
    if not found:
        raise AuditError("There is no audit trail in the places named.")
    return [*found]


def _check_file(file: Path) -> None:
    """Refuse a pipe, a device or a socket; a file that cannot be read is a finding of its own."""
    try:
        os.close(descriptor_of(file))
    except NotAFileError as error:
        raise AuditError(
            f"The audit trail {file} cannot be read: {error.strerror}.",
            hint="Name a file of records, or the directory that they are in.",
        ) from None
    except OSError:
        return


def _look_again(scan: Scan, seqs: frozenset[int]) -> Wanted | None:
    """Say what a second pass must look for; a trail that nobody touched needs none."""
    hashes = loose_hashes(scan.pieces)
    missing = seqs - {place.seq for place in scan.places}
    missing &= {seq for run in _runs(scan) for seq in missing if seq <= run.last_seq}
    return Wanted(hashes=hashes, seqs=missing) if hashes or missing else None


def _excused(
    problems: Sequence[Problem], chains: Sequence[ChainFacts], verdicts: Verdicts
) -> list[Problem]:
    """Make notes of missing beginnings that a signed checkpoint vouches for: old files put away."""
    vouched = {(item.statement.seq, item.statement.hash) for item in verdicts.agreed}
    good = {
        chain.first_seq for chain in chains if (chain.first_seq - 1, chain.first_prev) in vouched
    }
    return [
        msgspec.structs.replace(
            problem, fatal=False, text=f"{problem.text} A signed checkpoint vouches for them."
        )
        if good and problem.kind is ProblemKind.MISSING and problem.seq == 0
        else problem
        for problem in problems
    ]


def _result(
    scan: Scan,
    names: Sequence[str],
    chains: Sequence[ChainFacts],
    found: Sequence[Problem],
    agreed: int,
) -> VerifyResult:
    runs = _runs(scan)
    return VerifyResult(
        records=scan.records,
        chains=tuple(chains),
        problems=tuple(problem for problem in found if problem.fatal),
        notes=tuple(problem for problem in found if not problem.fatal),
        files=tuple(names),
        first_time=min((run.first_time for run in runs), default=None),
        last_time=max((run.last_time for run in runs), default=None),
        events=dict(sorted(scan.events.items())),
        evidence=len(scan.evidence),
        checkpoints=agreed,
    )


def _runs(scan: Scan) -> list[Run]:
    return [piece for piece in scan.pieces if isinstance(piece, Run)]
