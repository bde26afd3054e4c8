"""The page on reviews shows what a review looks like."""

from __future__ import annotations

import re
from pathlib import Path

from tfgate.model.action import Action
from tfgate.review.command import review
from tfgate.review.words import SYMBOLS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


def test_the_example_is_a_real_one() -> None:
    """It stands, as it is, in the review that the golden tests keep."""
    (example,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    kept = ROOT / "tests" / "golden" / "snapshots" / "review" / "tour-80.txt"
    assert example in kept.read_text(encoding="utf-8")


def test_every_option_and_mark_is_described() -> None:
    """Of those that ``review`` has beside the ones of every judging command."""
    for option in ("--action", "--address", "--type", "--module", "--findings-only", "--full",
                   "--html", "--open"):  # fmt: skip
        assert f"`{option}" in PAGE
        assert any(option in parameter.opts for parameter in review.params)
    for symbol in (*SYMBOLS.values(), "+/-"):
        assert f"| `{symbol}` |" in PAGE
    for action in Action:
        assert f"`{action}`" in PAGE or f"--action {action}" in PAGE
