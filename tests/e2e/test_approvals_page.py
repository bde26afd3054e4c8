"""The pages of approvals in Chromium: wide and narrow, empty and full, with hostile text."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dbos", reason="This test needs tfgate[server].")
pytest.importorskip("authlib", reason="This test needs tfgate[server].")

from tests.support.approval_site import ApprovalSite, plan_with
from tests.support.browser import Browser, Page, chromium
from tests.support.judging import RULES
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTHS = (1280, 390)
HOSTILE = (
    '"><script>document.title="ran"</script><img src=x onerror=document.title="ran"> \u202eevil '
    + "W" * 400
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApprovalSite]:
    """Yield a running server."""
    site = ApprovalSite(tmp_path_factory.mktemp("site"))
    (site.folder / "rules.toml").write_text(RULES.format(level="soft-mandatory", approvals=1))
    try:
        yield site.start()
    finally:
        site.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Yield a browser."""
    with chromium(require_part("chromium"), tmp_path_factory.mktemp("profile")) as running:
        yield running


def wait_until(page: Page, expression: str, seconds: float = 20.0) -> None:
    """Wait until something is true in a page, over whatever pages come in between."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if page.run(expression):
                return
        except AssertionError:  # the page went away meanwhile
            pass
        time.sleep(0.1)
    raise AssertionError(f"{expression} does not come: {page.run('document.body.innerText')[:500]}")


def log_in(site: ApprovalSite, browser: Browser, width: int, who: str = "sub-dora") -> Page:
    """Open the list in a browser that knows nobody, and log in at the provider's own form."""
    page = browser.page("about:blank", width=width)
    page.call("Network.clearBrowserCookies")
    page.call("Security.setIgnoreCertificateErrors", ignore=True)
    page.call("Page.navigate", url=f"{site.url}/approvals")
    wait_until(page, "!!document.querySelector('[name=login]')")
    page.run(f"document.querySelector('[name=login]').value = '{who}'")
    page.run("document.querySelector('[name=password]').value = 'x'")
    page.run("document.querySelector('[name=login]').form.requestSubmit()")
    wait_until(page, "location.pathname == '/approvals' && !!document.querySelector('main')")
    return page


def open_at(site: ApprovalSite, page: Page, path: str) -> None:
    """Open a page of the server in a tab that is logged in."""
    page._browser.events.clear()
    page.call("Page.navigate", url=f"{site.url}{path}")
    wait_until(page, f"location.pathname == '{path}' && document.readyState == 'complete'")


def check_layout(site: ApprovalSite, page: Page) -> None:
    """Nothing is wider than the window, is loaded from elsewhere, or is complained of."""
    too_wide = page.run(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > "
        "innerWidth + 1).map(e => e.className || e.tagName)"
    )
    assert too_wide == []
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints() == []
    assert all(url.startswith((site.url, "about:", "data:")) for url in page.requests())
    assert page.run("document.title") != "ran"
    small = page.run(
        "[...document.querySelectorAll('button, textarea')].filter(e => e.offsetHeight && "
        "e.offsetHeight < 32).length"
    )
    assert small == 0


