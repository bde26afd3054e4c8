"""The audit trail: records, their chain, evidence, and the proof that nobody edited them.

Everything is imported when it is asked for: a gate that writes a record needs no verifier.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.audit.decision import build_decision_record as build_decision_record
    from tfgate.audit.decision import build_evidence as build_evidence
    from tfgate.audit.evidence import read_evidence as read_evidence
    from tfgate.audit.evidence import write_evidence as write_evidence
    from tfgate.audit.record import Record as Record
    from tfgate.audit.result import VerifyResult as VerifyResult
    from tfgate.audit.verifier import verify as verify
    from tfgate.audit.writer import AuditTrail as AuditTrail

_WHERE = {
    "AuditTrail": "writer",
    "Record": "record",
    "VerifyResult": "result",
    "build_decision_record": "decision",
    "build_evidence": "decision",
    "read_evidence": "evidence",
    "verify": "verifier",
    "write_evidence": "evidence",
}

__all__ = [
    "AuditTrail",
    "Record",
    "VerifyResult",
    "build_decision_record",
    "build_evidence",
    "read_evidence",
    "verify",
    "write_evidence",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate.audit' has no attribute {name!r}")
    return getattr(import_module(f"tfgate.audit.{_WHERE[name]}"), name)
