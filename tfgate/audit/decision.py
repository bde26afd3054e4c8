"""Evidence files: what is too big for a record, named by its own SHA-256."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate._version import __version__
from tfgate.audit.files import make_directory, read_bounded, reported, write_new
from tfgate.audit.read import unpacked
from tfgate.audit.record import decode, is_harmless, neutralise, neutralise_text, sha256
from tfgate.errors import AuditError
from tfgate.model.decision import NO_PLAN

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from tfgate.model.decision import Decision, Outcome


MAX_EVIDENCE = 1 << 30
"""Bytes, uncompressed. A file that unpacks to more is refused."""

_encoder = msgspec.json.Encoder(order="sorted", enc_hook=str)


def evidence_path(directory: str | os.PathLike[str], digest: str) -> Path:
    """Give where the evidence with this digest lies: ``<first two digits>/<digest>.json.gz``."""
    return Path(directory).expanduser() / digest[:2] / f"{digest}.json.gz"


def write_evidence(directory: str | os.PathLike[str], value: object) -> str:
    """Keep ``value`` in a content-addressed file, on the disk before this returns; give its digest.

    The digest is the SHA-256 (hex) of the uncompressed JSON: members sorted, no white space, UTF-8.
    The file is gzip with no time and no name in it, so that the same value gives the same bytes.
    Raises ``AuditError`` where it cannot be written.
    """
    data = _encode(value)
    digest = sha256(data)
    path = evidence_path(directory, digest)
    with reported(path.parent, "written"):
        make_directory(path.parent)
        if not _is_kept(path, digest):
            write_new(path, _pack(data))
    return digest


def read_evidence(directory: str | os.PathLike[str], digest: str) -> Any:
    """Read evidence back as plain JSON data.

    Raises ``AuditError`` where it is missing, or where its content does not have the digest.
    """
    try:
        return decode(read_evidence_bytes(directory, digest))
    except ValueError:
        place = evidence_path(directory, digest)
        raise AuditError(f"The evidence file {place} does not hold JSON.") from None


def read_evidence_bytes(directory: str | os.PathLike[str], digest: str) -> bytes:
    """Read the uncompressed bytes of evidence; raises as ``read_evidence`` does."""
    path = evidence_path(directory, digest)
    try:
        data = _unpack(path)
    except FileNotFoundError:
        raise AuditError(f"The evidence {digest} is missing: there is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise AuditError(f"The evidence file {path} cannot be read: {_reason(error)}.") from None
    if sha256(data) != digest:
        raise AuditError(f"The evidence file {path} was changed: its digest is {sha256(data)}.")
    return data


def _encode(value: object) -> bytes:
    try:
        data = _encoder.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        data = b""
    # Megabytes: looking at the bytes once is far cheaper than at every string.
    if data and is_harmless(data):
        return data
    return _encoder.encode(neutralise(value))


def _is_kept(path: Path, digest: str) -> bool:
    if not path.exists():
        return False
    try:
        return sha256(_unpack(path)) == digest
    except (OSError, ValueError):
        return False


def _pack(data: bytes) -> bytes:
    """Compress as ``gzip`` does, whose import takes a millisecond more than zlib's."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _unpack(path: Path) -> bytes:
    try:
        with unpacked(path) as file:
            data = read_bounded(file, MAX_EVIDENCE)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError("it is not a whole gzip file") from None
    return data


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


# --- A decision as the fields of its audit record, and as evidence.


MAX_FINDINGS = 1_000
"""Findings that a record carries; ``findings_truncated`` counts the rest, which evidence has."""

MAX_TEXT = 2_000
"""Characters of a message that a record carries; the evidence has all of it."""

EVIDENCE_VERSION = 1


def build_decision_record(
    decision: Decision, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give the fields of a ``decision`` record (docs/reference/audit-record.md).

    ``extra`` is what the decision itself does not know and the caller does: ``decision_id``,
    ``evidence_sha256``, ``config_sha256``, ``waivers_sha256``, ``providers``, ``approvers``, …; it
    wins over what is computed here.
    """
    blocking_first = sorted(decision.findings, key=lambda finding: not finding.blocks)
    kept = blocking_first[:MAX_FINDINGS]
    fields: dict[str, Any] = {
        "decision": decision.verdict.value,
        "undecided": decision.undecided,
        "reasons": [_short(reason) for reason in decision.reasons],
        "workspace": decision.workspace.name,
        "workspace_facts": msgspec.to_builtins(decision.workspace),
        "operator": decision.operator.name,
        "operator_facts": msgspec.to_builtins(decision.operator),
        "plan_sha256": decision.plan.file_sha256 or decision.plan.json_sha256 or None,
        "plan": None if decision.plan == NO_PLAN else msgspec.to_builtins(decision.plan),
        "sources": None if decision.sources is None else msgspec.to_builtins(decision.sources),
        "run": None if decision.run is None else msgspec.to_builtins(decision.run),
        "overrides": [msgspec.to_builtins(approval) for approval in decision.approvals],
        "rulesets": [msgspec.to_builtins(ruleset) for ruleset in decision.rulesets],
        "counts": decision.counts(),
        "rules": outcome_counts(decision),
        "findings": [_finding(finding) for finding in kept],
        "findings_total": len(decision.findings),
        "findings_truncated": len(decision.findings) - len(kept),
        "warnings": [_short(warning) for warning in decision.warnings[:MAX_FINDINGS]],
        "warnings_truncated": max(0, len(decision.warnings) - MAX_FINDINGS),
        "versions": _versions(decision),
    }
    return {**fields, **(extra or {})}


def build_evidence(decision: Decision) -> dict[str, Any]:
    """Give the outcome of every rule on every subject, for ``write_evidence``."""
    return {
        "v": EVIDENCE_VERSION,
        "kind": "outcomes",
        "plan": None if decision.plan == NO_PLAN else decision.plan,
        "sources": decision.sources,
        "rulesets": decision.rulesets,
        "findings": decision.findings,
        "passed": decision.passed,
        "warnings": decision.warnings,
    }


def outcome_counts(decision: Decision) -> dict[str, dict[str, int]]:
    """Count outcomes per rule and kind: ``{"CORE-DEL-001": {"fail": 1, "pass": 41}}``."""
    counts: dict[str, dict[str, int]] = {
        rule: {"pass": len(addresses)} for rule, addresses in decision.passed.items()
    }
    for finding in decision.findings:
        of_rule = counts.setdefault(finding.rule, {})
        kind = finding.outcome.value
        of_rule[kind] = of_rule.get(kind, 0) + 1
    return counts


def _finding(finding: Outcome) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(finding)
    # Defaults are left out by the type; a reader of records should not have to know them.
    fields["enforcement"] = finding.enforcement.value
    fields["severity"] = finding.severity.value
    fields["message"] = _short(finding.message)
    for bulky in ("title", "remediation", "references"):
        fields.pop(bulky, None)
    return fields


def _versions(decision: Decision) -> dict[str, Any]:
    return {
        "tfgate": __version__,
        "terraform": decision.plan.terraform_version,
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _short(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return neutralise_text(text)
    return f"{neutralise_text(text[:MAX_TEXT])}… ({len(text)} characters, the rest is in evidence)"
