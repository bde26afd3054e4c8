"""Cells in columns."""

from __future__ import annotations

import pytest

from tfgate.report.layout import in_columns


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_where_text_does() -> None:
    """The last column needs no padding, and no more do empty cells at the end."""
    rows = [("rule", "level", ""), ("A-1", "advisory", "x"), ("A-22222", "", "")]
    assert in_columns(rows) == ["rule     level", "A-1      advisory  x", "A-22222"]


def test_no_rows_are_no_lines() -> None:
    """There is nothing to measure."""
    assert in_columns([]) == []


def test_rows_of_unequal_length_are_a_mistake() -> None:
    """A cell too many would be lost without a word."""
    with pytest.raises(ValueError, match="argument 2 is"):
        in_columns([("a",), ("b", "c")])


def test_a_long_cell_is_cut_and_widens_no_other_row() -> None:
    """Of a thousand rows, one cell of ten million characters would make ten thousand million."""
    first, second = in_columns([("x" * 10_000_000, "a"), ("y", "b")])
    assert first == f"{'x' * 2_000}…  a"
    assert second == f"y{' ' * 201}b"
