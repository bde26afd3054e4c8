"""What the rules on sources share with others, and what real configurations make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plans import NOW
from tfgate.engine.context import Context
from tfgate.engine.evaluate import evaluate_sources
from tfgate.engine.functions import rule_functions
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.source_blocks import blocks
from tfgate.model.decision import Operator, Workspace
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import shipped_folder

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "hcl"


def test_both_sets_mean_the_same_types_by_stateful() -> None:
    """A ruleset has its data in its own folder; the two files must not drift apart."""
    texts = {
        (shipped_folder() / name / "data" / "stateful.toml").read_text(encoding="utf-8")
        for name in ("core", "source")
    }
    assert len(texts) == 1


def test_no_rule_stumbles_over_real_configurations() -> None:
    """An error would be the rule's own fault, but for what cannot be read."""
    roots = sorted({path.parent for path in CORPUS.rglob("*.tf")})[:150]
    if not roots:
        pytest.skip(f"there are no configurations in {CORPUS}")
    ruleset = load_ruleset("tfgate:source", functions=rule_functions())
    wrong = []
    for root in roots:
        index = SourceIndex.build(root)
        found = list(blocks(index, merged=True))
        unread = {block.address for block in found if block.error is not None}
        context = Context(
            workspace=Workspace("default", "default"),
            operator=Operator("tester", "flag"),
            now=NOW,
            allow_empty=True,
            blocks=lambda kinds, types, found=found: found,
        )
        wrong += [
            f"{root}: {outcome.rule} {outcome.address}: {outcome.message}"
            for outcome in evaluate_sources([ruleset], context).outcomes
            if outcome.outcome.value == "error" and outcome.address not in unread
        ]
    assert wrong == []
