"""What goes to a judgement and what comes back: plain values, for they cross a process."""

from __future__ import annotations

from typing import Any

import msgspec

from tfgate.web.payload import Stage


class Job(msgspec.Struct, frozen=True):
    """One judgement. The plan, archive or state comes beside it, as an open file."""

    policy: int
    """Number of the policy."""
    stage: Stage
    workspace: str
    operator: str
    folder: str
    """A private folder that belongs to this job."""
    now: float
    """Seconds since the epoch."""
    run_id: str
    facts: dict[str, Any]
    working_directory: str | None = None
    commit: str | None = None
    decision_id: str | None = None
    """The decision whose obligations are to be checked, after the apply."""
    configuration_bytes: int = 0
    seconds: int = 300
    memory_bytes: int = 0
    has_file: bool = True


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One outcome, as it is sent back: bounded, and nothing in it is markup."""

    id: str
    description: str
    body: str
    """Markdown."""
    status: str
    severity: str
    level: str
    """``none``, ``info``, ``warning`` or ``error``."""


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came out."""

    passed: bool
    message: str
    decision_id: str | None = None
    undecided: bool = False
    plan_sha256: str | None = None
    obligations: int = 0
    findings: tuple[Finding, ...] = ()
    left_out: int = 0
    """Findings beyond the limit."""
    page: str | None = None
    """HTML."""
