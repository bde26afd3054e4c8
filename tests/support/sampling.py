"""Combinations that say the same many times: CI runs a sample, `scripts/test --whole` all of them.

A sample is the same in every run, and leaves nothing out by itself: each command still meets some
texts, and each text some commands.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def is_whole() -> bool:
    """Whether every combination runs."""
    return bool(os.environ.get("TFGATE_TEST_WHOLE"))


def sample(cases: Sequence[T], one_in: int, place: int = 0) -> list[T]:
    """Take every ``one_in``-th case, at least one, starting with number ``place``.

    With another ``place`` for each row of a table, every column is taken in some row as soon as
    there are ``one_in`` rows.
    """
    if is_whole() or one_in <= 1:
        return list(cases)
    return list(cases[place % min(one_in, max(len(cases), 1)) :: one_in])
