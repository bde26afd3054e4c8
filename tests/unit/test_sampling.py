"""Samples of combinations leave nothing out by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.support.sampling import sample

if TYPE_CHECKING:
    import pytest


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 50))
def test_every_case_is_taken_in_some_row(one_in: int, cases: int, first: int) -> None:
    """A table with as many rows as the sample leaves out columns has each column somewhere."""
    every = list(range(cases))
    taken = [sample(every, one_in, place=first + row) for row in range(one_in)]
    assert sorted({case for row in taken for case in row}) == every
    assert all(taken)


def test_whole_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/test --whole` asks for every combination."""
    monkeypatch.setenv("TFGATE_TEST_WHOLE", "1")
    assert sample("abc", 3) == ["a", "b", "c"]
