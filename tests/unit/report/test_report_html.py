"""The HTML report: nothing runs, nothing is loaded, everything is there."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.support.decisions import CASES, context
from tfgate.report import render


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    """Its hash is that of the text between the tags, as a browser computes it."""
    page = render("html", CASES["deny-soft"], context())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'\"" in page
    )


@pytest.mark.parametrize("name", CASES)
def test_a_page_loads_and_runs_nothing(name: str) -> None:
    """Not even an image, whatever the plan contains."""
    page = render("html", CASES[name], context())
    assert "<script" not in page
    assert "<img" not in page
    assert "url(" not in page
    assert "<link" not in page


@pytest.mark.parametrize("name", CASES)
def test_a_page_names_every_finding(name: str) -> None:
    """In one landmark, under one heading of the first level."""
    page = render("html", CASES[name], context())
    assert page.count("<h1>") == page.count("<main>") == page.count("</main>") == 1
    assert page.count('<span class="address">') == len(CASES[name].outcomes)


def test_only_a_plain_https_reference_is_a_link() -> None:
    """``javascript:`` stays out, and text is never a link."""
    links = re.findall(r'href="([^"]*)"', render("html", CASES["deny-hostile"], context()))
    assert links == []
    links = re.findall(r'href="([^"]*)"', render("html", CASES["deny-soft"], context()))
    assert links == ["https://docs.acme.example/ec2-types"]
