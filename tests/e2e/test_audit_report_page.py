"""The audit report in a real browser: it holds its width, prints whole, and runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit_gate import AuditGate, hostile
from tests.support.browser import Browser, Page, chromium
from tests.support.decisions import HOSTILE
from tests.support.parts import require_part
from tfgate.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTRAST = """
(() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length && color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('p, td, th, h1, h2, h3, a, span, b, li, pre')]
    .filter(e => e.textContent.trim() && e.checkVisibility())
    .map(e => {
      const both = [light(parse(getComputedStyle(e).color)), light(back(e))];
      const [a, b] = both.sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }).reduce((least, ratio) => Math.min(least, ratio), 21);
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this file, with a profile of its own."""
    program = require_part("chromium")
    with chromium(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report of a gate that hostile people have used."""
    monkeypatch.chdir(tmp_path)
    gate = AuditGate(tmp_path)
    gate.live()
    tries = (HOSTILE[:150], "<script>window.pwned = 1</script>", "x" * 2_000, "\u202egnp.exe",
             "\"' onmouseover='window.pwned=1' x=\"", "</td></table><h1>", "A" * 200)  # fmt: skip
    for text in tries:
        gate.applied(gate.check(hostile(text), code=1, workspace="staging", operator=text))
    assert main(["audit", "report", "-o", "report.html"]) == 0
    return tmp_path / "report.html"


def opened(browser: Browser, path: Path, **emulation: Any) -> Page:
    """Open the page; its console is silent and it loads nothing else."""
    shown = browser.page(path.as_uri(), **emulation)
    assert shown.complaints() == []
    assert shown.requests() == [path.as_uri()]
    return shown


@pytest.mark.parametrize("emulation", [{}, {"dark": True}, {"width": 400}, {"media": "print"}])
def test_it_can_be_read_everywhere(browser: Browser, page: Path, emulation: dict[str, Any]) -> None:
    """Light, dark, narrow and on paper: nothing runs out of the page, and text has contrast."""
    shown = opened(browser, page, **emulation)
    width = emulation.get("width", 1280)
    assert shown.run("document.documentElement.scrollWidth") <= width
    assert shown.run(CONTRAST) >= 4.5
    assert shown.run("window.pwned") is None
    shown.close()


def test_figures_lead_to_records(browser: Browser, page: Path) -> None:
    """Every link inside the page has its target, and targets are shown."""
    shown = opened(browser, page)
    lost = shown.run(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".filter(a => !document.getElementById(a.getAttribute('href').slice(1))).length"
    )
    assert lost == 0
    assert shown.run("document.querySelectorAll('tr[id^=r]').length") == 13
    shown.close()


def test_paper_has_all_of_it(browser: Browser, page: Path) -> None:
    """A PDF of the page is made; nothing in it is folded away."""
    shown = opened(browser, page, media="print", width=800)
    assert shown.pdf().startswith(b"%PDF")
    hidden = shown.run(
        "[...document.querySelectorAll('section *')].filter(e => !e.checkVisibility()).length"
    )
    assert hidden == 0
    shown.close()
