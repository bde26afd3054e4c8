"""Questions that a trail answers."""

from __future__ import annotations

import datetime as dt
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tfgate.audit.decision import write_evidence
from tfgate.audit.search import Filters, Unread, parse_moment, read_records, search_trail, show
from tfgate.audit.trail_files import Rotation, rotated_files
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError, UsageError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 2, 7, 12, tzinfo=dt.timezone.utc)


def finding(rule: str, address: str, outcome: str = "fail", **more: Any) -> dict[str, Any]:
    """A finding as a record has it."""
    kind = address.rpartition(".")[0].rpartition(".")[2]
    return {"rule": rule, "address": address, "outcome": outcome, "type": kind, **more}


DECISIONS: dict[str, dict[str, Any]] = {
    "d-prod-1": {
        "workspace": "prod-eu",
        "operator": "ann@acme.example",
        "decision": "deny",
        "plan_sha256": "aa11",
        "rules": {"EC2-003": {"fail": 1}, "S3-001": {"pass": 4}},
        "rule_controls": {"S3-001": {"iso27001": ["A.8.9"]}},
        "rulesets": [{"id": "acme", "version": "1.4.0", "commit": "c0ffee"}],
        "findings": [
            finding("EC2-003", 'module.a["x"].aws_instance.web', controls={"soc2": ["CC8.1"]})
        ],
    },
    "d-prod-2": {
        "workspace": "prod-eu",
        "operator": "bob@acme.example",
        "decision": "allow",
        "plan_sha256": "aa22",
        "plan": {"json_sha256": "bb22"},
        "run": {"commit": "deadbeef"},
        "rulesets": [{"id": "acme", "version": "1.5.0", "approvers": ["eve@acme.example"]}],
        "overrides": [{"approver": "kim@acme.example"}],
        "findings": [
            finding("EC2-003", "aws_instance.web", "waived", waiver={"owner": "team-load"}),
            finding("S3-001", "aws_s3_bucket.logs", "unknown"),
        ],
    },
    "d-dev-1": {"workspace": "dev", "operator": "ann@acme.example", "decision": "allow"},
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three decisions a day apart, over two files, the first compressed, with noise in between."""
    path = tmp_path / "audit.jsonl"
    clock = Ticking(0)
    trail = AuditTrail(path, clock=clock, rotation=Rotation(daily=True))
    for decision_id, fields in DECISIONS.items():
        trail.append("decision", {"decision_id": decision_id, **fields})
        if fields["decision"] == "allow":
            trail.append("apply_started", {"decision_id": decision_id})
        clock.now += dt.timedelta(days=1)
    trail.append("apply_finished", {"decision_id": "d-dev-1", "exit_code": 0})
    first = rotated_files(path)[0]
    first.with_name(first.name + ".gz").write_bytes(gzip.compress(first.read_bytes()))
    first.unlink()
    return path


QUESTIONS: dict[str, tuple[Filters, list[str]]] = {
    "workspace": (Filters(workspace="prod-eu"), ["d-prod-1", "d-prod-2"]),
    "workspaces": (Filters(workspace="d*"), ["d-dev-1"]),
    "operator": (Filters(operator="ann@acme.example"), ["d-prod-1", "d-dev-1"]),
    "operator and verdict": (Filters(operator="ann@*", decision="deny"), ["d-prod-1"]),
    "plan": (Filters(plan="aa2"), ["d-prod-2"]),
    "plan JSON": (Filters(plan="bb22"), ["d-prod-2"]),
    "ruleset": (Filters(ruleset="acme"), ["d-prod-1", "d-prod-2"]),
    "ruleset version": (Filters(ruleset="acme@1.4.*"), ["d-prod-1"]),
    "commit of a ruleset": (Filters(commit="c0f"), ["d-prod-1"]),
    "commit of the code": (Filters(commit="deadbeef"), ["d-prod-2"]),
    "approver of an override": (Filters(approver="kim@*"), ["d-prod-2"]),
    "approver of a ruleset": (Filters(approver="eve@*"), ["d-prod-2"]),
    "rule": (Filters(rule="EC2-003"), ["d-prod-1", "d-prod-2"]),
    "rule, passed or not": (Filters(rule="S3-001"), ["d-prod-1", "d-prod-2"]),
    "rule that passed": (Filters(rule="S3-*", outcome="pass"), ["d-prod-1"]),
    "outcome": (Filters(outcome="unknown"), ["d-prod-2"]),
    "rule and outcome of one finding": (Filters(rule="EC2-003", outcome="unknown"), []),
    "address with a key": (Filters(address='module.a["x"].*'), ["d-prod-1"]),
    "address": (Filters(address="aws_instance.*"), ["d-prod-2"]),
    "type": (Filters(type="aws_s3_bucket"), ["d-prod-2"]),
    "control": (Filters(control="soc2:CC8.1"), ["d-prod-1"]),
    "control of a rule that passed": (Filters(control="iso27001"), ["d-prod-1"]),
    "waiver": (Filters(waiver="*"), ["d-prod-2"]),
    "owner of a waiver": (Filters(waiver="team-load"), ["d-prod-2"]),
    "until": (Filters(until=parse_moment("2026-01-31", NOW, end=True)), ["d-prod-1"]),
    "since": (Filters(since=parse_moment("6d", NOW)), ["d-prod-2", "d-dev-1"]),
    "nobody": (Filters(operator="[a-z]*"), []),
}


@pytest.mark.parametrize("name", [*QUESTIONS])
def test_questions_have_answers(log: Path, name: str) -> None:
    """Every condition finds the decisions it should, and no other."""
    filters, expected = QUESTIONS[name]
    hits = search_trail([log], filters)
    found = [hit.record.fields["decision_id"] for hit in hits if hit.record.event == "decision"]
    assert found == expected


def test_a_hit_says_where_it_stands_and_which_findings_matched(log: Path) -> None:
    """File, line and the matching findings alone."""
    [hit] = search_trail([log], Filters(outcome="waived"))
    assert [found["address"] for found in hit.findings] == ["aws_instance.web"]
    assert hit.file.endswith("audit-20260201-000000000001.jsonl")
    assert (hit.record.seq, hit.line) == (2, 2)


def test_noise_is_passed_over_and_counted(log: Path) -> None:
    """A line that is no record hides nothing behind it."""
    log.write_bytes(b'noise\n{"v":1}\n\xff\n' + log.read_bytes())
    unread = Unread()
    hits = [*search_trail([log], Filters(), unread=unread)]
    assert unread.lines == [f"{log}:1", f"{log}:2", f"{log}:3"]
    assert hits[-1].record.event == "apply_finished"


def test_show_gathers_all_that_is_known(log: Path, tmp_path: Path) -> None:
    """The decision, what followed, and its evidence."""
    digest = write_evidence(tmp_path / "evidence", {"kind": "outcomes"})
    trail = AuditTrail(log, clock=Ticking())
    trail.append("decision", {"decision_id": "e-1", "evidence_sha256": digest})
    trail.append("apply_started", {"decision_id": "e-1"})
    shown = show([log], "e", evidence=tmp_path / "evidence")
    assert shown.decision_id == "e-1"
    assert [hit.record.event for hit in shown.hits] == ["decision", "apply_started"]
    assert (shown.evidence, shown.unfinished) == ({"kind": "outcomes"}, True)
    lost = show([log], "e-1", evidence=tmp_path / "nowhere")
    assert lost.evidence is None
    assert "missing" in str(lost.evidence_problem)


def test_show_wants_one_decision(log: Path) -> None:
    """An id that names none or several is an error."""
    with pytest.raises(AuditError, match="No decision"):
        show([log], "nothing")
    with pytest.raises(AuditError, match="More than one"):
        show([log], "d-prod")


def test_whole_records_are_read_back(log: Path) -> None:
    """The newest ones, or those of a decision, with every member they have."""
    newest = read_records(log, last=2)
    assert [record["event"] for record in newest] == ["rotated", "apply_finished"]
    assert {"v", "seq", "prev", "hash", "time"} <= set(newest[0])
    assert len(read_records(log, last=100)) == len(read_records(log)) == 9
    found = [record["event"] for record in read_records(log, decision_id="d-prod-2")]
    assert found == ["decision", "apply_started"]


@pytest.mark.parametrize("how", ["truncated", "no gzip file", "cut"])
def test_a_damaged_file_is_reported(log: Path, how: str) -> None:
    """What cannot be read is named, and raises where nobody asks for it."""
    packed, plain, *_ = rotated_files(log)
    if how == "cut":
        plain.write_bytes(plain.read_bytes()[:-9])
    else:
        packed.write_bytes(packed.read_bytes()[:-9] if how == "truncated" else b"noise")
    unread = Unread()
    assert [*search_trail([log], Filters(event="apply_finished"), unread=unread)]
    [sentence] = unread.sentences()
    assert str(plain if how == "cut" else packed) in sentence
    read_records(log, unread=unread)
    assert unread.sentences() == [sentence], "once, however often it is read"
    with pytest.raises(AuditError, match=r"Only \d line"):
        [*search_trail([log], Filters())]


def test_findings_left_out_are_looked_up_in_the_evidence(tmp_path: Path) -> None:
    """A record that says it left findings out never hides a match without a word."""
    left_out = finding("R-9", "aws_instance.hidden")
    digest = write_evidence(tmp_path / "evidence", {"findings": [left_out]})
    log = tmp_path / "audit.jsonl"
    fields = {"findings": [], "findings_truncated": 1, "evidence_sha256": digest}
    AuditTrail(log, clock=Ticking()).append("decision", fields)
    filters = Filters(address="*.hidden")
    [hit] = search_trail([log], filters, evidence=tmp_path / "evidence")
    assert (hit.findings, hit.complete) == ((left_out,), True)
    [unsure] = search_trail([log], filters)
    assert (unsure.findings, unsure.complete) == ((), False)
    assert not [*search_trail([log], Filters(address="x"), evidence=tmp_path / "evidence")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.500000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("24h", "2026-02-06T12:00:00.000000Z"),
        ("7d", "2026-01-31T12:00:00.000000Z"),
        ("2w", "2026-01-24T12:00:00.000000Z"),
    ],
)
def test_times_as_a_person_writes_them(text: str, expected: str) -> None:
    """RFC 3339, days and ages become the form that records have."""
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "2026-01-31T12:00:00", "2026-13-01", "999999w"]
)
def test_other_times_are_refused(text: str) -> None:
    """A time without zone says nothing, and neither do guesses."""
    with pytest.raises(UsageError):
        parse_moment(text, NOW)
