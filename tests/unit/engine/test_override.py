"""Which approvals count, and what they let through."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from tests.support.decisions import ADVISORY, HARD, SOFT, decision, outcome
from tfgate.engine.override import ApprovalTerms, Need, SignedApproval, apply_overrides, strictest
from tfgate.model.approval import (
    ApprovalRequest,
    ApprovalStatement,
    ApprovedFinding,
    ApprovedPlan,
    ApprovedWorkspace,
)
from tfgate.model.decision import (
    Approval,
    Decision,
    Operator,
    Outcome,
    OutcomeKind,
    Verdict,
    Workspace,
)
from tfgate.model.rule import OnUnknown

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
HOUR = dt.timedelta(hours=1)
SOFT_FAIL = outcome(enforcement=SOFT)
OTHER_FAIL = outcome("ACME-S3-001", "aws_s3_bucket.a", enforcement=SOFT, message="it is public")
OPERATOR = Operator("olga", "github")


def deny(*outcomes: Outcome, **fields: Any) -> Decision:
    """A decision that olga asked for."""
    return decision(*outcomes, **{"operator": OPERATOR, **fields})


def approval(
    of: Decision, *principals: str, findings: tuple[Outcome, ...] | None = None, **fields: Any
) -> SignedApproval:
    """An approval of what blocks ``of``; ``fields`` change the request or the statement."""
    names = principals or ("alice@acme.example",)
    times = {
        name: fields.pop(name, value)
        for name, value in {"approved": NOW - HOUR, "expires": NOW + HOUR}.items()
    }
    asked: dict[str, Any] = {
        "decision_id": "d",
        "created": NOW - HOUR,
        "expires": NOW + HOUR,
        "bind": "plan",
        "plan": ApprovedPlan(of.plan.json_sha256, of.plan.file_sha256),
        "workspace": ApprovedWorkspace.of(of.workspace),
        "operator": of.operator.name,
        "authors": (),
        "findings": tuple(
            ApprovedFinding.of(found) for found in (of.outcomes if findings is None else findings)
        ),
    }
    request = ApprovalRequest(**{**asked, **fields})
    statement = ApprovalStatement(request=request, reason="because", **times)
    used = Approval(names[0], names, f"SHA256:{names[0]}", "ab" * 32, "because", **times)
    return SignedApproval(statement, used, f"{names[0]}.json")


def override(of: Decision, *approvals: SignedApproval, **terms: Any) -> Decision:
    """Apply approvals."""
    return apply_overrides(of, approvals, ApprovalTerms(now=NOW, **terms))


def test_an_approval_lets_a_soft_failure_through() -> None:
    """The outcome stays a failure, in sight, with the approval beside it."""
    before = deny(SOFT_FAIL)
    after = override(before, approval(before))
    assert after.verdict is Verdict.ALLOW
    assert after.reasons == ()
    (found,) = after.outcomes
    assert (found.outcome, found.blocks) == (OutcomeKind.FAIL, False)
    assert found.override is not None
    assert [each.approver for each in found.override.approvals] == ["alice@acme.example"]
    assert [each.approver for each in after.approvals] == ["alice@acme.example"]
    assert after.warnings == before.warnings


def test_an_unknown_that_is_not_tolerated_can_be_let_through() -> None:
    """Where the rule is soft-mandatory."""
    fields = {"on_unknown": OnUnknown.DENY, "kind": OutcomeKind.UNKNOWN}
    soft = deny(outcome(enforcement=SOFT, **fields))
    assert override(soft, approval(soft)).verdict is Verdict.ALLOW
    hard = deny(outcome(enforcement=HARD, **fields))
    assert override(hard, approval(hard)).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (outcome(enforcement=HARD), "is hard-mandatory, which no approval lets through"),
        (outcome(enforcement=SOFT, kind=OutcomeKind.ERROR), "is an error, which no approval"),
        (outcome(enforcement=ADVISORY, kind=OutcomeKind.ERROR), "is an error, which no approval"),
    ],
    ids=["hard-mandatory", "error", "advisory error"],
)
def test_what_never_yields(found: Outcome, sentence: str) -> None:
    """Whoever approves it, it blocks, and the report says why the approval was no use."""
    before = deny(found)
    people = [approval(before, name) for name in ("alice", "bob", "carol")]
    after = override(before, *people)
    assert after.verdict is Verdict.DENY
    assert after.outcomes == before.outcomes
    assert sentence in " ".join(after.warnings)


def test_what_is_not_approved_blocks_on() -> None:
    """An approval covers the findings that it lists, and no others on the same plan."""
    before = deny(SOFT_FAIL, OTHER_FAIL)
    after = override(before, approval(before, findings=(SOFT_FAIL,)))
    assert after.verdict is Verdict.DENY
    assert {o.rule: o.blocks for o in after.outcomes} == {
        "ACME-EC2-003": False,
        "ACME-S3-001": True,
    }
    assert after.reasons == ("ACME-S3-001 (soft-mandatory) failed on aws_s3_bucket.a.",)


CHANGED = {
    "message": "aws_instance.web uses p5.48xlarge",
    "title": "Another title",
    "action": "delete",
    "address": "aws_instance.other",
    "deposed": "0a1b2c3d",
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_finding_must_be_equal_in_every_field(name: str) -> None:
    """What the approver saw is what is let through."""
    before = deny(SOFT_FAIL)
    signed = approval(before)
    changed = deny(msgspec.structs.replace(SOFT_FAIL, **{name: CHANGED[name]}))
    assert override(changed, signed).verdict is Verdict.DENY


REFUSED = {
    "another plan": ({"plan": ApprovedPlan("0" * 64, "1" * 64)}, "it is for another plan"),
    "another workspace": (
        {"workspace": ApprovedWorkspace("dev", "s3", {})},
        "it is for another workspace",
    ),
    "expired": ({"expires": NOW - dt.timedelta(seconds=1)}, "it held until 2026-11-24 11:59 UTC"),
    "longer than the gate lets it": (
        {"approved": NOW - 100 * HOUR, "expires": NOW + HOUR},
        "it held until 2026-11-23 08:00 UTC",
    ),
    "of the future": (
        {"approved": NOW + HOUR, "expires": NOW + 2 * HOUR},
        "it says it was made in the future",
    ),
    "operator of the request": ({"operator": "Alice"}, "alice@acme.example is the operator"),
    "author of the request": ({"authors": ("Al", "alice")}, "wrote the change"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_approval_that_does_not_count(name: str) -> None:
    """It lets nothing through, and the report says why."""
    fields, sentence = REFUSED[name]
    before = deny(SOFT_FAIL)
    after = override(before, approval(before, **fields))
    assert after.verdict is Verdict.DENY
    (warning,) = after.warnings
    assert warning.startswith("The approval alice@acme.example.json does not count: ")
    assert sentence in warning


@pytest.mark.parametrize(
    ("operator", "sentence"),
    [
        (Operator("alice", "github"), "alice@acme.example is the operator"),
        (Operator("unknown", "none"), "it is not known who the operator is"),
        (Operator("alice@github", "github", verified=True), "alice@acme.example is the operator"),
    ],
)
def test_the_operator_of_the_apply_counts_too(operator: Operator, sentence: str) -> None:
    """Whoever asks for the apply may be another than who asked for the check."""
    before = deny(SOFT_FAIL)
    signed = approval(before)
    after = override(msgspec.structs.replace(before, operator=operator), signed)
    assert after.verdict is Verdict.DENY
    assert sentence in after.warnings[0]


PROVEN = Operator(
    "a.smith@gitlab",
    "gitlab",
    verified=True,
    issuer="https://gitlab.com",
    subject="17",
    claims={"user_email": "alice@acme.example", "ref": "bob"},
)


def test_a_proven_operator_has_every_name_of_the_claims() -> None:
    """An address in the token is the operator's, whatever the name is made of; a branch is not."""
    before = deny(SOFT_FAIL, operator=PROVEN)
    assert "is the operator" in override(before, approval(before)).warnings[0]
    assert override(before, approval(before, "bob")).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("issuer", "subject", "same"),
    [
        ("https://gitlab.com", "17", True),
        ("https://gitlab.com", "18", False),
        ("https://gitlab.acme.example", "17", False),
    ],
)
def test_one_identity_is_one_person(issuer: str, subject: str, same: bool) -> None:
    """Issuer and subject together name somebody, whatever they are called: neither does alone."""
    before = deny(SOFT_FAIL, operator=PROVEN)
    signed = approval(before, "carol@acme.example")
    used = msgspec.structs.replace(signed.approval, issuer=issuer, subject=subject)
    after = override(before, signed._replace(approval=used))
    assert (after.verdict is Verdict.DENY) is same
    assert any("carol@acme.example is the operator" in text for text in after.warnings) is same


