"""The page on the bounds of expressions says what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tfgate import query
from tfgate.authoring import mutate as rule_mutants
from tfgate.engine import evaluate
from tfgate.engine import rule_verdict as judge
from tfgate.query import ExpressionError, parsing, state
from tfgate.query.functions import documents, strings, text
from tfgate.ruleset import template

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference/bounds.md").read_text(encoding="utf-8")
BOUNDS = {
    "characters of an expression": parsing.LONGEST,
    "levels of nesting of an expression, where a chain is one": parsing.DEEPEST,
    "characters of a regular expression or a glob": text._LONGEST_PATTERN,
    "steps of one evaluation": state.STEPS,
    "steps of one rule on one plan": state.RULE_STEPS,
    "of them not counted, in each evaluation": state.SMALL,
    "steps of one finding": evaluate._FINDING,
    "characters of a string that an expression makes (by `join()`, `replace()`, …)": state.TEXT,
    "parts that `split()` makes": strings._PIECES,
    "characters that `parse_json()` reads": documents.LONGEST,
    "levels of nesting that `parse_json()` reads": documents.DEEPEST,
    "characters of a message": template.MAX_MESSAGE,
    "characters of one value in a message": template.MAX_VALUE,
}


def test_every_figure() -> None:
    """The table has these rows and no other."""
    rows = re.findall(r"^\| (.+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert rows == [(what, f"{bound:,}") for what, bound in BOUNDS.items()]


def test_figures_in_the_text() -> None:
    """Those that stand in sentences."""
    assert f"A string of more than {state.LONG:,} characters" in PAGE
    assert f"takes {text._COMPILES:,} more, since it must be compiled" in PAGE
    assert f"and {evaluate._PART} more for each value and text of its message beyond ten" in PAGE
    assert f"it tries {rule_mutants.ROOM:,} characters of expressions" in PAGE


def test_what_is_said_when_a_bound_is_met() -> None:
    """The sentences of the page are those of the program."""
    with pytest.raises(query.BudgetError) as stopped:
        state.State().spend(state.STEPS + 1)
    assert f"*{stopped.value}*" in PAGE
    rule: Any = SimpleNamespace(get_ready=lambda: SimpleNamespace(passes=True))
    assert f"*{judge.stopped(rule).error}*" in PAGE
    with pytest.raises(query.BudgetError) as long:
        query.compile(" | ".join(["join('', [@, @])"] * 30)).search("x")
    assert f"*{str(long.value).rstrip('.')}*" in PAGE


@pytest.mark.parametrize("pattern", ["a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "a++", "(?>a)"])
def test_what_re2_has_not(pattern: str) -> None:
    """What the page says is refused, is."""
    with pytest.raises(ExpressionError, match="RE2"):
        query.compile(f"matches(@, '{pattern}')")


@pytest.mark.parametrize(
    ("pattern", "subject", "found"),
    [
        ("^b$", "a\nb", False),
        ("(?m)^b$", "a\nb", True),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("(?i)A", "a", True),
        ("a{1000}", "a" * 1000, True),
    ],
)
def test_what_re2_has(pattern: str, subject: str, found: bool) -> None:
    """Ends, lines and flags are as the page says."""
    assert query.compile(f"matches(@, '{pattern}')").search(subject) is found


@pytest.mark.parametrize("page", ["writing-rules.md", "reference/functions.md", "threat-model.md"])
def test_the_page_is_found(page: str) -> None:
    """Those who read of expressions are told of their bounds."""
    assert "bounds.md" in (DOCS / page).read_text(encoding="utf-8")
