"""What is kept of a decision: the fields of its record, its evidence, and its plan.

Evidence and plans are files that are named by the SHA-256 of their content:
``<first two digits>/<digest>.json.gz``, or ``.json.zst`` where the extra ``archive`` is installed
and the file is a plan.
"""

from __future__ import annotations

import gzip
import os
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tfgate._version import __version__
from tfgate.audit.files import make_directory, read_bounded, reported, write_whole
from tfgate.audit.record import decode, is_harmless, neutralise, neutralise_text, sha256
from tfgate.audit.trail_files import unpacked
from tfgate.errors import AuditError
from tfgate.model.decision import NO_PLAN, Approval, Decision, Outcome
from tfgate.opening import open_file

AnyPath = str | os.PathLike[str]


MAX_EVIDENCE = 1 << 30
"""Bytes, uncompressed. A file that unpacks to more is refused."""

_encoder = msgspec.json.Encoder(order="sorted", enc_hook=str)


def evidence_path(directory: str | os.PathLike[str], digest: str) -> Path:
    """Return where the evidence with this digest lies: ``<first two digits>/<digest>.json.gz``."""
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
            write_whole(path, _pack(data))
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


MAX_FINDINGS = 1_000
"""Findings that a record carries; ``findings_truncated`` counts the rest, which evidence has."""

MAX_TEXT = 2_000
"""Characters of a message that a record carries; the evidence has all of it."""

EVIDENCE_VERSION = 1


def build_decision_record(
    decision: Decision, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fields of a ``decision`` record (docs/reference/audit-record.md).

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


def break_glass_fields(decision: Decision) -> dict[str, Any]:
    """Return the fields of the ``break_glass`` record that stands behind such a decision."""
    broken = decision.broken_glass
    approvals = [a for a in decision.approvals if any(_rests_on(o, a) for o in broken)]
    return {
        "workspace": decision.workspace.name,
        "operator": decision.operator.name,
        "plan_sha256": decision.plan.file_sha256 or decision.plan.json_sha256 or None,
        "approvers": [approval.approver for approval in approvals],
        "approvals": [msgspec.to_builtins(approval) for approval in approvals],
        "reason": "; ".join(dict.fromkeys(approval.reason for approval in approvals)),
        "findings": [
            {"rule": one.rule, "address": one.address, "fingerprint": one.fingerprint}
            for one in broken[:MAX_FINDINGS]
        ],
    }


def _rests_on(outcome: Outcome, approval: Approval) -> bool:
    return outcome.override is not None and approval in outcome.override.approvals


def build_evidence(decision: Decision) -> dict[str, Any]:
    """Return the outcome of every rule on every subject, for ``write_evidence``."""
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


MAX_PLAN = 2 << 30
"""Bytes, unpacked. A file that unpacks to more is refused."""
LEVEL = 6
"""Of Zstandard: a plan of 10,000 changes takes 40 ms, and becomes a sixtieth."""

_DAY = 86_400
_PRUNED = ".pruned"
_SUFFIXES = (".json.zst", ".json.gz")


def keep_plan(directory: AnyPath, data: bytes) -> str:
    """Keep a redacted plan, on the disk before this returns; give its digest (hex).

    Raises ``AuditError`` where it cannot be written. A plan that is kept already gets a new date.
    """
    digest = sha256(data)
    folder = Path(directory).expanduser() / digest[:2]
    with reported(folder, "written"):
        make_directory(folder)
        for suffix in _SUFFIXES:
            file = folder / f"{digest}{suffix}"
            if file.exists():
                os.utime(file)
                return digest
        suffix, packed = _pack_plan(data)
        write_whole(folder / f"{digest}{suffix}", packed)
    return digest


def find_plan(directory: AnyPath, digest: str) -> Path | None:
    """Return the file of a kept plan, ``None`` where there is none (any more)."""
    folder = Path(directory).expanduser() / digest[:2]
    files = (folder / f"{digest}{suffix}" for suffix in _SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def kept_plans(directory: AnyPath) -> Iterator[Path]:
    """Return the file of every kept plan, by digest."""
    root = Path(directory).expanduser()
    for suffix in _SUFFIXES:
        yield from sorted(root.glob(f"[0-9a-f][0-9a-f]/*{suffix}"))


def read_packed(path: Path) -> bytes:
    """Read a file that may be compressed (by its name); a file of the archive is checked.

    Raises ``AuditError`` where it cannot be read, or is not what its name says.
    """
    try:
        data = _unpack_plan(path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AuditError(f"The plan {path} cannot be read: {reason}.") from None
    name = path.name.split(".", 1)[0]
    if path.name.endswith(_SUFFIXES) and len(name) == 64 and sha256(data) != name:
        raise AuditError(f"The archived plan {path} was changed: its digest is {sha256(data)}.")
    return data


def prune(directory: AnyPath, days: int, now: float | None = None) -> int:
    """Remove plans that were last evaluated more than ``days`` ago, at most once a day.

    Gives how many. Their decisions' records stay, and say which plan it was.
    """
    now = time.time() if now is None else now
    root = Path(directory).expanduser()
    stamp = root / _PRUNED
    if not root.is_dir() or (stamp.exists() and now - stamp.stat().st_mtime < _DAY):
        return 0
    with reported(root, "written"):
        stamp.touch()
        old = [file for file in kept_plans(root) if now - file.stat().st_mtime > days * _DAY]
        for file in old:
            file.unlink(missing_ok=True)
    return len(old)


def _pack_plan(data: bytes) -> tuple[str, bytes]:
    try:
        import zstandard
    except ImportError:
        return _SUFFIXES[1], gzip.compress(data, compresslevel=6, mtime=0)
    return _SUFFIXES[0], zstandard.ZstdCompressor(level=LEVEL).compress(data)


def _unpack_plan(path: Path) -> bytes:
    if path.name.endswith(".zst"):
        return _unzstd(path)
    if not path.name.endswith(".gz"):
        with open_file(path) as plain:
            return read_bounded(plain, MAX_PLAN)
    with unpacked(path) as file:
        return read_bounded(file, MAX_PLAN)


def _unzstd(path: Path) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise AuditError(
            f"{path} is compressed with Zstandard, which is not installed.",
            hint="Install the extra: pip install 'tfgate[archive]'.",
        ) from None
    try:
        with open_file(path) as packed, zstandard.ZstdDecompressor().stream_reader(packed) as file:
            return read_bounded(file, MAX_PLAN)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
