"""The record of a decision: where it goes, and what stands in it."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate._version import __version__
from tfgate.audit.decision import (
    break_glass_fields,
    build_decision_record,
    build_evidence,
    keep_plan,
    prune,
    write_evidence,
)
from tfgate.audit.trail_files import Rotation
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError, ConfigError, PlanError, TfgateError
from tfgate.gate.gather import data_facts
from tfgate.gate.rule_origin import origins, recorded_origin
from tfgate.model import Frozen
from tfgate.plan.archive import archive_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfgate.audit.record import Record
    from tfgate.gate.request import AnyGathered, Request
    from tfgate.model.decision import Decision
    from tfgate.ruleset import GateConfig

    Clock = Callable[[], dt.datetime]


class Recorded(Frozen, frozen=True):
    """Where a decision stands on record."""

    trail: Path
    seq: int
    hash: str
    evidence: str
    """Digest of the evidence file."""


def default_audit_log(env: Mapping[str, str]) -> Path:
    """Return where records go when nothing says where: the user's state directory (XDG)."""
    state = env.get("XDG_STATE_HOME")
    if state and Path(state).is_absolute():
        return Path(state) / "tfgate" / "audit.jsonl"
    home = env.get("HOME") or "~"
    return Path(home).expanduser() / ".local" / "state" / "tfgate" / "audit.jsonl"


def audit_paths(config: GateConfig, env: Mapping[str, str]) -> tuple[Path, Path]:
    """Return the audit log and the folder of evidence files in force."""
    log = config.audit.log or default_audit_log(env)
    return log, config.audit.evidence or log.parent / "evidence"


def open_trail(
    config: GateConfig, env: Mapping[str, str], clock: Clock | None = None
) -> AuditTrail:
    """Return the trail in force, with its clock (the system's) and its rotation."""
    log = audit_paths(config, env)[0]
    size, daily = config.audit.rotate_bytes, config.audit.rotate_daily
    rotation = None
    if size is not None or daily:
        rotation = Rotation(max_bytes=size, daily=daily)
    return AuditTrail(log, clock=clock or _now, rotation=rotation)


def _now() -> dt.datetime:
    # Not the request's time: of two commands that run at once, the one that began first may write
    # last, and the trail's clock would seem to have been set back.
    return dt.datetime.now(dt.timezone.utc)