def test_the_author_known_at_the_apply_counts_too() -> None:
    """Nobody approves their own change."""
    before = deny(SOFT_FAIL)
    after = override(before, approval(before), authors=("Alice A.", "alice@acme.example"))
    assert "wrote the change" in after.warnings[0]


def test_a_pattern_is_no_name() -> None:
    """``*@acme.example`` in the allowed signers file says nothing about who signed."""
    before = deny(SOFT_FAIL)
    after = override(before, approval(before, "*@acme.example"))
    assert "a pattern, and no name" in after.warnings[0]


def test_plan_json_is_bound_by_its_own_digest() -> None:
    """Where no plan file was judged; and an approval of JSON is none of a plan file."""
    plan = msgspec.structs.replace(deny().plan, file_sha256=None)
    without_file = deny(SOFT_FAIL, plan=plan)
    assert override(without_file, approval(without_file)).verdict is Verdict.ALLOW
    with_file = deny(SOFT_FAIL, plan=msgspec.structs.replace(plan, file_sha256="c" * 64))
    assert override(with_file, approval(without_file)).verdict is Verdict.DENY
    assert override(without_file, approval(with_file)).verdict is Verdict.ALLOW


def test_bound_to_findings_it_survives_a_plan_with_fewer() -> None:
    """And not one with more; the gate and the approval must both have it so."""
    before = deny(SOFT_FAIL, OTHER_FAIL)
    signed = approval(before, bind="findings")
    other_plan = msgspec.structs.replace(before.plan, json_sha256="d" * 64, file_sha256="e" * 64)
    fewer = deny(SOFT_FAIL, plan=other_plan)
    assert override(fewer, signed, bind_to_plan=False).verdict is Verdict.ALLOW
    assert override(fewer, signed).verdict is Verdict.DENY
    assert override(fewer, approval(before), bind_to_plan=False).verdict is Verdict.DENY
    more = deny(SOFT_FAIL, OTHER_FAIL, outcome("ACME-3", enforcement=SOFT), plan=other_plan)
    assert override(more, signed, bind_to_plan=False).verdict is Verdict.DENY
    elsewhere = msgspec.structs.replace(fewer, workspace=Workspace("prod", "s3", "s3", {}))
    assert override(elsewhere, signed, bind_to_plan=False).verdict is Verdict.DENY


