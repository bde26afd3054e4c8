"""What commands that evaluate a plan have in common: the request, and what is gathered for it."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING, Any

from tfgate.model import Frozen
from tfgate.opening import open_file

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tfgate.engine.context import Context
    from tfgate.gate.gather import Sources
    from tfgate.gate.inputs import PlanInput
    from tfgate.model.decision import Operator, Run, Workspace
    from tfgate.plan import Plan
    from tfgate.ruleset import Effective, GateConfig


class Request(Frozen, frozen=True):
    """What the command line asks for, and the outside world it was asked in."""

    plan: str
    """Path of a plan file or plan JSON, or ``-``."""
    env: Mapping[str, str]
    cwd: Path
    now: dt.datetime
    root: Path | None = None
    """Directory of the configuration that was planned; ``None`` means ``cwd``."""
    config: str | None = None
    workspace: str | None = None
    operator: str | None = None
    identity_token_file: Path | None = None
    """Token that proves who asks; without it, one is looked for (`tfgate.identity`)."""
    identity_key: str | None = None
    """SSH key that proves who asks, by signing a challenge."""
    proven: Operator | None = None
    """Who asks, where the caller has proof of its own, as the run-task server has."""
    reading: bool = False
    """Whether somebody only reads: then nobody is asked for proof, and no issuer for its keys."""
    flags: Mapping[str, Any] = {}
    """Settings given as flags, by setting name (``gate.rulesets``)."""
    facts: Mapping[str, Any] = {}
    """Values of ``context(name)`` given on the command line."""
    data: Mapping[str, str] = {}
    """Data name → path, relative to ``cwd``, as given on the command line."""
    approvals: tuple[str, ...] = ()
    """Paths of approvals, or of folders with approvals."""
    rules: Callable[[GateConfig, str], Effective] | None = None
    """Returns the rules in force in a workspace, where they are in memory; else they are loaded."""
    early: EarlyRead | None = None
    """The plan, where reading it has begun."""
    progress: Callable[[int, int], None] | None = None
    """Called with how many files of the sources are parsed, and of how many."""

    @property
    def directory(self) -> Path:
        """Directory of the configuration."""
        return self.root or self.cwd


class Gathered(Frozen, frozen=True):
    """Everything an evaluation needs."""

    config: GateConfig
    input: PlanInput
    plan: Plan
    effective: Effective
    workspace: Workspace
    operator: Operator
    run: Run
    context: Context
    sources: Sources
    warnings: tuple[str, ...]


class GatheredSources(Frozen, frozen=True):
    """Everything an evaluation of sources without a plan needs."""

    config: GateConfig
    input: PlanInput
    """Without data: there is no plan. The name is that of the directory."""
    effective: Effective
    workspace: Workspace
    operator: Operator
    context: Context
    sources: Sources
    warnings: tuple[str, ...] = ()


AnyGathered = Gathered | GatheredSources


# Reading 80 MB takes as long as importing what evaluates them, and neither needs the other.
WORTH_IT = 4 * 1024**2
"""Bytes from which on a thread is worth its start."""
MOST = 2 * 1024**3


class EarlyRead:
    """The content of ``path``, on its way."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._data: bytes | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @staticmethod
    def of(path: str) -> EarlyRead | None:
        """Begin to read a regular file that is large enough; ``None`` for anything else."""
        try:
            facts = os.stat(path)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(facts.st_mode) or not WORTH_IT <= facts.st_size <= MOST:
            return None
        return EarlyRead(path)

    def result(self) -> bytes | None:
        """Wait for the content; ``None`` where it could not be read, for the caller to find why."""
        self._thread.join()
        return self._data

    def _read(self) -> None:
        try:
            with open_file(self.path) as file:
                if os.fstat(file.fileno()).st_size <= MOST:
                    self._data = file.read()
        except OSError:
            return
