"""The review in a terminal: its width, and every kind of finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from tests.support.decisions import CASES, HOSTILE, SOFT, context, decision, outcome
from tests.support.plans import NOW, change, plan, plan_data
from tests.support.review_plans import review_of, tour_review
from tfgate.model.decision import Approval, Override
from tfgate.report.escape import console, html_text
from tfgate.review import html as review_html
from tfgate.review import text as review_text
from tfgate.review.layout import lay_out

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_lines_fit(width: int, tmp_path: Path) -> None:
    """No line of an ordinary plan is wider than the terminal."""
    text = review_text.render(tour_review(tmp_path), context(width=width), full=True)
    assert [line for line in text.splitlines() if cell_len(line) > width] == []
    assert "\N{NO-BREAK SPACE}" not in text


@pytest.mark.parametrize("name", CASES)
def test_every_finding_of_every_decision_is_told(name: str) -> None:
    """Blocking, waived, unknown, in error: in the text and on the page, with its rule."""
    made = CASES[name]
    found = lay_out(plan(), made, {rule.id: rule for rule in context().rules.values()})
    text = review_text.render(found, context(width=120))
    page = review_html.render(found, context())
    for found_one in made.outcomes:
        assert console(found_one.rule) in text
        assert html_text(found_one.rule) in page
        if found_one.waiver is not None:
            assert found_one.waiver.owner in text
            assert found_one.waiver.owner in page


def test_an_overridden_finding_says_who_approved_it() -> None:
    """It is let through, and stays in sight."""
    approval = Approval(
        approver="lead@acme.example", principals=("lead@acme.example",), key="SHA256:x",
        digest="0" * 64, reason="load test", approved=NOW, expires=NOW,
    )  # fmt: skip
    found = outcome(blocks=False, enforcement=SOFT, override=Override((approval,)))
    told = lay_out(plan(), decision(found), {})
    for text in (review_text.render(told, context()), review_html.render(told, context())):
        assert "overridden" in text
        assert "approved by lead@acme.example until 2026-11-24: load test" in " ".join(text.split())


def test_hostile_text_moves_no_cursor() -> None:
    """Nothing unprintable reaches the terminal, and no line begins a CI system's command."""
    body = {HOSTILE: HOSTILE, "block": [{HOSTILE: HOSTILE}], "::error::": "::error::\n::error::"}
    entry = change("aws_thing.a", ["update"], body, before={"block": [], "x": HOSTILE})
    entry |= {"address": HOSTILE, "type": HOSTILE, "module_address": HOSTILE}
    found = review_of(plan_data(entry), plan_name=HOSTILE)
    for full in (False, True):
        text = review_text.render(found, context(width=50), full=full)
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::error")]


def test_long_values_are_folded_and_say_how_long_they_are() -> None:
    """Unless everything is asked for."""
    entry = change("aws_thing.a", ["create"], {"blob": "x" * 10_240})
    found = review_of(plan_data(entry))
    text = review_text.render(found, context(width=80))
    assert "(10,242 characters in all)" in text
    assert len(text) < 3_000
    assert "x" * 10_240 in review_text.render(found, context(width=80), full=True)
