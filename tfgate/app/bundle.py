"""``tfgate audit export``: all about one decision, to be verified without tfgate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgate._version import __version__
from tfgate.app.bundle_readme import readme
from tfgate.app.bundle_rules import ruleset_files
from tfgate.audit.archive import find_plan, read_packed
from tfgate.audit.canonical import canonical, decode, sha256
from tfgate.audit.evidence import evidence_path, read_evidence_bytes
from tfgate.audit.filters import Filters
from tfgate.audit.read import Lines
from tfgate.audit.rotation import log_of, trail_files
from tfgate.audit.search import search_trail, show
from tfgate.errors import AuditError
from tfgate.opening import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.app.rules_at import RulesPlace
    from tfgate.app.trail import Trail
    from tfgate.audit.search import Hit

NEWEST = "last"
"""Stands for the id of the newest decision."""
MAX_CHAIN = 20_000
"""Records between the decision and the checkpoint that are put in."""


@dataclass(frozen=True)
class Bundle:
    """Files by their names, and what is missing."""

    decision_id: str
    files: dict[str, bytes]
    missing: tuple[str, ...]
    """What should be there and could not be had, in sentences."""


def make_bundle(
    trail: Trail, decision_id: str, place: RulesPlace | None, *, chain: bool = True
) -> Bundle:
    """Collect everything about a decision; equal trails give equal bundles.

    ``place`` says where rulesets are looked for. With ``chain``, the records from the decision to
    the next checkpoint are put in whole, other decisions among them: they are what links the two.
    Raises ``AuditError`` where the trail knows no such decision.
    """
    shown = show(trail.paths, _newest(trail) if decision_id == NEWEST else decision_id)
    made: dict[str, bytes] = {}
    missing: list[str] = []
    made["records.jsonl"] = b"".join(hit.record.line + b"\n" for hit in shown.hits)
    missing += _add_evidence(made, shown.hits, trail.evidence)
    if chain:
        missing += _add_chain(made, shown.hits, trail)
    rulesets = [r for hit in shown.hits for r in hit.record.fields.get("rulesets") or ()]
    places, without = ruleset_files(rulesets, place, made)
    missing += without
    if trail.allowed_signers is not None and Path(trail.allowed_signers).is_file():
        made["allowed_signers"] = read_file(trail.allowed_signers)
    made["verify.py"] = (files("tfgate.app") / "bundle_verify.py").read_bytes()
    made["README.md"] = readme(shown.decision_id, made, missing).encode()
    manifest = _manifest(shown.decision_id, made, places, missing)
    made["manifest.json"] = json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n"
    return Bundle(shown.decision_id, made, tuple(missing))


def _newest(trail: Trail) -> str:
    newest = ""
    for hit in search_trail(trail.paths, Filters(event="decision")):
        newest = str(hit.record.fields.get("decision_id"))
    if not newest:
        raise AuditError("There is no decision in this trail yet.")
    return newest


def _manifest(
    decision_id: str, made: dict[str, bytes], places: dict[str, str], missing: Sequence[str]
) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": "tfgate-decision-bundle",
        "tfgate": __version__,
        "decision_id": decision_id,
        "files": {name: sha256(data) for name, data in sorted(made.items())},
        "rulesets": places,
        "missing": list(missing),
    }


def _add_evidence(
    made: dict[str, bytes], hits: Sequence[Hit], directory: str | None
) -> Iterator[str]:
    """Put the evidence in, and the archived plan; say what there is no file of."""
    for hit in hits:
        digest = hit.record.fields.get("evidence_sha256")
        if not isinstance(digest, str):
            continue
        if directory is None:
            yield "The folder of evidence files is not known: name it with --evidence."
            continue
        try:
            read_evidence_bytes(directory, digest)
        except AuditError as error:
            yield error.message
            continue
        made[f"evidence/{digest[:2]}/{digest}.json.gz"] = evidence_path(
            directory, digest
        ).read_bytes()
    for hit in hits:
        archived = hit.record.fields.get("archive_sha256")
        if isinstance(archived, str):
            yield from _add_plan(made, archived, Path(hit.file).parent / "archive")


def _add_plan(made: dict[str, bytes], digest: str, folder: Path) -> Iterator[str]:
    file = find_plan(folder, digest)
    if file is None:
        yield f"The archived plan {digest} is gone: its time was over."
        return
    try:
        made[f"plan/{digest}.json"] = read_packed(file)
    except AuditError as error:
        yield error.message


def _add_chain(made: dict[str, bytes], hits: Sequence[Hit], trail: Trail) -> Iterator[str]:
    """Put in the records from the first about the decision to the checkpoint that covers all."""
    first, last = hits[0].record.seq, hits[-1].record.seq
    lines: list[bytes] = []
    found: dict[str, Any] | None = None
    for line in _lines_from(hits[0], trail):
        record = _record(line)
        if record is None or (not lines and record.get("seq") != first):
            continue
        lines.append(line)
        if record.get("event") == "checkpoint" and _covers(record, last):
            found = record
            break
        if len(lines) >= MAX_CHAIN:
            break
    made["chain.jsonl"] = b"".join(line + b"\n" for line in lines)
    if found is None:
        yield "No checkpoint after the decision is in the trail: nothing vouches for its end."
        return
    made["checkpoint.json"] = canonical(found["statement"])
    made["checkpoint.json.sig"] = str(found.get("signature")).encode()


def _lines_from(hit: Hit, trail: Trail) -> Iterator[bytes]:
    """Give the lines of the trail from the hit's file on."""
    log = log_of(Path(hit.file))
    following = [file for file in trail_files(log) if file.exists()]
    named = [Path(hit.file)]
    at = following.index(named[0]) if named[0] in following else -1
    for file in following[at:] if at >= 0 else named:
        yield from Lines(file)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = decode(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("seq"), int) else None


def _covers(record: dict[str, Any], last: int) -> bool:
    statement = record.get("statement")
    return isinstance(statement, dict) and (statement.get("seq") or -1) >= last
