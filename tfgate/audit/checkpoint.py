"""Checkpoints: signed statements of how far a trail has come, to be kept elsewhere.

A chain proves that nothing in it was changed; that its end was not cut off is proved by a
statement about a record that is not there any more.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit.files import make_directory, reported, write_whole
from tfgate.audit.record import NotARecordError, Record, canonical, moment_of, open_line, timestamp
from tfgate.audit.signing import sign
from tfgate.audit.trail_files import Lines, trail_files
from tfgate.errors import AuditError
from tfgate.opening import read_file

if TYPE_CHECKING:
    from tfgate.audit.writer import AuditTrail

KIND = "tfgate-checkpoint"


class Statement(msgspec.Struct, frozen=True):
    """What a checkpoint says. Its RFC 8785 form is what is signed."""

    chain: str | None
    """``hash`` of record 0; ``None`` where that record is no longer in the trail."""
    seq: int
    """Number of the last record."""
    hash: str
    """``hash`` of that record."""
    time: str
    """When the statement was made: RFC 3339, UTC, six decimals."""
    kind: str = KIND
    v: int = 1

    def signed_bytes(self) -> bytes:
        """Return the bytes that the signature is over."""
        return canonical(msgspec.to_builtins(self))


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed statement, and where it stands."""

    statement: Statement
    signature: str
    """Armoured SSH signature in namespace ``tfgate-checkpoint``."""
    file: str
    """The statement's file; the signature is beside it, in the same name with ``.sig``."""
    record: Record
    """The ``checkpoint`` event in the trail."""


class CheckpointPolicy(msgspec.Struct, frozen=True):
    """When a checkpoint is due. Nothing is due while both are ``None``."""

    every_records: int | None = None
    every_minutes: float | None = None


def make_checkpoint(
    trail: AuditTrail,
    key: str | os.PathLike[str],
    *,
    directory: str | os.PathLike[str] | None = None,
) -> Checkpoint:
    """State and sign where ``trail`` stands, keep that in a file, and record it.

    ``directory`` is where the files go (default: ``checkpoints`` beside the log). Raises
    ``AuditError`` where the trail is empty or altered, or the key cannot sign.
    """
    head = trail.head()
    if head is None:
        raise AuditError(
            f"The audit trail {trail.path} has no record yet, so there is nothing to vouch for."
        )
    statement = Statement(
        chain=_chain_id(trail.path), seq=head.seq, hash=head.hash, time=timestamp(trail.clock())
    )
    signature = sign(statement.signed_bytes(), key)
    folder = checkpoint_directory(trail) if directory is None else Path(directory).expanduser()
    file = folder / f"{head.seq:012d}-{head.hash[:16]}.json"
    with reported(file, "written"):
        make_directory(folder)
        write_whole(file.with_name(file.name + ".sig"), signature.encode())
        write_whole(file, statement.signed_bytes())
    fields = {
        "statement": msgspec.to_builtins(statement),
        "signature": signature,
        "file": file.name,
    }
    return Checkpoint(statement, signature, str(file), trail.append("checkpoint", fields))


def checkpoint_due(
    trail: AuditTrail, policy: CheckpointPolicy, *, directory: str | os.PathLike[str] | None = None
) -> bool:
    """Whether enough records or time have passed since the newest checkpoint file."""
    head = trail.head()
    if head is None:
        return False
    folder = checkpoint_directory(trail) if directory is None else Path(directory).expanduser()
    newest = _newest(folder)
    if newest is None:
        return policy.every_records is not None or policy.every_minutes is not None
    # The checkpoint's own event is one record that it does not vouch for.
    fresh = head.seq - newest.seq - 1
    if policy.every_records is not None and fresh >= policy.every_records:
        return True
    if policy.every_minutes is None or fresh <= 0:
        return False
    age = trail.clock() - moment_of(newest.time)
    return age >= dt.timedelta(minutes=policy.every_minutes)


def checkpoint_directory(trail: AuditTrail) -> Path:
    """Return where checkpoints of ``trail`` go where no other place is named."""
    return trail.path.parent / "checkpoints"


def read_statement(data: bytes) -> Statement:
    """Read a statement; raises ``ValueError`` for anything else, and unless in RFC 8785 form."""
    try:
        statement = msgspec.json.decode(data, type=Statement)
    except msgspec.DecodeError as error:  # a ValueError in new versions of msgspec alone
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if statement.kind != KIND or statement.v != 1:
        raise ValueError("it is no checkpoint of version 1")
    if statement.signed_bytes() != data.rstrip(b"\n"):
        raise ValueError("it is not in canonical form (RFC 8785), or has members of its own")
    return statement


def _newest(folder: Path) -> Statement | None:
    files = sorted(folder.glob("*.json"), reverse=True)
    return next((found for file in files if (found := _statement_in(file))), None)


def _statement_in(file: Path) -> Statement | None:
    try:
        return read_statement(read_file(file))
    except (OSError, ValueError):
        return None


def _chain_id(log: Path) -> str | None:
    for path in trail_files(log):
        for line in Lines(path):
            try:
                record = open_line(line)
            except NotARecordError:
                return None
            return record.hash if record.seq == 0 else None
    return None
