"""The audit trail: records, their chain, evidence, and the proof that nobody edited them."""

from __future__ import annotations

from tfgate.audit.decision import build_decision_record, build_evidence
from tfgate.audit.evidence import read_evidence, write_evidence
from tfgate.audit.record import Record
from tfgate.audit.result import VerifyResult
from tfgate.audit.verify import verify
from tfgate.audit.writer import AuditTrail

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
