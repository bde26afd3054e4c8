"""The audit trail in force: where it is, whether it holds, what stands in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.app.record import audit_paths
from tfgate.audit import verify
from tfgate.ruleset import load_gate_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.audit import VerifyResult


@dataclass(frozen=True)
class TrailReport:
    """What verifying found, as text."""

    text: str
    holds: bool


def trail_path(cwd: Path, env: Mapping[str, str], config: str | None, log: str | None) -> Path:
    """Give the trail in force: ``log``, else what the configuration says, else the default."""
    flags = {"audit.log": log}
    return audit_paths(load_gate_config(cwd, env, config=config, flags=flags), env)[0]


def verify_trail(
    files: Sequence[str], *, cwd: Path, env: Mapping[str, str], config: str | None
) -> TrailReport:
    """Verify the files named, or the trail in force. Raises ``AuditError`` where there is none."""
    paths = files or (str(trail_path(cwd, env, config, None)),)
    result = verify(paths)
    return TrailReport("\n".join(_lines(result)) + "\n", result.ok)


def _lines(result: VerifyResult) -> Iterator[str]:
    for problem in (*result.problems, *result.notes):
        yield f"{problem.file}: {problem.text}"
    chains = "one chain" if len(result.chains) == 1 else f"{len(result.chains)} chains"
    span = f", {result.first_time} to {result.last_time}" if result.first_time else ""
    if result.ok:
        yield f"The trail holds: {result.records} record(s) in {chains}{span}."
    else:
        problems = len(result.problems)
        yield f"The trail does NOT hold: {problems} problem(s), {result.records} record(s)."
    for chain in result.chains:
        yield f"Newest record {chain.last_seq}: {chain.last_hash}"


def show_records(
    decision_id: str | None,
    *,
    last: int,
    log: str | None,
    cwd: Path,
    env: Mapping[str, str],
    config: str | None,
) -> str:
    """Give the records of a decision, or the newest ``last`` ones, as indented JSON."""
    from tfgate.audit import read_records

    path = trail_path(cwd, env, config, log)
    records = read_records(path, decision_id=decision_id, last=None if decision_id else last)
    return "".join(json.dumps(record, indent=2, ensure_ascii=True) + "\n" for record in records)
