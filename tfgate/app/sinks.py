"""The sinks in force: each with its cursor, and the trail that it is given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgate.audit.sinks.cursor import CursorFile, cursor_path
from tfgate.audit.sinks.deliver import Effort, deliver
from tfgate.audit.sinks.make import make_sink
from tfgate.audit.sinks.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.audit.sinks.batch import Sink
    from tfgate.audit.sinks.deliver import Outcome
    from tfgate.ruleset import GateConfig
    from tfgate.ruleset.sinks import SinkSpec


@dataclass(frozen=True)
class Target:
    """One sink of one trail."""

    spec: SinkSpec
    log: Path
    env: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self.spec.name

    @property
    def file(self) -> CursorFile:
        """What it has."""
        return CursorFile(cursor_path(self.log, self.spec.name))

    @property
    def spool(self) -> Spool:
        """What there is."""
        return Spool(self.log)

    def deliver(self, **effort: Any) -> Outcome:
        """Send what the sink lacks; ``effort`` as in ``Effort``. Nothing is raised."""
        settings = Effort(records=self.spec.batch_records, **effort)
        return deliver(self.spool, self.file, self._make, now, settings)

    def _make(self) -> Sink:
        return make_sink(self.spec, self.env)


def now() -> dt.datetime:
    """The system's clock: pauses are kept across processes."""
    return dt.datetime.now(dt.timezone.utc)


def targets_of(config: GateConfig, log: Path, env: Mapping[str, str]) -> tuple[Target, ...]:
    """Give every sink of the configuration for the trail ``log``."""
    return tuple(Target(spec, log, env) for spec in config.sinks)
