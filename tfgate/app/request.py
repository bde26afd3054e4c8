"""What commands that judge a plan have in common: the request, and what is gathered for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tfgate.app.ahead import Ahead
    from tfgate.app.inputs import PlanInput
    from tfgate.app.sources import Sources
    from tfgate.engine.context import Context
    from tfgate.model.identity import Operator, Run, Workspace
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
    flags: Mapping[str, Any] = {}
    """Settings given as flags, by setting name (``gate.rulesets``)."""
    facts: Mapping[str, Any] = {}
    """Values of ``context(name)`` given on the command line."""
    approvals: tuple[str, ...] = ()
    """Paths of approvals, or of folders with approvals."""
    rules: Callable[[GateConfig, str], Effective] | None = None
    """Gives the rules in force in a workspace, where they are in memory; else they are loaded."""
    ahead: Ahead | None = None
    """The plan, where reading it has begun."""
    progress: Callable[[int, int], None] | None = None
    """Told how many files of the sources are parsed, of how many."""

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
