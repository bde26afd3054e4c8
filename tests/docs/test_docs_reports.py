"""The page on reports shows what the reports are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tfgate.report import FORMATS

ROOT = Path(__file__).resolve().parents[2]


def test_examples_and_tables_are_current() -> None:
    """Every example is the output of the format, every table comes from registry and schema."""
    script = ROOT / "scripts" / "generate_report_docs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_format_has_a_section() -> None:
    """A new format is not finished before it is described."""
    page = (ROOT / "docs" / "reference" / "reports.md").read_text("utf-8")
    headings = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    assert headings >= set(FORMATS)
