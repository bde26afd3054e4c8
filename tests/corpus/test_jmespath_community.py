"""What JMESPath's community has added, by its own suite, where a copy lies beside the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.compliance import cases, check
from tfgate.query import search
from tfgate.query.parsing import parse
from tfgate.query.unparse import unparse

SUITE = Path(__file__).parents[3] / "shared" / "corpus" / "jmespath-community"
CASES = list(cases(SUITE))

absent = pytest.mark.skipif(not CASES, reason="no copy of the community's suite at ../shared")


@absent
@pytest.mark.parametrize(("document", "case"), CASES)
def test_every_case_of_the_community_suite_passes(document: Any, case: dict[str, Any]) -> None:
    """Results are equal, and errors are of the kind that the suite names."""
    check(document, case)


@absent
@pytest.mark.parametrize(("document", "case"), [c for c in CASES if "result" in c.values[1]])
def test_every_case_written_out_gives_the_same(document: Any, case: dict[str, Any]) -> None:
    """What `unparse` writes is the same expression."""
    assert search(unparse(parse(case["expression"])), document) == case["result"]
