"""The review of a plan with one of everything, as files that a reviewer can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.decisions import context
from tests.support.review_plans import tour_review
from tfgate.review import html as review_html
from tfgate.review import text as review_text

if TYPE_CHECKING:
    from pytest_snapshot.plugin import Snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots" / "review"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("full", [False, True], ids=["folded", "full"])
def test_text_is_as_reviewed(snapshot: Snapshot, tmp_path: Path, width: int, full: bool) -> None:
    """The look on a terminal has not changed without somebody looking at it."""
    snapshot.snapshot_dir = SNAPSHOTS
    text = review_text.render(tour_review(tmp_path), context(width=width), full=full)
    name = f"tour-{width}{'-full' if full else ''}.txt"
    snapshot.assert_match(text.encode("utf-8"), name)


def test_coloured_ascii_is_as_reviewed(snapshot: Snapshot, tmp_path: Path) -> None:
    """On a terminal with colours and nothing beyond ASCII."""
    snapshot.snapshot_dir = SNAPSHOTS
    text = review_text.render(tour_review(tmp_path), context(width=80, color=True, unicode=False))
    assert text.isascii()
    snapshot.assert_match(text.encode("utf-8"), "tour-colour-ascii.txt")


def test_page_is_as_reviewed(snapshot: Snapshot, tmp_path: Path) -> None:
    """The page's own elements, without its style sheet and script."""
    snapshot.snapshot_dir = SNAPSHOTS
    page = review_html.render(tour_review(tmp_path), context())
    body = page[page.index("<body>") : page.index("<script>")]
    snapshot.assert_match(body.encode("utf-8"), "tour.html")
