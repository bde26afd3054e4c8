"""Every report format by every kind of decision, as files that a reviewer can read.

After a wanted change: ``pytest tests/golden --snapshot-update``, and look at the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.decisions import CASES, context
from tfgate.report import FORMATS, render

if TYPE_CHECKING:
    from pytest_snapshot.plugin import Snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_report_is_as_reviewed(snapshot: Snapshot, name: str, case: str) -> None:
    """The report has not changed without somebody looking at it."""
    snapshot.snapshot_dir = SNAPSHOTS / name
    text = render(name, CASES[case], context())
    snapshot.assert_match(text.encode("utf-8"), f"{case}{FORMATS[name].suffix}")


@pytest.mark.parametrize("case", ["deny-hard-and-soft", "deny-chains", "allow-waived"])
def test_wide_and_coloured_text_is_as_reviewed(snapshot: Snapshot, case: str) -> None:
    """The look on a terminal of 120 columns."""
    snapshot.snapshot_dir = SNAPSHOTS / "text"
    text = render("text", CASES[case], context(width=120, color=True))
    snapshot.assert_match(text.encode("utf-8"), f"{case}.wide.ansi")
