"""Independently labelled examples: the rules say what the labels say, or it is explained."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LABELLED = ROOT.parent / "shared" / "labelled"

pytestmark = pytest.mark.skipif(
    not (LABELLED / "index.json").exists(), reason="the labelled examples are not beside us"
)


@pytest.fixture(scope="module")
def agreement() -> Any:
    """Return scripts/agreement.py as a module."""
    spec = importlib.util.spec_from_file_location("agreement", ROOT / "scripts" / "agreement.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def verdicts(agreement: Any) -> Any:
    """Return the verdict on every label that a rule is mapped to."""
    mapping = agreement.read_mapping(agreement.MAPPING)
    entries = agreement._entries(LABELLED)
    return list(agreement.compare(LABELLED, entries, mapping))


def test_most_labels_match(verdicts: Any) -> None:
    """At least 97 of 100 labels of the mapped checks are what the rules say."""
    kinds = Counter(one.kind for one in verdicts)
    assert kinds["matched"] / len(verdicts) >= 0.97, kinds


def test_many_checks_are_mapped(verdicts: Any) -> None:
    """The share above is of many checks, and not of a few that fit."""
    assert len({one.check for one in verdicts}) >= 150


def test_every_disagreement_is_judged(agreement: Any, verdicts: Any) -> None:
    """Who is right is said where rule and label differ, and nowhere else."""
    mapping = agreement.read_mapping(agreement.MAPPING)
    differ = [one for one in verdicts if one.kind != "matched"]
    assert [one for one in differ if mapping.judge(one) is None] == []
    used = {mapping.judge(one) for one in differ}
    assert [one for one in mapping.judgements if one not in used] == []
