"""OpenTofu's plans differ in the registry that provider addresses begin with, and little else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate

if TYPE_CHECKING:
    from pathlib import Path

TOFU = "registry.opentofu.org/hashicorp/aws"


@pytest.mark.parametrize(
    ("glob", "selected"),
    [("aws", True), ("*/hashicorp/aws", True), (TOFU, True),
     ("registry.terraform.io/hashicorp/aws", False)],
)  # fmt: skip
def test_providers_are_matched_whatever_the_registry(
    glob: str, selected: bool, tmp_path: Path
) -> None:
    """A rule that names a provider by its last part holds for both tools."""
    rules = ruleset(tmp_path, rule(deny="`true`", more=f'match = {{ providers = ["{glob}"] }}'))
    decision = evaluate(plan(change(after={}, provider_name=TOFU)), [rules], context())
    assert bool(decision.outcomes) is selected
