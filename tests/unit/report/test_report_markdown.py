"""The Markdown report: it fits, and no denial is lost on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.decisions import (
    CASES,
    FULL,
    HOSTILE,
    SOFT,
    context,
    decision,
    many,
    outcome,
)
from tfgate.report import render, step_summary
from tfgate.report.markdown import COMMENT_LIMIT, FOLDS, SUMMARY_LIMIT, fit, written
from tfgate.report.view import group

if TYPE_CHECKING:
    from tfgate.model.decision import Decision


def comment(number: int) -> str:
    """Render a decision with so many findings."""
    return render("markdown", many(number), context())


@pytest.mark.parametrize("number", [1, 50, 150, 300, 600, 5_000, 30_000])
def test_a_comment_fits_and_states_how_many_block(number: int) -> None:
    """From one finding to more than anybody reads."""
    text = comment(number)
    assert len(text.encode()) <= COMMENT_LIMIT
    assert f"Blocks the apply ({number:,})" in text


@pytest.mark.parametrize("number", [1, 50, 150, 300])
def test_every_finding_that_blocks_is_named_while_there_is_room(number: int) -> None:
    """What does not block gives way first."""
    text = comment(number)
    for finding in many(number).outcomes:
        if finding.blocks:
            assert f"`{finding.address}`" in text


def test_when_lines_do_not_fit_each_rule_says_how_many() -> None:
    """Nothing is dropped without its number, and the whole list has a place."""
    text = comment(5_000)
    for rule in range(10):
        assert f"`ACME-{rule:03}`" in text
    assert text.count("500 findings") == 10
    assert "Every one is listed by `tfgate check --report json`" in text


def test_rules_without_end_are_still_counted() -> None:
    """Thousands of rules, each with a name as long as names get."""
    found = (
        outcome(f"R{n:05}" + "x" * 300, f"a.b{n}", enforcement=SOFT, **FULL) for n in range(4_000)
    )
    text = render("markdown", decision(*found), context())
    assert len(text.encode()) <= COMMENT_LIMIT
    assert "4,000 findings of 4,000 rules" in text


@pytest.mark.parametrize("limit", [6_000, 10_000, 40_000])
@pytest.mark.parametrize("name", CASES)
def test_a_smaller_limit_is_kept_too(name: str, limit: int) -> None:
    """Other forges accept less; the verdict is always there."""
    text = fit(CASES[name], context(), limit)
    assert len(text.encode()) <= limit
    assert text.startswith("### ")


@pytest.mark.parametrize("limit", [3_000, 6_000, 20_000, COMMENT_LIMIT])
@pytest.mark.parametrize("case", [*CASES.values(), many(150), many(700)])
def test_the_first_fold_that_fits_is_taken(case: Decision, limit: int) -> None:
    """Folds that are not tried, because they could not fit, do not fit."""
    texts = (written(case, group(case), context(), fold) for fold in FOLDS)
    assert fit(case, context(), limit) == next(
        text for text in texts if len(text.encode()) <= limit
    )


def test_the_last_fold_has_a_bound_of_its_own() -> None:
    """However long each text in a decision is."""
    long = HOSTILE * 2_000
    case = decision(
        *(outcome(f"{long}{n}", long, message=long, title=long) for n in range(30)),
        reasons=(long,) * 100,
        warnings=(long,) * 100,
    )
    text = render("markdown", case, context(tfgate_version=long, decision_id=long))
    assert len(text.encode()) <= COMMENT_LIMIT
    assert "30 findings" in text


@given(st.text(max_size=5_000), st.integers(1, 60))
@settings(max_examples=25)
def test_any_text_fits(text: str, number: int) -> None:
    """Characters of four bytes and escapes of ten."""
    found = (outcome(f"R{n}", text, message=text) for n in range(number))
    assert len(render("markdown", decision(*found), context()).encode()) <= COMMENT_LIMIT


def test_a_step_summary_has_more_room() -> None:
    """GitHub takes a megabyte there, so less is folded."""
    text = step_summary(many(1_500), context())
    assert COMMENT_LIMIT < len(text.encode()) <= SUMMARY_LIMIT
    assert all(f'["{n:05}"]' in text for n in range(1_500))


@pytest.mark.parametrize("name", CASES)
def test_folds_only_ever_show_less(name: str) -> None:
    """The ladder goes down, whatever the decision."""
    case = CASES[name]
    sizes = [len(written(case, group(case), context(), fold)) for fold in FOLDS]
    assert all(after <= before + 200 for before, after in pairwise(sizes))
    assert sizes[-1] < sizes[0]


def test_a_waiver_says_who_until_when_and_why() -> None:
    """What was silenced is told where people look, and mentions nobody."""
    text = render("markdown", CASES["allow-waived"], context())
    assert "waived by `team-load@acme.example` until 2027-01-31 (`OPS-123`): load test" in text


def test_an_undecided_verdict_says_why() -> None:
    """Even where findings block as well."""
    text = render("markdown", CASES["undecided-errored-plan"], context())
    assert "The plan errored and is not whole" in text
