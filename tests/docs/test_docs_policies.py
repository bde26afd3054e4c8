"""Pages whose rules are complete: they load, their examples hold, no change of them survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.doc_rules import ruleset_of_page
from tfgate.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("idioms.md", "cross-resource.md")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("command", ["test", "lint", "mutate"])
def test_rules_of_a_page(page: str, command: str, tmp_path: Path) -> None:
    """What a reader copies from the page works, and is proven by its examples."""
    folder = ruleset_of_page(DOCS / page, tmp_path / "rules")
    assert main(["rules", command, str(folder)]) == 0
