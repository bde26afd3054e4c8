"""Separation of duties: who planned, approved and applied, and where two of them are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit_gate import OWNED, AuditGate
from tfgate.audit.writer import AuditTrail
from tfgate.cli.main import main
from tfgate.gate.duties import approver_rows, duty_rows, operator_row
from tfgate.model.audit_report import DecisionRow, PersonRow, Ref

if TYPE_CHECKING:
    from pathlib import Path

IDP = "https://id.acme.example"


def decision(
    seq: int, operator: dict[str, Any], *approvals: dict[str, Any], **more: Any
) -> tuple[DecisionRow, dict[str, Any]]:
    """An applied decision as a report reads it."""
    row = DecisionRow(
        ref=Ref(seq, "ab" * 32, "audit.jsonl", seq + 1),
        decision_id=str(seq),
        time="2026-11-24T12:00:00.000000Z",
        decision="allow",
        workspace="prod",
        operator=operator["name"],
        **{"applied": "applied", "plan_sha256": "cd" * 32, **more},
    )
    fields = {
        "operator": operator["name"],
        "operator_facts": operator,
        "overrides": list(approvals),
    }
    return row, fields


def proven(name: str, subject: str, issuer: str = IDP) -> dict[str, Any]:
    """An operator whom a token proves."""
    return {
        "name": name, "source": "id", "verified": True, "issuer": issuer, "subject": subject
    }  # fmt: skip


CLAIMED = {"name": "olga", "source": "git"}
ALICE = {"approver": "alice@acme.example", "key": "SHA256:abc"}


def test_who_is_proven_and_who_is_claimed() -> None:
    """A token, a key and a signature prove; a flag, a variable and git do not."""
    _, fields = decision(0, CLAIMED, ALICE, {**ALICE, "issuer": IDP, "subject": "7"})
    assert operator_row(fields) == PersonRow("olga", proven=False, source="git")
    assert approver_rows(fields) == (
        PersonRow("alice@acme.example", proven=True, source="SHA256:abc"),
        PersonRow("alice@acme.example", proven=True, source=IDP, subject="7"),
    )
    _, fields = decision(0, proven("olga", "1"))
    assert operator_row(fields) == PersonRow("olga", proven=True, source=IDP, subject="1")


def test_who_planned_is_who_had_it_checked_first() -> None:
    """Or whom a receipt names; a decision that was not applied is no apply."""
    first = decision(0, proven("rita", "2"), applied="")
    second = decision(1, CLAIMED)
    (row,) = duty_rows([first, second])
    assert (row.planned_by.name, row.applied_by.name, row.same) == ("rita", "olga", ())
    receipt = PersonRow("pete", proven=False, source="receipt")
    (row,) = duty_rows([decision(1, CLAIMED, planned=receipt)])
    assert row.planned_by == receipt


@pytest.mark.parametrize(
    ("planned", "applied", "approved", "same"),
    [
        (proven("a", "1"), proven("b", "2"), [ALICE], ()),
        (
            proven("a", "1"),
            proven("a@acme.example", "9"),
            [],
            ("planned and applied: a@acme.example",),
        ),
        (proven("x", "1"), proven("y", "1"), [], ("planned and applied: y",)),
        (proven("x", "1"), proven("y", "1", "https://other.example"), [], ()),
        (
            proven("a", "1"),
            proven("b", "2"),
            [{"approver": "c", "issuer": IDP, "subject": "2", "key": "k"}],
            ("approved and applied: c",),
        ),
        (
            proven("alice", "1"),
            proven("b", "2"),
            [ALICE],
            ("planned and approved: alice@acme.example",),
        ),
        (
            proven("a", "1"),
            proven("b", "2"),
            [ALICE, {**ALICE, "key": "SHA256:other"}],
            ("approved twice: alice@acme.example",),
        ),
    ],
)
def test_two_who_are_one_are_reported(
    planned: dict[str, Any],
    applied: dict[str, Any],
    approved: list[dict[str, Any]],
    same: tuple[str, ...],
) -> None:
    """By issuer and subject whatever they are called, and by name whoever vouches."""
    rows = duty_rows([decision(0, planned, applied=""), decision(1, applied, *approved)])
    assert [row.same for row in rows] == [same]


def test_what_to_look_at_comes_first() -> None:
    """Broken glass, then one person with two duties, then the rest."""
    plain = decision(1, proven("b", "2"), plan_sha256="1")
    ahead = decision(0, proven("a", "1"), plan_sha256="1", applied="")
    alone = decision(2, CLAIMED, plan_sha256="2")
    glass = decision(3, proven("b", "2"), ALICE, plan_sha256="1", break_glass=True)
    rows = duty_rows([ahead, plain, alone, glass])
    assert [row.ref.seq for row in rows] == [3, 2, 1]


def test_search_by_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--unverified`` finds decisions without proof; ``--issuer`` who vouched for somebody."""
    monkeypatch.chdir(tmp_path)
    gate = AuditGate(tmp_path)
    gate.check(OWNED)
    trail = AuditTrail(gate.log)
    about = {"workspace": "prod", "decision": "allow", "findings": [], "overrides": []}
    by_token = {"operator": "rita", "operator_facts": proven("rita", "2")}
    trail.append("decision", {**about, **by_token, "decision_id": "by-token"})
    reviewed = {"approver": "rex", "issuer": "https://github.com", "subject": "583231"}
    by_review = {**by_token, "overrides": [reviewed]}
    trail.append("decision", {**about, **by_review, "decision_id": "by-review"})
    trail.append("apply_started", {"decision_id": "by-token", "workspace": "prod"})

    def found(*words: str) -> list[str]:
        capsys.readouterr()
        assert main(["audit", "search", *words]) == 0
        shown = capsys.readouterr().out
        return [name for name in ("by-token", "by-review", "carl") if name in shown]

    assert found("--unverified") == ["carl"]
    assert found("--issuer", "https://id.*") == ["by-token", "by-review"]
    assert found("--issuer", "https://github.com") == ["by-review"]
    assert found("--approver", "rex") == ["by-review"]
    assert found("--approver", "583231") == ["by-review"]
