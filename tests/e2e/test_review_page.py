"""The review's page in a real browser: it works, holds its width, and runs nothing of a plan."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Browser, Page, chromium
from tests.support.decisions import HOSTILE, HOSTILE_ADDRESS, context
from tests.support.parts import require_part
from tests.support.plans import change, plan_data, rule, ruleset
from tests.support.review_plans import review_of, tour_review
from tfgate.review import html as review_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tfgate.review.model import Review

    Open = Callable[..., Page]

SHOWN = "[...document.querySelectorAll('.change')].filter(c => c.checkVisibility()).map(c => c.id)"
ALL = 13
"""Entries of the tour: ten changes, two outputs, one drifted resource."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this file, with a profile of its own."""
    program = require_part("chromium")
    with chromium(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a review; afterwards the console must have been silent."""
    pages: list[Page] = []

    def open_page(review: Review, fragment: str = "", **emulation: Any) -> Page:
        file = tmp_path / "review.html"
        file.write_text(review_html.render(review, context()), encoding="utf-8")
        page = browser.page(f"{file.as_uri()}{fragment}", **emulation)
        pages.append(page)
        assert page.complaints() == []
        assert page.requests() == [f"{file.as_uri()}"]
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def tour(tmp_path: Path) -> Review:
    """The review of a plan with one of everything."""
    return tour_review(tmp_path)


def hostile(folder: Path) -> Review:
    """The review of a plan whose names and values try to break out of a page."""
    tries = [
        HOSTILE, "<script>window.pwned = 1</script>", "</script><script>window.pwned = 1</script>",
        "javascript:window.pwned=1", "\"' onmouseover='window.pwned=1' x=\"", "</code></li></ul>",
        "&lt;script&gt;", "\u202egnp.exe", "\x1b[2J", "x" * 10_240, "<!--", "{{7*7}}", "A" * 200,
        "<style>*{display:none}</style>", "<base href=https://evil.example>",
    ]  # fmt: skip
    body: dict[str, Any] = {text: text for text in tries}
    body |= {"nested": {text: [text] for text in tries}, "lines": "\n".join(tries)}
    entries = []
    for number, text in enumerate(tries):
        entry = change("aws_thing.x", ["update"], body, before={"lines": "a\nb"})
        entry |= {"address": f"{text}[{number}]", "type": text, "module_address": text}
        entries.append(entry)
    entries.append(change("aws_thing.x", ["create"], body) | {"address": HOSTILE_ADDRESS})
    rules = ruleset(folder, rule(deny="`true`", message="{address} {after.lines} {after.nested}"))
    return review_of(plan_data(*entries), [rules], plan_name=HOSTILE)


def large(number: int) -> Review:
    """The review of a plan with so many changes."""
    entries = [
        change(
            f'module.m["{i % 20}"].aws_s3_bucket.b{i}', ["update"],
            {**{f"attribute_{k}": f"value {k}" for k in range(15)}, "bucket": f"new-{i}",
             "tags": {"Name": f"n{i}", "Team": "b"}},
            before={f"attribute_{k}": f"value of {k}" for k in range(15)},
        )
        for i in range(number)
    ]  # fmt: skip
    return review_of(plan_data(*entries))


def choose(page: Page, name: str, value: str) -> None:
    """Choose an option of a filter, or set a box with a value."""
    page.run(
        f"""(() => {{
          const form = document.querySelector('#filters');
          const field = form.querySelector(`select[name={name}]`)
            || form.querySelector(`input[name={name}][value="{value}"]`);
          if (field.tagName === 'SELECT') field.value = '{value}'; else field.checked = true;
          field.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})()"""
    )


def said(page: Page) -> Any:
    """Return what the page says about how much it shows."""
    return page.run("document.querySelector('#said').value")


def test_filters_show_what_fits(show: Open, tour: Review) -> None:
    """Alone and together; what is left is counted, and modules without a change go."""
    page = show(tour)
    assert (said(page), len(page.run(SHOWN))) == (f"All {ALL} entries", ALL)
    choose(page, "action", "delete")
    assert said(page) == f"2 of {ALL} entries"
    choose(page, "action", "update")
    assert said(page) == f"5 of {ALL} entries"
    choose(page, "found", "1")
    assert page.run(SHOWN) == ["c6"]
    assert page.run("[...document.querySelectorAll('main > section.list')].filter("
                    "s => s.checkVisibility()).length") == 1  # fmt: skip
    page.run("document.querySelector('button[type=reset]').click()")
    page.run("new Promise((done) => setTimeout(done, 20))")
    assert said(page) == f"All {ALL} entries"
    choose(page, "module", "1")
    assert page.run(SHOWN) == ["c8", "c9"]


def test_severity_filter(show: Open, tour: Review) -> None:
    """The worst finding of a change counts."""
    page = show(tour)
    choose(page, "severity", "4")
    assert page.run(SHOWN) == ["c2", "c6"]
    choose(page, "severity", "5")
    assert page.run(SHOWN) == []
    assert page.run("document.querySelector('#none').checkVisibility()")
    page.run("document.querySelector('#again').click()")
    page.run("new Promise((done) => setTimeout(done, 20))")
    assert said(page) == f"All {ALL} entries"


def test_search_finds_addresses_values_and_rules(show: Open, tour: Review) -> None:
    """Every word must be there; typed with the keyboard."""
    page = show(tour)
    page.run("document.querySelector('input[type=search]').focus()")
    for text, found in (("caddy", ["c2"]), ("T-2", ["c6"]), ("subnet CIDR", ["c8"])):
        page.run("document.querySelector('input[type=search]').value = ''")
        page.write(text)
        page.run("new Promise((done) => setTimeout(done, 250))")
        assert page.run(SHOWN) == found, text


def test_diffs_fold_and_open(show: Open, tour: Review) -> None:
    """All at once, and one by one with the keyboard."""
    page = show(tour)
    opened = "document.querySelectorAll('.change > details[open]').length"
    page.run("document.querySelector('[data-fold=close]').click()")
    assert page.run(opened) == 0
    page.run("document.querySelector('#c2 > details > summary').focus()")
    page.press("Enter", 13, "\r")
    assert page.run(opened) == 1
    page.run("document.querySelector('[data-fold=open]').click()")
    assert page.run(opened) == page.run("document.querySelectorAll('.change > details').length")


def test_a_link_leads_to_a_change(show: Open, tour: Review) -> None:
    """Even where it is folded, or filtered out."""
    page = show(tour, "#c1")
    assert page.run("document.querySelector('#c1 > details').open")
    choose(page, "action", "create")
    assert "c2" not in page.run(SHOWN)
    page.run("document.querySelector('.index a[href=\"#c2\"]').click()")
    page.run("new Promise((done) => setTimeout(done, 300))")
    assert "c2" in page.run(SHOWN)


@pytest.mark.parametrize("width", [360, 800, 1280])
@pytest.mark.parametrize("made", ["tour", "hostile"])
def test_nothing_overflows(show: Open, tour: Review, tmp_path: Path, width: int, made: str) -> None:
    """Neither the page nor anything in it is wider than the window, folded or open."""
    page = show(tour if made == "tour" else hostile(tmp_path), width=width)
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wide = """[...document.querySelectorAll('body *')]
      .filter((e) => !e.closest('.scroll') && !e.closest('.skip') && e.checkVisibility())
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
      .map((e) => e.className + ' ' + e.textContent.slice(0, 60))"""
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run(wide) == []


def test_hostile_text_stays_text(show: Open, tmp_path: Path) -> None:
    """No element, link, handler or script comes of it, and nothing of it runs."""
    page = show(hostile(tmp_path))
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.run("[...document.querySelectorAll('.change *')].forEach((e) => "
             "e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))")  # fmt: skip
    assert page.run("typeof window.pwned") == "undefined"
    tags = "['script', 'style', 'img', 'base', 'iframe', 'object']"
    counted = f"{tags}.map((tag) => document.querySelectorAll(tag).length)"
    assert page.run(counted) == [1, 1, 0, 0, 0, 0]
    assert page.run("[...document.links].every((a) => a.getAttribute('href')[0] === '#')")
    text = page.run("document.body.textContent")
    assert "<script>window.pwned = 1</script>" in text
    assert r"\u202egnp.exe" in text
    assert not [c for c in text if c != "\n" and not c.isprintable()]
    assert page.complaints() == []


def test_the_policy_holds(show: Open, tour: Review) -> None:
    """Markup made of text, handlers and requests are refused by the browser itself."""
    page = show(tour)
    with pytest.raises(AssertionError, match="TrustedHTML"):
        page.run("document.body.innerHTML = '<b>x</b>'")
    refused = "fetch('https://tfgate.example/').then(() => 'sent', () => 'refused')"
    assert page.run(refused) == "refused"
    assert any("connect-src" in text or "default-src" in text for text in page.complaints())


CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const lum = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.tagName === 'SCRIPT') continue;
    const pair = [lum(rgb(getComputedStyle(e).color)), lum(ground(e))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    seen += 1;
    if (ratio < 4.5) poor.push([ratio, e.tagName, e.className, walk.currentNode.data.slice(0, 40)]);
  }
  return [seen > 100, poor];
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_of_every_text(show: Open, tour: Review, dark: bool) -> None:
    """As the browser paints it, whatever ground it stands on: at least 4.5."""
    page = show(tour, dark=dark)
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.run(CONTRAST) == [True, []]


def test_light_and_dark(show: Open, tour: Review) -> None:
    """As the system has it, until the button says otherwise."""
    page = show(tour, dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.run(ground)
    page.run("document.querySelector('#theme').click()")
    light = page.run(ground)
    assert (dark, light) == ("rgb(17, 21, 27)", "rgb(255, 255, 255)")
    page.run("document.querySelector('#theme').click()")
    page.emulate(dark=False)
    assert page.run(ground) == dark


def test_landmarks_names_and_headings(show: Open, tour: Review) -> None:
    """What an assistive technology is told: regions, one order of headings, named controls."""
    page = show(tour)
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and "role" in node
    ]
    roles = [role for role, _ in found]
    for landmark in ("banner", "main", "search", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    controls = ("button", "checkbox", "combobox", "searchbox", "link", "article", "region", "form")
    assert [(role, name) for role, name in found if role in controls and not name.strip()] == []
    headings = [name for role, name in found if role == "heading"]
    assert len(headings) == page.run("document.querySelectorAll('h1,h2,h3,h4').length")
    levels = page.run("[...document.querySelectorAll('h1,h2,h3,h4')].filter("
                      "h => h.checkVisibility()).map(h => +h.tagName[1])")  # fmt: skip
    assert levels.count(1) == 1
    steps = pairwise(levels)
    assert all(after <= before + 1 for before, after in steps)
    assert page.run("document.documentElement.lang") == "en"
    assert page.run("document.querySelector('#said').getAttribute('aria-live')") == "polite"


def test_keyboard(show: Open, tour: Review) -> None:
    """The first stop skips to the changes; every stop is seen."""
    page = show(tour)
    page.press("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    for _ in range(12):
        page.press("Tab", 9)
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.run(outline) != "none"


def test_without_scripts_everything_is_there(show: Open, tour: Review) -> None:
    """All changes, no filters that would do nothing, and folds that open by themselves."""
    page = show(tour, script=False)
    assert len(page.run(SHOWN)) == ALL
    assert not page.run("document.querySelector('.filters').checkVisibility()")
    assert not page.run("document.querySelector('#theme').checkVisibility()")
    page.run("document.querySelector('#c1 > details > summary').focus()")
    page.press("Enter", 13, "\r")
    assert page.run("document.querySelector('#c1 > details').open")


def test_print_shows_what_is_folded(show: Open, tour: Review) -> None:
    """On paper there is nothing to click; afterwards the page is as it was."""
    page = show(tour)
    closed = "[...document.querySelectorAll('details')].filter((d) => !d.open).length"
    before = page.run(closed)
    page.run("addEventListener('beforeprint', () => setTimeout(0));"
             f"addEventListener('beforeprint', () => {{ window.closed = {closed}; }})")  # fmt: skip
    assert page.pdf().startswith(b"%PDF")
    assert page.run("window.closed") == 0
    assert page.run(closed) == before > 0
    page.emulate(media="print")
    assert not page.run("document.querySelector('.filters').checkVisibility()")


def test_two_thousand_changes_do_not_stall(show: Open) -> None:
    """Made, opened and searched in a time that nobody minds, on a slow machine too."""
    review = large(2_000)
    start = time.monotonic()
    page = show(review)
    opened = time.monotonic() - start
    spent = page.run(
        """(async () => {
          const form = document.querySelector('#filters'), start = performance.now();
          form.elements.words.value = 'new-1999';
          form.dispatchEvent(new Event('change'));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return performance.now() - start;
        })()"""
    )
    assert said(page) == "1 of 2,000 entries"
    assert opened < 20
    assert spent < 3_000
