"""What must hold however a command ended."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.faults.box import CANARY
from tests.support.faults.scenarios import Kind
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.faults.box import Box
    from tests.support.faults.run import Call, Fault, Ran
    from tests.support.faults.scenarios import Scenario

_PASSED = "PASS - "
_STRAY = re.compile(r"\.new-|^new-|\.tfgate\.lock-|\.\d+\.[0-9a-f]{8}$")
"""Names of files that are written beside the one that they become."""
_CLEANING = ("remove", "stat", "open")
"""Where these fail, what was begun may not be cleaned up."""
_RECORDED = ("configuration", "workspace", "operator", "data")
"""Of two decisions on the same plan by the same gate, these are the same."""


class Before(NamedTuple):
    """The box before the command, and the command without a fault."""

    files: dict[Path, tuple[int, int]]
    """Size and time of each."""
    records: int
    ran: Ran | None = None
    decision: dict[str, Any] | None = None


def look(box: Box) -> dict[Path, tuple[int, int]]:
    """Return what is in the box."""
    found = {}
    for path in box.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            facts = path.stat()
            found[path.relative_to(box.root)] = (facts.st_size, facts.st_mtime_ns)
    return found


def records(box: Box, scenario: Scenario) -> list[dict[str, Any]]:
    """Return the records of the trail in force, whole ones."""
    found = []
    for file in sorted(log_of(box, scenario).parent.glob("audit*.jsonl")):
        found += [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    return sorted(found, key=lambda record: record["seq"])


def log_of(box: Box, scenario: Scenario) -> Path:
    """Return the trail that the scenario's command writes to."""
    words = scenario.words(box)
    if "--audit-log" in words:
        from pathlib import Path

        return Path(words[words.index("--audit-log") + 1])
    return box.gate / "audit.jsonl"


def broken(box: Box, scenario: Scenario, fault: Fault, ran: Ran, before: Before) -> list[str]:
    """Say which promises were broken."""
    return [
        *_answer(scenario, fault, ran),
        *_verdict(box, scenario, ran, before),
        *_applied(box, scenario, ran, before),
        *_trail(box, scenario),
        *_left(box, scenario, fault, before),
    ]


def _answer(scenario: Scenario, fault: Fault, ran: Ran) -> Iterator[str]:
    if ran.code is None:
        yield "it hangs"
    elif fault.kills:
        if ran.code not in (-9, *ExitCode):
            yield f"exit code {ran.code}"
    elif ran.code not in {int(code) for code in ExitCode}:
        yield f"exit code {ran.code}"
    for name, text in (("standard error", ran.err), ("standard output", ran.out)):
        if "Traceback" in text:
            yield f"a traceback on {name}"
        if CANARY in text:
            yield f"a secret on {name}"
    if "unexpected" in ran.err:
        yield "it calls itself broken"
    if ran.code == 0 and scenario.kind is Kind.DENIES:
        yield "exit code 0 for what is denied"


def _verdict(box: Box, scenario: Scenario, ran: Ran, before: Before) -> Iterator[str]:
    """Check exit code 0 of a gate: the decision is in the trail, on the disk, and the same."""
    if ran.code != 0 or scenario.kind not in (Kind.ALLOWS, Kind.APPLIES, Kind.SAYS):
        return
    if scenario.kind is Kind.SAYS and not ran.out.startswith(_PASSED):
        if not re.search(r", [1-9]\d* failures?, ", ran.out):
            yield "exit code 0, and the text says nothing"
        return
    new = records(box, scenario)[before.records :]
    decisions = [one for one in new if one["event"] in ("decision", "command")]
    if not decisions or any(one.get("decision") != "allow" for one in decisions):
        yield "exit code 0 without a decision on record"
    elif before.decision is not None:
        for name in _RECORDED:
            if decisions[0].get(name) != before.decision.get(name):
                yield f"allowed with other {name}"
        if _rules(decisions[0]) != _rules(before.decision):
            yield "allowed by other rules"
    known = frozenset(str(box.root / path) for path in before.files)
    if not is_durable(ran.calls, known):
        yield "exit code 0 with a record that is not on the disk"
    if scenario.kind is Kind.APPLIES and not (box.root / "ran").exists():
        yield "exit code 0 and nothing was applied"


def _rules(decision: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rules of a decision; who wrote them may not have been found out."""
    return [(one["id"], one["digest"]) for one in decision.get("rulesets", ())]


def is_durable(calls: tuple[Call, ...], known: frozenset[str] = frozenset()) -> bool:
    """Say whether all that was written to a trail was synced after it, names of new files too."""
    dirty, unnamed = set(), set()
    seen = set(known)
    for kind, code, path in calls:
        if kind == "fsync" and code == 0:
            dirty.discard(path)
            unnamed = {name for name in unnamed if name.rpartition("/")[0] != path}
        elif kind in ("write", "truncate") and path.endswith(".jsonl"):
            dirty.add(path)
        elif kind == "rename" and code == 0 and path.endswith((".jsonl", ".json.gz")):
            unnamed.add(path)
        elif kind == "open" and path.endswith("audit.jsonl") and path not in seen:
            seen.add(path)
            unnamed.add(path)
    return not dirty and not unnamed


def _applied(box: Box, scenario: Scenario, ran: Ran, before: Before) -> Iterator[str]:
    """Check what was applied: nothing that is not on record, durably, before."""
    noted = box.root / "ran"
    if not noted.exists():
        return
    if scenario.kind is not Kind.APPLIES:
        yield "something was applied"
        return
    if len(noted.read_text().splitlines()) > 1:
        yield "it was applied twice"
    text = (box.root / "at-apply").read_text()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    if "apply_started" not in events and "command" not in events:
        yield "applied before that was on record"
    until = next((n for n, call in enumerate(ran.calls) if call.kind == "apply"), 0)
    known = frozenset(str(box.root / path) for path in before.files)
    if not is_durable(ran.calls[:until], known):
        yield "applied before the record was on the disk"


def _trail(box: Box, scenario: Scenario) -> Iterator[str]:
    """Check that the trail holds as it is, and can be continued."""
    log = log_of(box, scenario)
    for moment in ("as it was left", "continued"):
        if log.exists() or moment == "continued":
            result = verify([log])
            if not result.ok:
                yield f"the trail does not hold, {moment}: {result.problems[0].text}"
                return
        if moment == "as it was left":
            log.parent.mkdir(parents=True, exist_ok=True)
            AuditTrail(log).append("decision", {"decision_id": "next"})


def _left(box: Box, scenario: Scenario, fault: Fault, before: Before) -> Iterator[str]:
    """Check what was left: no copy of a plan, no secret, and no halves but of killed processes."""
    plans = [(box.work / f"{name}.tfplan").read_bytes() for name in ("good", "bad")]
    # What a killed process has in a directory goes with the next tfgate; in memory there is none.
    later = fault.kills and "TFGATE_PLAN_COPY" in scenario.env
    for path, facts in look(box).items():
        temporary = path.parts[0] == "tmp"
        known = before.files.get(path) == facts
        if (known and not temporary) or path.name in ("ran", "at-apply") or (temporary and later):
            continue
        data = (box.root / path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(data)
        if CANARY.encode() in data or data in plans:
            yield f"{path} holds a secret or the plan"
        if known or fault.kills or fault.kind in _CLEANING:
            continue
        if (temporary and not path.name.startswith("tfgate-review-")) or _STRAY.search(path.name):
            yield f"{path} was left"


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return data
