"""Checkpoints against a trail: is it as long as they say, and by whose word?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.checkpoint import Statement, read_statement
from tfgate.audit.result import ChainFacts, Problem, ProblemKind
from tfgate.audit.signing import BadSignatureError, UnknownSignerError, signer_of
from tfgate.opening import read_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from tfgate.audit.scan import Place, Scan

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
    """Give the newest checkpoints that stand in the trail itself."""
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
