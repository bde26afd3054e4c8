"""Text of a plan made harmless: examples of each attack, and what holds for any text at all."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.decisions import HOSTILE, HOSTILE_ADDRESS
from tfgate.report import escape as neutral

TEXTS = st.one_of(
    st.text(max_size=80), st.text(alphabet="`\\*_[]<>#|~@:/.\n ab1!&$^-+=\"'", max_size=60)
)
ATTACKS = [HOSTILE, HOSTILE_ADDRESS, "\ud800", "`", "``", " ", "", "- x", "1. x", "===", "@a", "#1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 🙂", "plain é 漢 🙂"),
        ("a\nb\r\n\tc", r"a\nb\r\n\tc"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\x7f", r"\x7f"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u200bb", r"a\u200bb"),
        ("a\u2028b", r"a\u2028b"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    """An escape says that something was there; everything printable stays."""
    assert neutral.visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[error]x", r"#\x23[error]x"),
        ("a ##vso[task.setvariable]", r"a #\x23vso[task.setvariable]"),
        ("##TeamCity[x]", r"#\x23TeamCity[x]"),
        ("## heading", "## heading"),
    ],
)
def test_commands_that_work_anywhere_in_a_line_are_broken(text: str, shown: str) -> None:
    """Azure's agent, GitHub's older syntax and TeamCity search the whole line."""
    assert neutral.console(text) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("    ::set-output name=a::b", r"    \x3a:set-output name=a::b"),
        ("::/0", "::/0"),
        ("::1", "::1"),
        ("a ::error::x", "a ::error::x"),
    ],
)
def test_a_line_cannot_begin_with_a_workflow_command(line: str, shown: str) -> None:
    """IPv6 addresses are left alone."""
    assert neutral.log_line(line) == shown


def test_workflow_escapes_are_those_of_the_toolkit() -> None:
    """The runner undoes exactly these."""
    assert neutral.workflow_data("50%\r\n") == "50%25%0D%0A"
    assert neutral.workflow_property("a:b,c%") == "a%3Ab%2Cc%25"


@given(TEXTS)
@settings(max_examples=200)
def test_visible_text_is_printable_and_idempotent(text: str) -> None:
    """Nothing raw is left, and doing it twice changes nothing."""
    shown = neutral.visible(text)
    assert shown.isprintable()
    assert neutral.visible(shown) == shown


class _Text(HTMLParser):
    """Collects text and tags as a browser would see them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


@given(TEXTS)
@settings(max_examples=200)
def test_html_text_is_only_text(text: str) -> None:
    """A browser sees no tag, and the same characters."""
    parser = _Text()
    parser.feed(neutral.html_text(text))
    parser.close()
    assert parser.tags == []
    assert parser.text == neutral.visible(text)
    assert html.unescape(neutral.html_text(text)) == neutral.visible(text)


def _markdown(source: str) -> _Text:
    """Render with GitHub's dialect, links found in plain text and HTML let through."""
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser = _Text()
    parser.feed(renderer.render(source))
    parser.close()
    return parser


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("write", [neutral.markdown_code, neutral.markdown_prose])
def test_markdown_shows_the_characters_and_nothing_else(write: object, text: str) -> None:
    """No attack becomes more than text or one code span."""
    _assert_literal(write, text)


@given(TEXTS, st.sampled_from([neutral.markdown_code, neutral.markdown_prose]))
@settings(max_examples=300)
def test_any_text_is_literal_in_markdown(text: str, write: object) -> None:
    """Whatever a plan says is what a reader sees."""
    _assert_literal(write, text)


def _assert_literal(write: object, text: str) -> None:
    for before, after in (("- `rule`: ", ""), ("", ""), ("see ", " (high)")):
        rendered = _markdown(f"{before}{write(text)}{after}\n")
        assert set(rendered.tags) <= {"p", "ul", "li", "code"}
        shown = neutral.visible(text)
        assert shown.strip(" ") in rendered.text or not shown.strip(" ")


@given(TEXTS)
@settings(max_examples=200)
def test_what_a_forge_acts_on_is_in_a_code_span(text: str) -> None:
    """Mentions, references and links are found after rendering, everywhere but in code."""
    shown = neutral.markdown_prose(text)
    if not shown.startswith("`"):
        assert not re.search(r"@|://|www\.|[#!]\d", shown)


@pytest.mark.parametrize(
    "text",
    [
        "@octocat",
        "see #12",
        "GH-3",
        "!7",
        "http://x",
        "www.x.y",
        "a@b.c",
        "~label",
        ":tada:",
        "%4",
        "0f3a9b2c",
    ],
)
def test_mentions_and_references_become_code(text: str) -> None:
    """Each of these does something on GitHub or GitLab."""
    assert neutral.markdown_prose(text) == f"`{text}`"


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("https://ok.example/a?b=c#d", True),
        ("http://ok.example", False),
        ("javascript:alert(1)", False),
        ("https://ok.example/a b", False),
        ("https://ok.example/<x>", False),
        ("https://user@ok.example/", False),
        ("https://ok.example/\n", False),
    ],
)
def test_only_plain_https_addresses_become_links(text: str, linked: bool) -> None:
    """A reference of a ruleset cannot run code or hide where it goes."""
    assert (neutral.link(text) is not None) is linked


@given(TEXTS)
@settings(max_examples=150)
def test_sarif_text_has_no_link_and_no_placeholder(text: str) -> None:
    """Viewers make links of ``[a](b)`` even in plain text."""
    shown = neutral.sarif_text(text)
    assert "](" not in shown
    assert not re.search(r"(?<!\{)\{\d+\}(?!\})", shown)


@given(TEXTS)
@settings(max_examples=150)
def test_fenced_text_does_not_close_its_fence(text: str) -> None:
    """Atlantis puts the output between backticks."""
    shown = neutral.fenced(text)
    assert "```" not in shown
    assert "~~~" not in shown
    assert shown.isprintable()


def test_paragraphs_are_the_lines_that_an_author_wrote() -> None:
    """Line ends of a rule's prose are structure, not control characters."""
    assert neutral.paragraphs(" a\r\n\r\nb\x1b\n") == ["a", r"b\x1b"]
    assert neutral.one_line("a\n b") == "a b"


def test_a_clipped_text_says_what_is_missing() -> None:
    """A reader knows that there is more."""
    assert neutral.clip("abcdef", 4) == "abcd… (6 characters in all)"
    assert neutral.clip("abcd", 4) == "abcd"
