"""The text report: what stands where, widths, colour, and that nothing acts on a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.support.decisions import CASES, context, decision, outcome
from tfgate.report import render, terminal_of
from tfgate.report.layout import Sheet

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_unless_one_word_does_not(name: str, width: int) -> None:
    """Wrapping counts cells; only a word that no line holds sticks out."""
    for line in render("text", CASES[name], context(width=width)).splitlines():
        assert cell_len(line) <= width or len(line.split()) == 1


@pytest.mark.parametrize("name", CASES)
def test_colour_only_repeats_what_the_words_say(name: str) -> None:
    """Without its colour codes the coloured report is the plain one."""
    plain = render("text", CASES[name], context())
    colored = render("text", CASES[name], context(color=True))
    assert "\x1b" not in plain
    assert "\x1b[" in colored
    assert ANSI.sub("", colored) == plain


def test_the_verdict_is_the_first_line() -> None:
    """The first thing to read is the answer."""
    first = {name: render("text", case, context()).splitlines()[0] for name, case in CASES.items()}
    assert first["allow-clean"] == "ALLOWED  Nothing blocks this plan."
    assert first["deny-soft"] == "DENIED  1 finding of 1 rule blocks this plan."
    assert first["undecided-errored-plan"].startswith("UNDECIDED  ")


def test_what_was_silenced_stays_visible() -> None:
    """A waiver is shown with owner, end, reason and where it stands."""
    text = render("text", CASES["allow-waived"], context(width=160))
    assert "waived by team-load until 2026-12-31: benchmark [bench.tf:3]" in text


def test_ascii_only_on_request() -> None:
    """A terminal without Unicode gets arrows and dots it can show."""
    assert render("text", CASES["deny-chains"], context(unicode=False)).isascii()


def test_a_broken_rule_gives_no_advice_on_the_plan() -> None:
    """The remedy of a rule that could not be evaluated would mislead."""
    assert "Remedy" not in render("text", CASES["deny-error"], context())


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=300), st.integers(40, 120))
def test_no_text_of_a_plan_controls_a_line(address: str, message: str, width: int) -> None:
    """No control character comes out, and no line begins with a workflow command."""
    case = decision(outcome(address=address, message=f"{message} ::error::x"), passed={})
    for line in render("text", case, context(width=width)).split("\n"):
        assert line.isprintable()
        assert not re.match(r"\s*::[A-Za-z]", line)
        assert "##[" not in line


@pytest.mark.parametrize(
    ("env", "is_terminal", "color"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    env: dict[str, str], is_terminal: bool, color: bool
) -> None:
    """NO_COLOR beats everything, a pipe has none, and both conventions to force it work."""
    found = terminal_of(env, is_terminal=is_terminal, columns=80, encoding="utf-8")
    assert found.color is color


@pytest.mark.parametrize(
    ("env", "is_terminal", "columns", "width"),
    [
        ({}, True, 120, 120),
        ({}, False, 120, 100),
        ({"COLUMNS": "90"}, False, None, 90),
        ({"COLUMNS": "wide"}, True, 70, 70),
        ({}, True, 500, 160),
        ({}, True, 10, 40),
    ],
)
def test_width_is_the_terminals_within_reason(
    env: dict[str, str], is_terminal: bool, columns: int | None, width: int
) -> None:
    """COLUMNS beats the window, a pipe has a fixed width."""
    found = terminal_of(env, is_terminal=is_terminal, columns=columns, encoding=None)
    assert found.width == width


@pytest.mark.parametrize(("encoding", "able"), [("UTF-8", True), ("utf8", True), ("cp1252", False)])
def test_unicode_needs_an_encoding_that_has_it(encoding: str, able: bool) -> None:
    """Arrows are written where they can be encoded."""
    found = terminal_of({}, is_terminal=True, columns=80, encoding=encoding)
    assert found.unicode is able


_TEXTS = st.lists(st.sampled_from(["a", "bb", "word-of-some-length", " ", "  ", "::error", "é·"]))
_SPANS = st.lists(
    st.tuples(_TEXTS.map("".join), st.sampled_from(["", "quiet", "rule"])), max_size=3
)


@given(_SPANS, st.integers(20, 60), st.sampled_from([0, 4]))
def test_plain_lines_are_the_coloured_ones(
    spans: list[tuple[str, str]], width: int, hang: int
) -> None:
    """Lines without colour are filled by themselves, and break where the coloured ones do."""
    texts = {}
    for color in (False, True):
        sheet = Sheet(width, color=color)
        sheet.add(*spans, ("end", ""), indent=2, hang=hang)
        texts[color] = ANSI.sub("", sheet.text())
    assert texts[False] == texts[True]
