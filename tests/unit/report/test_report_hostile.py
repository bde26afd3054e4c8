"""Hostile names and values through every format: nothing raw comes out, and all of it parses."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.decisions import CASES, HARD, HOSTILE, context, decision, outcome
from tfgate.model.address import Location
from tfgate.report import FORMATS, render

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

HOSTILE_CASES = ["deny-hostile", "allow-hostile"]
ALPHABET = st.one_of(
    st.characters(),
    st.sampled_from("\x00\x1b\x7f\x9b\r\n\u202e\u200b\ufeff\u2028\ud800<>&\"'`|@#%:,{}[]()]\\$"),
)
TEXT = st.text(alphabet=ALPHABET, max_size=40)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """A deny whose every text is anything."""
    return decision(
        outcome(
            draw(TEXT),
            draw(TEXT),
            enforcement=HARD,
            message=draw(TEXT),
            title=draw(TEXT),
            remediation=draw(TEXT),
            location=Location(draw(TEXT), 1, calls=(Location(draw(TEXT), 2),)),
            references=(draw(TEXT),),
        ),
        passed={draw(TEXT): (draw(TEXT),)},
        warnings=(draw(TEXT),),
    )


def assert_harmless(name: str, text: str) -> None:
    """Only printable characters and line ends; the format's own reader accepts it."""
    assert all(char.isprintable() or char == "\n" for char in text)
    text.encode("utf-8")
    READERS.get(name, str)(text)


class Page(HTMLParser):
    """Refuses what a page of ours never has."""

    allowed = frozenset(
        {
            *("html", "head", "meta", "title", "style", "body", "header", "main", "footer"),
            *("h1", "h2", "h3", "p", "strong", "span", "code", "a", "div", "article", "ul", "li"),
            *("dl", "dt", "dd", "details", "summary", "table", "tr", "th", "td"),
        }
    )
    void = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "style", "action"}
            assert name != "href" or str(value).startswith("https://")
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_html(text: str) -> None:
    """Parse the whole page: every tag is known, and closed where it should be."""
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []


def read_commands(text: str) -> None:
    """Every line is one workflow command, and as many of them as were meant."""
    for line in text.splitlines():
        assert re.match(r"::(error|warning|notice) [^:]*::", line)
        assert "##[" not in line


READERS: dict[str, Any] = {
    "json": json.loads,
    "sarif": json.loads,
    "gitlab": json.loads,
    "junit": ElementTree.fromstring,
    "html": read_html,
    "github": read_commands,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_every_case_is_harmless_in_every_format(name: str, case: str) -> None:
    """The hostile ones above all."""
    assert_harmless(name, render(name, CASES[case], context()))


@pytest.mark.parametrize("name", FORMATS)
@given(case=decisions())
@settings(max_examples=40)
def test_any_text_is_harmless_in_every_format(name: str, case: Decision) -> None:
    """Whatever a plan, a file name or a ruleset says."""
    assert_harmless(name, render(name, case, context()))


@pytest.mark.parametrize("name", FORMATS)
def test_circumstances_are_hostile_too(name: str) -> None:
    """A directory, a plan's name and a workspace are chosen by whoever opens the pull request."""
    case = CASES["deny-hostile"]
    surroundings = context(path_prefix=HOSTILE, plan_name=HOSTILE, fallback_file=HOSTILE)
    assert_harmless(name, render(name, case, surroundings))