class Recorder:
    """Writes the records of one command."""

    def __init__(
        self,
        trail: AuditTrail,
        evidence: Path,
        request: Request,
        after: Callable[[AuditTrail], None] | None = None,
        condition: Callable[[Record], None] | None = None,
    ) -> None:
        self._trail = trail
        self._evidence = evidence
        self._request = request
        self._after = after
        self._condition = condition
        self._recorded: set[str] = set()

    @classmethod
    def of(cls, config: GateConfig, request: Request, clock: Clock | None = None) -> Recorder:
        """Make the recorder that the configuration asks for.

        ``clock`` gives the time of each record; without one, the system's does.
        """
        after, condition = None, None
        trail = open_trail(config, request.env, clock)
        if config.audit.checkpoint_key is not None:
            from tfgate.gate.delivery import automatic_checkpoints

            after = automatic_checkpoints(config)
        if config.sinks:
            from tfgate.gate.delivery import delivery_of, required_of

            after = delivery_of(config, trail.path, request.env, after)
            condition = required_of(config, trail.path, request.env)
        return cls(trail, audit_paths(config, request.env)[1], request, after, condition)

    def decision(self, decision_id: str, decision: Decision, gathered: AnyGathered) -> Recorded:
        """Record a decision. Raises ``AuditError`` where that cannot be done durably.

        It also raises where a required sink lacks the record of a decision that allows.
        """
        digest = write_evidence(self._evidence, build_evidence(decision))
        extra = {
            **_extra(gathered, decision),
            "rulesets": self._rulesets(gathered, decision),
            "evidence_sha256": digest,
            **self._archived(gathered),
        }
        fields = build_decision_record(decision, extra)
        allows = decision.allows
        record = self.append("decision", decision_id, fields, allows=allows)
        if decision.broken_glass:
            self.append("break_glass", decision_id, break_glass_fields(decision), allows=allows)
        return Recorded(self._trail.path, record.seq, record.hash, digest)

    def _archived(self, gathered: AnyGathered) -> dict[str, str]:
        """Keep the redacted plan where that is asked for; return its digest for the record."""
        plan = getattr(gathered, "plan", None)
        if plan is None or not gathered.config.audit.archive:
            return {}

        folder = self._trail.path.parent / "archive"
        try:
            digest = keep_plan(folder, archive_plan(plan))
        except PlanError as error:
            return {"archive_problem": str(error)}
        days = gathered.config.audit.archive_days
        if days is not None:
            prune(folder, days)
        return {"archive_sha256": digest}

    def _rulesets(self, gathered: AnyGathered, decision: Decision) -> list[dict[str, Any]]:
        """Return each ruleset with the commit in force, and who changed and approved its rules."""
        kept = self._trail.path.parent / "provenance"
        known = origins(gathered.effective.rulesets, gathered.config, self._request.env, kept)
        return [
            {**msgspec.to_builtins(facts), **recorded_origin(known.get(facts.id))}
            for facts in decision.rulesets
        ]

    @contextlib.contextmanager
    def due(self, decision_id: str, *, later: type[TfgateError] | None = None) -> Iterator[None]:
        """Record an exception that the block raises before its decision stands in the trail.

        Except a ``ConfigError`` (then there is no trail to write to), and an error that the caller
        records itself (``later``).
        """
        try:
            yield
        except BaseException as error:
            if not isinstance(error, (ConfigError, later or ConfigError)):
                self.undecided(decision_id, error)
            raise

    def undecided(self, decision_id: str, error: BaseException) -> None:
        """Record that no decision could be made, unless one is on record.

        A second failure must not replace the first.
        """
        if decision_id in self._recorded:
            return
        fields = {
            "error": _words(error),
            "error_type": type(error).__name__,
            "plan": self._request.plan,
            "versions": {"tfgate": __version__},
        }
        with contextlib.suppress(Exception):
            self.append("undecided", decision_id, fields)

    def append(
        self, event: str, decision_id: str, fields: dict[str, Any], *, allows: bool = False
    ) -> Record:
        """Record an event of a decision; when this returns, it is on the disk.

        Raises ``AuditError`` where that cannot be done. ``allows`` says that something happens on
        the strength of this record: then a sink may have to have it first.
        """
        record = self._trail.append(event, {"decision_id": decision_id, **fields})
        self._recorded.add(decision_id)
        try:
            if allows and self._condition is not None:
                self._condition(record)
        except AuditError as error:
            about = {"decision_id": decision_id, "record": record.seq, "reason": error.message}
            self._trail.append("not_delivered", about)
            raise
        finally:
            if self._after is not None:
                self._after(self._trail)
        return record


def _words(error: BaseException) -> str:
    """Return what a record may say of an error: the text of one nobody foresaw may hold a value."""
    if isinstance(error, TfgateError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted before a decision was made."
    return f"An unexpected {type(error).__name__} came before a decision was made."


def _extra(gathered: AnyGathered, decision: Decision) -> dict[str, Any]:
    """Return what a decision record holds beside the decision itself."""
    config = gathered.config
    return {
        "configuration": [{"file": file.path, "sha256": file.sha256} for file in config.files],
        "data": [msgspec.to_builtins(one) for one in data_facts(gathered.effective)],
        "input": gathered.input.name,
        "rule_controls": _rule_controls(gathered, decision),
    }


def _rule_controls(gathered: AnyGathered, decision: Decision) -> dict[str, dict[str, list[str]]]:
    """Return the controls of each rule that was evaluated: ``{"X-1": {"soc2": ["CC8.1"]}}``."""
    evaluated = {*decision.passed, *(outcome.rule for outcome in decision.outcomes)}
    return {
        compiled.id: {name: list(ids) for name, ids in compiled.rule.controls.items()}
        for ruleset in gathered.effective.rulesets
        for compiled in ruleset.rules
        if compiled.rule.controls and compiled.id in evaluated
    }