def test_several_people() -> None:
    """One person counts once, whatever the number of approvals, keys and names."""
    before = deny(SOFT_FAIL)
    two = {"need": lambda _rule: Need(2)}
    alice, again = approval(before, "alice@acme.example"), approval(before, "alice")
    after = override(before, alice, alice, again, **two)
    assert after.verdict is Verdict.DENY
    assert after.warnings == ("ACME-EC2-003 has 1 of 2 approvals (aws_instance.web).",)
    assert override(before, alice, approval(before, "bob"), **two).verdict is Verdict.ALLOW


def test_roles() -> None:
    """Of each role one person is needed; one person may have several; nobody has an empty one."""
    before = deny(SOFT_FAIL)
    needs = {"need": lambda _rule: Need(1, frozenset({"dba", "sec"}))}
    roles = {"dba": ("alice@*", "dora"), "sec": ("sam", "alice@*")}
    assert override(before, approval(before), roles=roles, **needs).verdict is Verdict.ALLOW
    after = override(before, approval(before, "sam"), roles=roles, **needs)
    assert "needs an approval by somebody with the role dba" in after.warnings[0]
    assert override(before, approval(before), roles={"dba": ()}, **needs).verdict is Verdict.DENY


def test_undecided_stays_undecided() -> None:
    """No approval replaces a judgement."""
    before = deny(undecided=True, verdict=Verdict.DENY, reasons=("Nothing was judged.",))
    after = override(before, approval(before, findings=(SOFT_FAIL,)))
    assert (after.verdict, after.undecided) == (Verdict.DENY, True)
    assert after.reasons == before.reasons


def test_the_strictest_need_counts() -> None:
    """The largest number, and every role."""
    needs = [Need(1, frozenset({"a"})), Need(3), Need(2, frozenset({"b"}))]
    assert strictest(needs) == Need(3, frozenset({"a", "b"}))
    assert strictest([]) == Need(1)
