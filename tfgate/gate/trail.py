"""The audit trail in force: where it is, whether it holds, what stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfgate.audit.checkpoint import Checkpoint, make_checkpoint
from tfgate.audit.scan import VerifyResult
from tfgate.audit.search import Unread, read_records
from tfgate.audit.verifier import verify
from tfgate.errors import UsageError
from tfgate.gate.record import audit_paths, open_trail
from tfgate.ruleset import load_gate_config

SHOWN_PROBLEMS = 50
"""Problems that are printed; so many are enough to see what kind of thing has happened."""


@dataclass(frozen=True)
class Trail:
    """Where a trail is, and what belongs to it."""

    paths: tuple[str, ...]
    """Logs, files of one, directories."""
    evidence: str | None
    """Folder of evidence files, where one is known."""
    checkpoints: tuple[str, ...] = ()
    """Folder of checkpoints that the gate keeps beside the log."""
    allowed_signers: str | None = None


@dataclass(frozen=True)
class TrailReport:
    """What verifying found, as text."""

    text: str
    holds: bool
    result: VerifyResult


def trail_path(cwd: Path, env: Mapping[str, str], config: str | None, log: str | None) -> Path:
    """Return the trail in force: ``log``, else what the configuration says, else the default."""
    flags = {"audit.log": log}
    return audit_paths(load_gate_config(cwd, env, config=config, flags=flags), env)[0]


def find_trail(
    files: Sequence[str], *, cwd: Path, env: Mapping[str, str], config: str | None
) -> Trail:
    """Return what is named, or the trail in force with its evidence and checkpoints.

    What the configuration says of a trail is not believed of another one. Raises ``ConfigError``.
    """
    if files:
        return Trail(tuple(files), None)
    loaded = load_gate_config(cwd, env, config=config)
    log, evidence = audit_paths(loaded, env)
    beside = log.parent / "checkpoints"
    signers = loaded.audit.allowed_signers
    return Trail(
        (str(log),),
        str(evidence),
        (str(beside),) if beside.is_dir() else (),
        None if signers is None else str(signers),
    )


def verify_trail(
    trail: Trail,
    *,
    evidence: str | None = None,
    checkpoints: Sequence[str] = (),
    allowed_signers: str | None = None,
    everything: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TrailReport:
    """Verify a trail; what is given beside it is used in the place of, or with, what it has.

    ``everything`` names each problem, not the first ``SHOWN_PROBLEMS``. Raises ``AuditError``
    where there is no trail.
    """
    result = verify(
        trail.paths,
        evidence=evidence or trail.evidence,
        checkpoints=(*trail.checkpoints, *checkpoints),
        allowed_signers=allowed_signers or trail.allowed_signers,
        progress=progress,
    )
    limit = None if everything else SHOWN_PROBLEMS
    return TrailReport("\n".join(_lines(result, limit)) + "\n", result.ok, result)


def _lines(result: VerifyResult, limit: int | None) -> Iterator[str]:
    found = (*result.problems, *result.notes)
    for problem in found[:limit]:
        yield f"{problem.file}: {problem.text}"
    if limit is not None and len(found) > limit:
        yield f"… and {len(found) - limit} more (--all names them)"
    chains = "one chain" if len(result.chains) == 1 else f"{len(result.chains)} chains"
    span = f", {result.first_time} to {result.last_time}" if result.first_time else ""
    if result.ok:
        yield f"The trail holds: {result.records} record(s) in {chains}{span}."
    else:
        problems = len(result.problems)
        yield f"The trail does NOT hold: {problems} problem(s), {result.records} record(s)."
    if result.evidence or result.checkpoints:
        yield (
            f"Checked with it: {result.evidence} evidence file(s), "
            f"{result.checkpoints} signed checkpoint(s)."
        )
    for chain in result.chains:
        yield f"Newest record {chain.last_seq}: {chain.last_hash}"


def checkpoint_trail(
    *,
    key: str | None,
    directory: str | None,
    cwd: Path,
    env: Mapping[str, str],
    config: str | None,
    log: str | None,
) -> Checkpoint:
    """Sign where the trail in force stands. Raises ``UsageError`` without a key, ``AuditError``."""
    loaded = load_gate_config(cwd, env, config=config, flags={"audit.log": log})
    chosen = key or loaded.audit.checkpoint_key
    if chosen is None:
        raise UsageError(
            "No key is named to sign the checkpoint with.",
            hint="Give --key FILE (an SSH key), or set audit.checkpoint_key.",
        )
    return make_checkpoint(open_trail(loaded, env), chosen, directory=directory)


def show_records(
    decision_id: str | None,
    *,
    last: int,
    log: str | None,
    cwd: Path,
    env: Mapping[str, str],
    config: str | None,
    unread: Unread,
) -> str:
    """Return the records of a decision, or the newest ``last`` ones, as indented JSON."""
    path = trail_path(cwd, env, config, log)
    newest = None if decision_id else last
    records = read_records(path, decision_id=decision_id, last=newest, unread=unread)
    return "".join(json.dumps(record, indent=2, ensure_ascii=True) + "\n" for record in records)
