"""Short fuzzing: every kept input, and some broken copies; ``scripts/fuzz`` does it for hours."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fuzzing.corpus import bytes_of, inputs_of
from tests.support.fuzzing.limits import bounded
from tests.support.fuzzing.mutate import mutate
from tests.support.fuzzing.targets import TARGETS, run_target

if TYPE_CHECKING:
    from pathlib import Path

MORE = float(os.environ.get("TFGATE_HYPOTHESIS_EXAMPLES", "100")) / 100


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs(name: str, tmp_path: Path) -> None:
    """Seeds, and what once broke the promise: a decision or a clear refusal, in bounds."""
    for path in inputs_of(name):
        with bounded():
            run_target(name, path.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", TARGETS)
def test_broken_copies(name: str, tmp_path: Path) -> None:
    """Whatever the bytes: a decision or a clear refusal, in bounds, and never an allow."""
    corpus = bytes_of(name)

    @settings(
        max_examples=int(TARGETS[name].examples * MORE),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.sampled_from(corpus), seed=st.integers(0, 2**64))
    def broken_copies(data: bytes, seed: int) -> None:
        with bounded():
            run_target(name, mutate(data, corpus, random.Random(seed)), tmp_path)

    broken_copies()


def test_every_target_has_seeds() -> None:
    """A target without a good input never gets behind its parser."""
    assert [name for name in TARGETS if not inputs_of(name)] == []