def ask(site: ApprovalSite, name: str, value: str, **env: str) -> str:
    """Have a job ask, and return the request's id."""
    (site.folder / f"{name}.json").write_text(plan_with(value))
    done = site.run("check", f"{name}.json", f"--approval-request={site.url}", **env)
    found = re.search(r"/approvals/([0-9a-f]{32}) ", done.stderr)
    assert found is not None, done.stderr
    return found[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_waits(site: ApprovalSite, browser: Browser, width: int) -> None:
    """Somebody with nothing to do reads that."""
    page = log_in(site, browser, width, "sub-mallory")
    open_at(site, page, "/approvals")
    check_layout(site, page)
    assert "Nothing waits for you" in page.run("document.body.innerText")
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_approved_in_a_real_browser(site: ApprovalSite, browser: Browser, width: int) -> None:
    """Reason, button, the provider, and back to the page that says approved, without a script."""
    key = ask(site, f"click-{width}", f"far-too-long-{width}", GITHUB_REF=f"click-{width}")
    page = log_in(site, browser, width)
    open_at(site, page, f"/approvals/{key}")
    check_layout(site, page)
    assert page.run("getComputedStyle(document.querySelector('.review')).display != 'none'") is (
        width > 1024
    )
    page.run("document.querySelector('#reason').focus()")
    page.write("planned move, CHG-1234")
    page.run("document.querySelector('.approve').click()")
    wait_until(page, "document.body.innerText.includes('approved by dora@acme.example')")
    assert page.run("location.href") == f"{site.url}/approvals/{key}"
    assert "planned move, CHG-1234" in page.run("document.body.innerText")
    open_at(site, page, f"/approvals/{key}")
    check_layout(site, page)
    page.close()


def test_the_review_stands_beside_it_and_does_nothing(site: ApprovalSite, browser: Browser) -> None:
    """The frame has the review; what a job puts into it neither runs nor reaches the page."""
    key = ask(site, "framed", "far-too-long-framed", GITHUB_REF="framed")
    site.run("check", "framed.json", "--approval-request=framed.request.json")
    body: dict[str, Any] = {"request": json.loads(
        (site.folder / "framed.request.json").read_text()
    )}  # fmt: skip
    body["request"]["workspace"]["name"] = "prod-evil"
    body["review"] = (
        "<!doctype html><title>r</title><h1>evil</h1><script>parent.document.title='ran'</script>"
        f"<img src='{site.url}/healthz?img'><form action='{site.url}/approvals/{key}' method=post>"
        "<button id=b>x</button></form><style>@import url('/healthz?css');</style>"
        f"<meta http-equiv=refresh content='0; url={site.url}/healthz?meta'>"
        f"<a href='{site.url}/healthz?top' target=_top>top</a>"
    )
    evil = site.post("", body).json()["id"]
    page = log_in(site, browser, 1280)
    open_at(site, page, f"/approvals/{evil}")
    time.sleep(1.0)
    assert page.run("document.title") != "ran"
    assert page.run("document.querySelector('iframe').contentDocument") is None
    asked = [url for url in page.requests() if "?img" in url or "?css" in url]
    assert asked == []
    assert page.run("location.pathname") == f"/approvals/{evil}"
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text(site: ApprovalSite, browser: Browser, width: int) -> None:
    """Names, findings and claims with markup and endless words are text, and fit."""
    key = ask(
        site, f"hostile-{width}", HOSTILE, TFGATE_OPERATOR=HOSTILE[:200], GITHUB_REF=f"h-{width}"
    )
    page = log_in(site, browser, width)
    for path in (f"/approvals/{key}", "/approvals"):
        open_at(site, page, path)
        check_layout(site, page)
        assert page.run("document.querySelectorAll('main script, main img').length") == 0
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hundred_wait(site: ApprovalSite, browser: Browser, width: int) -> None:
    """All of them are on the list, the first to end at its head, and the list is soon there."""
    (site.folder / "many.json").write_text(plan_with(f"far-too-long-many-{width}"))
    site.run("check", "many.json", "--approval-request=many.request.json")
    request = json.loads((site.folder / "many.request.json").read_text())
    for number in range(100):
        request["workspace"]["name"] = f"prod-{number:03}"
        answer = site.post("", {"request": request, "change": str(number)})
        assert answer.status_code == 200, answer.text
    page = log_in(site, browser, width)
    began = time.monotonic()
    open_at(site, page, "/approvals")
    assert time.monotonic() - began < 5
    check_layout(site, page)
    listed = page.run("[...document.querySelectorAll('.title')].map(e => e.innerText)")
    assert {f"prod-{number:03}" for number in range(100)} <= set(listed)
    page.close()


@pytest.mark.parametrize("dark", [False, True])
def test_texts_can_be_read(site: ApprovalSite, browser: Browser, dark: bool) -> None:
    """Text and its ground differ by 4.5 to 1 at least (WCAG 2.2, 1.4.3), in the dark as well."""
    key = ask(site, f"dark-{dark}", f"far-too-long-{dark}", GITHUB_REF=f"dark-{dark}")
    page = log_in(site, browser, 1280)
    page.emulate(width=1280, dark=dark)
    open_at(site, page, f"/approvals/{key}")
    found = page.run("""(() => {
      const rgb = text => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 :
        ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e)
        .backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll('body *')].filter(e => e.innerText && [...e.childNodes]
        .some(n => n.nodeType == 3 && n.data.trim())).map(e => {
          const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
          return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.innerText.slice(0, 40)]; })
        .filter(([ratio]) => ratio < 4.5); })()""")
    assert found == []
    page.close()
