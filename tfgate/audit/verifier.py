"""Prove a trail: every record as it was written, none missing, moved or put in."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tfgate.audit.checkpoint import Statement, read_statement
from tfgate.audit.decision import read_evidence_bytes
from tfgate.audit.diagnose import diagnose, loose_hashes
from tfgate.audit.scan import (
    ChainFacts,
    Damage,
    Place,
    Problem,
    ProblemKind,
    Run,
    Scan,
    VerifyResult,
    Wanted,
    scan_files,
)
from tfgate.audit.signing import BadSignatureError, UnknownSignerError, signer_of
from tfgate.audit.trail_files import log_of, trail_files
from tfgate.errors import AuditError
from tfgate.opening import NotAFileError, descriptor_of, read_file

Progress = Callable[[int, int], None]
AnyPath = str | os.PathLike[str]


def damaged(damages: Sequence[Damage], names: Sequence[str]) -> Iterator[Problem]:
    """Name files that cannot be read to their end, and unfinished last lines."""
    for damage in damages:
        name, line = names[damage.file], damage.lines + 1
        if damage.reason is not None:
            text = f"Only {damage.lines} line(s) of {name} can be read: {damage.reason}."
            yield Problem(ProblemKind.UNREADABLE, text, name, line)
        elif damage.after:
            text = f"Record {damage.seq} (line {line}) was altered: {damage.after} byte(s) stand"
            text += " where its newline should be, and no crash puts them there."
            yield Problem(ProblemKind.ALTERED, text, name, line, damage.seq)
        elif log_of(Path(name)) == Path(name):
            text = f"Line {line} is unfinished ({damage.tail} bytes, no newline): a writer was cut"
            text += " short or is at work; the next writer takes it out and records that."
            yield Problem(ProblemKind.UNFINISHED, text, name, line, fatal=False)
        else:
            text = f"Line {line} is unfinished ({damage.tail} bytes, no newline), in a file that"
            text += " no writer works on any more: it was cut."
            yield Problem(ProblemKind.UNFINISHED, text, name, line)


def overflowed(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Say where so much is wrong that not all of it is named."""
    if scan.overflow:
        text = "So much is wrong with this trail that only the beginning of it is named here."
        yield Problem(ProblemKind.FOREIGN, text, names[-1])


