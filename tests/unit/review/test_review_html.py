"""The review's page as text: its policy, its colours, its marks for the script."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.support.decisions import HOSTILE, HOSTILE_ADDRESS, context
from tests.support.plans import change, plan_data
from tests.support.review_plans import review_of, tour_review
from tfgate.report.page import asset
from tfgate.review import html as review_html

if TYPE_CHECKING:
    from pathlib import Path

STYLE = asset("tfgate.review", "review.css")
SCRIPT = asset("tfgate.review", "review.js")
LIGHT, DARK = (
    dict(re.findall(r"--(\w+): (#\w+);", colours))
    for colours in re.findall(r"color-scheme: (?:light|dark);(.*?)\}", STYLE)[:2]
)
READABLE = (
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("page", "card")),
    *((action, ground)
      for action in ("create", "update", "replace", "delete", "quiet")
      for ground in ("page", "card")),
    *(("ink", ground) for ground in ("added", "removed", "changed", "mark")),
    ("create", "added"), ("delete", "removed"), ("update", "changed"),
    ("soft", "added"), ("soft", "removed"), ("soft", "changed"),
)  # fmt: skip
"""Every pair of text and ground that the page has: contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
VOID = {"meta", "input", "br"}


class Elements(HTMLParser):
    """Collects start tags, and checks that every element is closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @staticmethod
    def of(page: str) -> Elements:
        """Read a whole page."""
        elements = Elements()
        elements.feed(page)
        elements.close()
        assert not elements._open
        return elements


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The page of a plan with one of everything."""
    return review_html.render(tour_review(tmp_path), context())


def hostile_page() -> str:
    """Return the page of a plan whose every text tries to break out."""
    body = {HOSTILE: HOSTILE, "tags": {HOSTILE: [HOSTILE]}, "long": HOSTILE * 40}
    entry = change("aws_route53_failover.x", ["update"], body, before={"long": HOSTILE})
    entry |= {"address": HOSTILE_ADDRESS, "type": HOSTILE, "module_address": HOSTILE}
    entry["change"]["importing"] = {"id": HOSTILE}
    return review_html.render(review_of(plan_data(entry), plan_name=HOSTILE), context())


def test_the_policy_allows_this_style_and_script_and_nothing_else(page: str) -> None:
    """By the hashes that a browser computes of the text between the tags."""
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert (style, script) == ([STYLE], [SCRIPT])
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (STYLE, SCRIPT)
    ]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1] == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )


def test_the_policy_stands_before_what_it_governs(page: str) -> None:
    """A policy in the page holds from where it stands."""
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_the_script_makes_no_html_and_asks_nobody() -> None:
    """Nothing in it turns text into elements or code, or reaches a network."""
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(",
                 "fetch", "XMLHttp", "WebSocket", "import(", "createElement", "localStorage",
                 "</script", "<!--"):  # fmt: skip
        assert word not in SCRIPT


@pytest.mark.parametrize("made", ["tour", "hostile"])
def test_nothing_is_loaded_and_no_text_becomes_an_element(made: str, page: str) -> None:
    """Every element is one of ours, closed where it was opened; no handler, no inline style."""
    elements = Elements.of(page if made == "tour" else hostile_page())
    ours = {
        "html", "head", "meta", "title", "style", "body", "script", "a", "header", "main", "footer",
        "section", "search", "article", "div", "p", "span", "b", "h1", "h2", "h3", "h4", "dl", "dt",
        "dd", "ul", "li", "code", "pre", "del", "ins", "mark", "strong", "details", "summary",
        "form", "label", "input", "select", "option", "fieldset", "legend", "button", "output",
        "svg", "rect", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert {tag for tag, _ in elements.tags} <= ours
    names = {name for _, attributes in elements.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src")]
    links = {a["href"] or "" for tag, a in elements.tags if tag == "a"}
    assert all(link.startswith("#") for link in links)


def test_what_the_script_reads_is_written_by_us() -> None:
    """Classes, ids and ``data-`` attributes hold our words and numbers, whatever the plan says."""
    for tag, attributes in Elements.of(hostile_page()).tags:
        for name, value in attributes.items():
            if name in ("id", "class", "for") or name.startswith("data-"):
                assert re.fullmatch(r"[A-Za-z0-9 ,_-]*", value or ""), (tag, name)


def test_ids_are_unique_and_links_lead_somewhere(page: str) -> None:
    """Within the page."""
    elements = Elements.of(page)
    ids = [str(attributes["id"]) for _, attributes in elements.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [attributes.get("aria-labelledby") for _, attributes in elements.tags]
    targets = {str(name) for name in named if name}
    targets |= {str(a["href"])[1:] for tag, a in elements.tags if tag == "a"}
    assert targets <= set(ids)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), READABLE)
def test_contrast(colours: dict[str, str], text: str, ground: str) -> None:
    """Every text is readable on its ground."""
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_controls_are_seen(colours: dict[str, str]) -> None:
    """The edge of a button or field stands out from the page (WCAG 2.2, 1.4.11)."""
    assert contrast(colours["edge"], colours["page"]) >= 3
    assert contrast(colours["link"], colours["page"]) >= 3


def test_rule_pages_are_in_the_page(page: str) -> None:
    """Each rule that found something, once, with its expression; findings lead there."""
    for rule, expression in (
        ("T-1", "require: after.tags.Team =="),
        ("T-3", "deny: counts.delete"),
    ):
        assert page.count(f"<code>{rule}</code> Rule {rule}</h3>") == 1
        assert expression in page.replace("&#x27;", "'").replace("&gt;", ">")
    assert '<a href="#r0"><code>T-1</code></a>' in page


def test_very_long_values_are_cut_and_say_so() -> None:
    """A plan of megabytes in one string makes no page of megabytes."""
    entry = change("aws_thing.a", ["create"], {"blob": "x" * 300_000})
    made = review_html.render(review_of(plan_data(entry)), context())
    assert len(made) < 120_000
    assert "cut: 300,002 characters in the plan" in made
