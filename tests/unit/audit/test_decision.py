"""A decision as a record and as evidence."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit.decision import (
    MAX_FINDINGS,
    MAX_TEXT,
    build_decision_record,
    build_evidence,
    evidence_path,
    read_evidence,
    write_evidence,
)
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.model.address import Location
from tfgate.model.decision import (
    Decision,
    Operator,
    Outcome,
    OutcomeKind,
    PlanFacts,
    RulesetFacts,
    Run,
    Verdict,
    Waiver,
    Workspace,
)

if TYPE_CHECKING:
    from pathlib import Path


def outcome(number: int, kind: OutcomeKind = OutcomeKind.FAIL, **more: object) -> Outcome:
    """An outcome on its own address."""
    fields = {"rule": "EC2-003", "ruleset": "acme", "message": "not allowed", **more}
    return Outcome(address=f"aws_instance.web[{number}]", outcome=kind, **fields)  # type: ignore[arg-type]


WAIVER = Waiver("EC2-003", "*", "load test", "team-load", dt.date(2027, 1, 31), ticket="OPS-1")


def decision(outcomes: tuple[Outcome, ...], passed: int = 2) -> Decision:
    """A denial with these findings."""
    return Decision(
        verdict=Verdict.DENY,
        reasons=("1 rule failed",),
        outcomes=outcomes,
        passed={"S3-001": tuple(f"aws_s3_bucket.b[{n}]" for n in range(passed))},
        rulesets=(RulesetFacts("acme", "1.4.0", "Acme", "sha256:ab", "./policy", commit="c0ffee"),),
        plan=PlanFacts(json_sha256="11", file_sha256="22", terraform_version="1.9.0"),
        workspace=Workspace("prod", "flag", backend="s3", identity={"bucket": "b", "key": "k"}),
        operator=Operator("ann@acme.example", "github", verified=True),
        run=Run(system="github", commit="deadbeef"),
    )


def test_a_record_says_what_was_decided_and_on_what_grounds() -> None:
    """Verdict, counts per rule, every finding in full, and the digests of what it rests on."""
    place = Location("main.tf", 3)
    waived = outcome(1, OutcomeKind.WAIVED, waiver=WAIVER, location=place, fingerprint="ff")
    fields = build_decision_record(decision((outcome(0, blocks=True), waived)), {"x": 1})
    assert fields["decision"] == "deny"
    assert (fields["workspace"], fields["operator"]) == ("prod", "ann@acme.example")
    assert fields["operator_facts"]["source"] == "github"
    assert (fields["plan_sha256"], fields["plan"]["json_sha256"]) == ("22", "11")
    assert fields["rules"] == {"EC2-003": {"fail": 1, "waived": 1}, "S3-001": {"pass": 2}}
    assert fields["rulesets"][0]["commit"] == "c0ffee"
    assert fields["versions"]["terraform"] == "1.9.0"
    assert (fields["run"]["commit"], fields["x"]) == ("deadbeef", 1)
    assert [f["address"] for f in fields["findings"]] == [
        "aws_instance.web[0]",
        "aws_instance.web[1]",
    ]
    second = fields["findings"][1]
    assert second["location"] == {"file": "main.tf", "line": 3}
    assert second["waiver"]["expires"] == "2027-01-31"
    assert (second["enforcement"], second["fingerprint"]) == ("hard-mandatory", "ff")


def test_many_findings_keep_the_record_workable_and_say_so(tmp_path: Path) -> None:
    """Those that deny come first; what is left out is counted, and stands in the evidence."""
    many = tuple(outcome(n, blocks=n >= 9_990) for n in range(10_000))
    whole = decision(many)
    fields = build_decision_record(whole)
    assert len(fields["findings"]) == MAX_FINDINGS
    assert fields["findings"][0]["address"] == "aws_instance.web[9990]"
    assert (fields["findings_total"], fields["findings_truncated"]) == (10_000, 9_000)
    assert fields["rules"]["EC2-003"] == {"fail": 10_000}
    digest = write_evidence(tmp_path, build_evidence(whole))
    assert len(read_evidence(tmp_path, digest)["findings"]) == 10_000


def test_a_long_message_is_cut_with_a_word_about_it() -> None:
    """The record says how long it was; nothing is cut silently."""
    fields = build_decision_record(decision((outcome(0, message="ä" * 90_000),)))
    message = fields["findings"][0]["message"]
    assert len(message) < MAX_TEXT + 100
    assert "90000 characters" in message


def test_hostile_text_cannot_break_out_of_its_record(tmp_path: Path) -> None:
    """Newlines, escapes and bidirectional marks neither begin a line nor reach a terminal."""
    hostile = 'x\n{"v":1,"seq":9}\n\x1b[2J\u202e\u2028\x9b31m::error::'
    log = tmp_path / "audit.jsonl"
    AuditTrail(log).append(
        "decision", build_decision_record(decision((outcome(0, message=hostile),)))
    )
    data = log.read_bytes()
    assert data.count(b"\n") == 1
    assert verify([log]).ok
    for bad in ("\x1b", "\x9b", "\u202e", "\u2028"):
        assert bad.encode() not in data
    for text in (hostile, "\x1b[2J", "\r", "\u202e"):
        evidence = build_evidence(decision((outcome(0, message=text),)))
        message = read_evidence(tmp_path, write_evidence(tmp_path, evidence))["findings"][0]
        assert not any(bad in message["message"] for bad in "\x1b\r\x9b\u202e\u2028")
        assert "<U+" in message["message"]


def test_evidence_is_named_by_its_content(tmp_path: Path) -> None:
    """The same content gives the same file, byte for byte; a spoilt file is written again."""
    value = build_evidence(decision((outcome(0),)))
    digest = write_evidence(tmp_path, value)
    path = evidence_path(tmp_path, digest)
    assert path == tmp_path / digest[:2] / f"{digest}.json.gz"
    before = path.read_bytes()
    path.write_bytes(b"spoilt")
    assert write_evidence(tmp_path, value) == digest
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_evidence_of_strange_values_is_kept_all_the_same(tmp_path: Path) -> None:
    """What JSON cannot hold is neutralised, as in a record."""
    digest = write_evidence(tmp_path, {"lone": "\ud800", "big": 2**80, "set": {1}})
    assert read_evidence(tmp_path, digest)["lone"] == "<U+D800>"


def test_evidence_of_a_large_plan_is_quick(tmp_path: Path) -> None:
    """30,000 outcomes, some megabytes: far below a second, on any machine that tests run on."""
    many = tuple(outcome(n, fingerprint=f"{n:064x}") for n in range(5_000))
    whole = decision(many, passed=25_000)
    begun = time.perf_counter()
    write_evidence(tmp_path, build_evidence(whole))
    assert time.perf_counter() - begun < 1
    assert len(msgspec.json.encode(build_evidence(whole))) > 1_000_000