def clock(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Name records whose time is before their predecessor's."""
    for file, line, seq in scan.backwards:
        text = f"Record {seq} (line {line}) has an earlier time than the one before: the clock was"
        text += " set back, or two machines disagree."
        yield Problem(ProblemKind.CLOCK, text, names[file], line, seq, fatal=False)


def orphans(scan: Scan, names: Sequence[str]) -> Iterator[Problem]:
    """Name applies that were started and of which no end is recorded."""
    for decision, (file, line, seq) in scan.started.items():
        if decision not in scan.finished:
            text = f"Record {seq} (line {line}) starts an apply of decision {decision}, and no"
            text += " record says how it ended."
            yield Problem(ProblemKind.ORPHAN, text, names[file], line, seq, fatal=False)


def modes(files: Sequence[Path]) -> Iterator[Problem]:
    """Name files that others than their owner can write to."""
    for file in files:
        if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            text = f"Others than its owner can write to {file}: take that right from them."
            yield Problem(ProblemKind.PLACE, text, str(file), fatal=False)


def evidence_notes(
    scan: Scan, names: Sequence[str], directory: str | os.PathLike[str]
) -> Iterator[Problem]:
    """Check every evidence file that a record names."""
    for digest, (file, line, seq) in scan.evidence.items():
        reason = _evidence_problem(directory, digest)
        if reason is not None:
            text = f"Record {seq} (line {line}): {reason}"
            yield Problem(ProblemKind.EVIDENCE, text, names[file], line, seq)


def _evidence_problem(directory: str | os.PathLike[str], digest: str) -> str | None:
    try:
        read_evidence_bytes(directory, digest)
    except AuditError as error:
        return error.message
    return None


NEWEST = 20
"""Of the checkpoints inside a trail, so many are checked: each vouches for all that is before."""


class Vouched(msgspec.Struct):
    """A checkpoint to be checked, from a file or from the trail itself."""

    source: str
    """``checkpoint FILE`` or ``the checkpoint in record N``."""
    file: str
    statement: Statement
    signature: str | None
    seq: int | None = None
    """Number of the record it stands in, for one in the trail."""
    line: int | None = None
    signer: str | None = None
    """Who signed it, once that is known."""


class Verdicts(msgspec.Struct):
    """What the checkpoints say."""

    problems: list[Problem] = []
    notes: list[Problem] = []
    agreed: list[Vouched] = []
    """Checkpoints that fit the trail and whose signature is good."""


def read_checkpoints(
    paths: Iterable[str | os.PathLike[str]],
) -> tuple[list[Vouched], list[Problem]]:
    """Read checkpoint files, and those in directories; what is none becomes a problem."""
    found, problems = [], []
    for path in paths:
        place = Path(path).expanduser()
        for file in sorted(place.glob("*.json")) if place.is_dir() else [place]:
            try:
                statement = read_statement(read_file(file))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                text = f"{file} cannot be read as a checkpoint: {reason}."
                problems.append(Problem(ProblemKind.CHECKPOINT, text, str(file)))
                continue
            found.append(Vouched(f"checkpoint {file}", str(file), statement, _signature(file)))
    return found, problems


def embedded_checkpoints(scan: Scan, names: Sequence[str]) -> list[Vouched]:
    """Return the newest checkpoints that stand in the trail itself."""
    found = []
    for file, line, seq, record in scan.checkpoints[-NEWEST:]:
        statement = _embedded_statement(record)
        if statement is not None:
            signature = record.get("signature")
            text = signature if isinstance(signature, str) else None
            source = f"the checkpoint in record {seq}"
            found.append(Vouched(source, names[file], statement, text, seq, line))
    return found


def check_checkpoints(
    vouched: Sequence[Vouched],
    chains: Sequence[ChainFacts],
    places: Sequence[Place],
    allowed_signers: str | os.PathLike[str] | None,
) -> Verdicts:
    """Check each checkpoint's signature, and what it says against the trail."""
    verdicts = Verdicts()
    hashes = {(place.seq, place.hash) for place in places}
    for item in vouched:
        contradiction = _contradiction(item, chains, hashes)
        if contradiction is not None:
            verdicts.problems.append(contradiction)
        distrust = _distrust(item, allowed_signers)
        if distrust is not None:
            (verdicts.problems if distrust.fatal else verdicts.notes).append(distrust)
        if contradiction is None and distrust is None:
            verdicts.agreed.append(item)
    return verdicts


def _signature(file: Path) -> str | None:
    try:
        return read_file(file.with_name(file.name + ".sig")).decode("utf-8", "replace")
    except OSError:
        return None


def _embedded_statement(record: dict[str, Any]) -> Statement | None:
    try:
        return read_statement(msgspec.json.encode(record.get("statement"), order="sorted"))
    except ValueError:
        return None


def _contradiction(
    item: Vouched, chains: Sequence[ChainFacts], hashes: set[tuple[int, str]]
) -> Problem | None:
    statement = item.statement
    if (statement.seq, statement.hash) in hashes:
        return None
    if not chains:
        text = f"The trail has no record, but {item.source} of {statement.time} vouches for record"
        return _problem(ProblemKind.CUT, item, f"{text} {statement.seq}.", 0)
    ends = [chain for chain in chains if chain.id == statement.chain or chain.id is None]
    if not ends:
        text = f"{item.source} is about another chain: no record of this trail begins it."
        return _problem(ProblemKind.CHECKPOINT, item, text)
    last = max(chain.last_seq for chain in ends)
    if any(chain.first_seq == statement.seq + 1 for chain in ends):
        if any(chain.first_prev == statement.hash for chain in ends):
            return None
    elif statement.seq > last:
        text = f"The trail ends with record {last}, but {item.source} of {statement.time} vouches"
        text += f" for record {statement.seq}: {statement.seq - last} record(s) were cut off."
        return _problem(ProblemKind.CUT, item, text, last + 1)
    text = f"Record {statement.seq} is not the one that {item.source} of {statement.time} vouches"
    return _problem(ProblemKind.CHECKPOINT, item, f"{text} for.", statement.seq)


def _distrust(item: Vouched, allowed: str | os.PathLike[str] | None) -> Problem | None:
    """Say why the signature proves nothing; ``None`` where it does."""
    if item.signature is None:
        return _problem(ProblemKind.CHECKPOINT, item, f"{item.source} has no signature.")
    if allowed is None:
        text = f"The signature of {item.source} was not checked: no allowed signers were given."
        return _problem(ProblemKind.CHECKPOINT, item, text, fatal=False)
    try:
        data, time = item.statement.signed_bytes(), item.statement.time
        item.signer = signer_of(data, item.signature, allowed, at=time)
    except UnknownSignerError:
        text = f"{item.source} is signed by a key that the allowed signers do not name."
        return _problem(ProblemKind.CHECKPOINT, item, text)
    except BadSignatureError:
        text = f"{item.source} has a signature that does not fit what it says."
        return _problem(ProblemKind.CHECKPOINT, item, text)
    return None


def _problem(
    kind: ProblemKind, item: Vouched, text: str, seq: int | None = None, *, fatal: bool = True
) -> Problem:
    text = text[0].upper() + text[1:]
    return Problem(kind, text, item.file, item.line, item.seq if seq is None else seq, fatal)


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
        *damaged(found.damages, names),
        *overflowed(scan, names),
        *clock(scan, names),
        *orphans(scan, names),
        *modes(found.files),
        *(evidence_notes(scan, names, evidence) if evidence is not None else ()),
    ]
    return _result(scan, names, chains, everything, len(verdicts.agreed))


class _Read(NamedTuple):
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
    """Return every file of the trails at ``paths``, each once, in the order of the chain."""
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
