"""The audit trail: records, their chain, evidence, and the proof that nobody edited them.

Everything is imported when it is asked for: a gate that writes a record needs no verifier.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.audit.checkpoint import Checkpoint as Checkpoint
    from tfgate.audit.checkpoint import CheckpointPolicy as CheckpointPolicy
    from tfgate.audit.checkpoint import checkpoint_due as checkpoint_due
    from tfgate.audit.checkpoint import make_checkpoint as make_checkpoint
    from tfgate.audit.decision import build_decision_record as build_decision_record
    from tfgate.audit.decision import build_evidence as build_evidence
    from tfgate.audit.evidence import read_evidence as read_evidence
    from tfgate.audit.evidence import write_evidence as write_evidence
    from tfgate.audit.filters import Filters as Filters
    from tfgate.audit.moment import parse_moment as parse_moment
    from tfgate.audit.once import AlreadyRecordedError as AlreadyRecordedError
    from tfgate.audit.once import find_once as find_once
    from tfgate.audit.record import Record as Record
    from tfgate.audit.result import Problem as Problem
    from tfgate.audit.result import ProblemKind as ProblemKind
    from tfgate.audit.result import VerifyResult as VerifyResult
    from tfgate.audit.rotation import Rotation as Rotation
    from tfgate.audit.search import Hit as Hit
    from tfgate.audit.search import Shown as Shown
    from tfgate.audit.search import orphans as orphans
    from tfgate.audit.search import read_records as read_records
    from tfgate.audit.search import search_trail as search_trail
    from tfgate.audit.search import show as show
    from tfgate.audit.verifier import verify as verify
    from tfgate.audit.writer import AuditTrail as AuditTrail

_WHERE = {
    "AlreadyRecordedError": "once",
    "AuditTrail": "writer",
    "Checkpoint": "checkpoint",
    "CheckpointPolicy": "checkpoint",
    "Filters": "filters",
    "Hit": "search",
    "Problem": "result",
    "ProblemKind": "result",
    "Record": "record",
    "Rotation": "rotation",
    "Shown": "search",
    "VerifyResult": "result",
    "build_decision_record": "decision",
    "build_evidence": "decision",
    "checkpoint_due": "checkpoint",
    "find_once": "once",
    "make_checkpoint": "checkpoint",
    "orphans": "search",
    "parse_moment": "moment",
    "read_evidence": "evidence",
    "read_records": "search",
    "search_trail": "search",
    "show": "search",
    "verify": "verifier",
    "write_evidence": "evidence",
}

__all__ = [
    "AlreadyRecordedError",
    "AuditTrail",
    "Checkpoint",
    "CheckpointPolicy",
    "Filters",
    "Hit",
    "Problem",
    "ProblemKind",
    "Record",
    "Rotation",
    "Shown",
    "VerifyResult",
    "build_decision_record",
    "build_evidence",
    "checkpoint_due",
    "find_once",
    "make_checkpoint",
    "orphans",
    "parse_moment",
    "read_evidence",
    "read_records",
    "search_trail",
    "show",
    "verify",
    "write_evidence",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate.audit' has no attribute {name!r}")
    return getattr(import_module(f"tfgate.audit.{_WHERE[name]}"), name)
