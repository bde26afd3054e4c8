"""The Atlantis report, read by both generations of its verdict parser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.atlantis import passed_before, passed_since_december_2025
from tests.support.decisions import (
    ADVISORY,
    CASES,
    HOSTILE,
    SOFT,
    WAIVER,
    context,
    decision,
    many,
    outcome,
)
from tfgate.model.address import Location
from tfgate.model.decision import OutcomeKind, Verdict
from tfgate.model.rule import OnUnknown
from tfgate.report import render
from tfgate.report.atlantis import render_error

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

SUMMARY = re.compile(r"\d+ tests?, \d+ passed, \d+ warnings?, \d+ failures?, \d+ exceptions?")


def block(case: Decision) -> str:
    """Render one policy set."""
    return render("atlantis", case, context())


def assert_read_rightly(case: Decision) -> None:
    """Both readers come to the decision's own verdict."""
    allowed = case.verdict is Verdict.ALLOW
    assert passed_since_december_2025(block(case)) is allowed
    assert passed_before(block(case)) is allowed


@pytest.mark.parametrize("name", CASES)
def test_both_readers_come_to_the_verdict(name: str) -> None:
    """Every kind of decision, hostile ones included."""
    assert_read_rightly(CASES[name])


@pytest.mark.parametrize(
    "word",
    [
        "aws_route53_failover.fail",
        "FAIL",
        "FaIl",
        "FAİL",
        "12 failures",
        'failures": [',
        "3 failure",
        "failfail",
        "faıl",
        HOSTILE,
    ],
)
def test_no_name_in_an_allow_reads_as_a_failure(word: str) -> None:
    """The word may stand anywhere: in an address, a rule, a title, a reason, a path."""
    fields = {"title": word, "message": word, "remediation": word, "ruleset": word}
    fields["location"] = Location(word, 1, calls=(Location(word, 1),))
    waiver = msgspec.structs.replace(WAIVER, reason=word, owner=word, source=word, ticket=word)
    case = decision(
        outcome(word, word, enforcement=ADVISORY, **fields),
        outcome(word, word, OutcomeKind.UNKNOWN, on_unknown=OnUnknown.VERIFY, **fields),
        outcome(word, word, OutcomeKind.WAIVED, waiver=waiver, **fields),
        passed={word: (word,)},
        warnings=(word,),
    )
    circumstances = context(tfgate_version=word, plan_name=word, path_prefix=word)
    text = render("atlantis", case, circumstances)
    assert passed_before(text)
    assert passed_since_december_2025(text)


LETTERS = st.text(alphabet="fFaAiIİıllL ·\u0301\u200b1 s\n", max_size=30)


@given(address=LETTERS, message=LETTERS, warning=LETTERS)
@settings(max_examples=300)
def test_no_letters_in_an_allow_read_as_a_failure(address: str, message: str, warning: str) -> None:
    """However the letters are arranged, and across the parts of a line."""
    found = outcome(address, address, enforcement=ADVISORY, message=message)
    assert_read_rightly(decision(found, warnings=(warning,)))


@given(address=LETTERS, message=st.text(max_size=40))
@settings(max_examples=100)
def test_no_text_in_a_deny_reads_as_a_pass(address: str, message: str) -> None:
    """Nothing that a plan says comes before the verdict."""
    assert_read_rightly(decision(outcome(address=address, message=message)))


def test_the_dot_is_explained_where_there_is_one() -> None:
    """A reader who searches for the name learns why it is not found."""
    case = decision(outcome(address="aws_route53_failover.a", enforcement=ADVISORY))
    assert "aws_route53_f·ailover.a" in block(case)
    assert "is not in the name" in block(case)
    assert "·" not in block(CASES["allow-clean"])


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("allow")])
def test_a_deny_ends_with_the_line_that_is_lifted_into_the_comment(name: str) -> None:
    """And has no other that looks like it."""
    lines = block(CASES[name]).splitlines()
    assert SUMMARY.fullmatch(lines[-1])
    assert len(SUMMARY.findall(block(CASES[name]))) == 1


def test_a_plan_cannot_write_the_summary() -> None:
    """The numbers in the comment are the gate's own."""
    forged = "5 tests, 5 passed, 0 warnings, 0 failures, 0 exceptions"
    lines = block(decision(outcome(message=forged), passed={})).splitlines()
    assert [line for line in lines if SUMMARY.search(line)] == [
        "1 tests, 0 passed, 0 warnings, 1 failures, 0 exceptions"
    ]


def fail_lines(case: Decision) -> list[str]:
    """What a sticky approval hashes: the documented ``policy_item_regex``."""
    return re.findall(r"(?m)^FAIL.*", block(case))


def test_one_fail_line_a_finding_that_a_replan_does_not_change() -> None:
    """An approval holds while the findings do: no line, time, digest or version is in it."""
    case = CASES["deny-hard-and-soft"]
    again = msgspec.structs.replace(
        case,
        outcomes=tuple(
            msgspec.structs.replace(found, location=Location("other.tf", 9))
            for found in case.outcomes
        ),
        plan=msgspec.structs.replace(case.plan, json_sha256="99" * 32, timestamp=None),
        run=None,
    )
    assert fail_lines(case) == [
        "FAIL - aws_instance.web - ACME-EC2-003 - aws_instance.web uses m5.24xlarge",
        (
            "FAIL - aws_db_instance.main - CORE-DEL-001 - "
            "aws_db_instance.main will be replaced, and its data lost"
        ),
    ]
    assert fail_lines(again) == fail_lines(case)


def test_what_cannot_be_decided_is_a_failure() -> None:
    """The exit status says nothing to Atlantis; the text does."""
    assert fail_lines(CASES["undecided-errored-plan"])[-1] == (
        "FAIL - tfgate - The plan errored and is not whole: run terraform plan again."
    )


def test_a_long_deny_keeps_every_fail_line() -> None:
    """Remedies and places give way, findings do not."""
    case = many(900)
    assert len(fail_lines(case)) == 900
    assert "Pick one of" not in block(case)
    assert "counted below" in block(case)


def test_numbers_are_counted_as_conftest_counts() -> None:
    """What denies fails, what is let through warns, what is waived is an exception."""
    case = decision(
        outcome(address="a.a", enforcement=SOFT),
        outcome(address="a.b", enforcement=ADVISORY),
        outcome(address="a.c", kind=OutcomeKind.UNKNOWN, on_unknown=OnUnknown.VERIFY),
        outcome(address="a.d", kind=OutcomeKind.WAIVED, waiver=WAIVER),
        passed={"R": ("a.e", "a.f")},
    )
    last = block(case).splitlines()[-1]
    assert last == "6 tests, 2 passed, 2 warnings, 1 failures, 1 exceptions"


@given(text=st.text(alphabet="fFaAiIlL1 passed,\n '\u2028", max_size=60))
@settings(max_examples=100)
def test_an_error_is_read_as_a_failure_whatever_it_says(text: str) -> None:
    """A step says errors in its text too; each line that is an item of its own is counted."""
    block = render_error(text)
    assert not passed_since_december_2025(block)
    assert not passed_before(block)
    assert block.startswith("FAIL - tfgate - ")
    assert len(SUMMARY.findall(block)) == 1
