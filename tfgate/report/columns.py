"""Rows of cells as lines of text, each column as wide as its widest cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


WIDEST: Final = 200
"""Characters that a column is widened to: one long cell does not blow up every row."""
LONGEST: Final = 2_000
"""Characters of a cell that are shown; whoever wants the whole asks for JSON."""


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Give a line for each row; all rows have as many cells, which are neutral already."""
    shown = [[_cut(cell) for cell in row] for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*shown, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


def _cut(cell: str) -> str:
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…"
