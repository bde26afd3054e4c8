"""What an evaluation leaves behind goes with its last reference, without Python's collector."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [
        rule(deny="after.public", more="let.ports = 'after.ports[?@ > `1`]'"),
        rule(deny="$ports", more="let.ports = 'after.ports[?@ > `1`]'"),
        rule(deny="$ports", more="let.ports = 'length(after.size)'"),
        rule(deny="length(after.size) > `1`"),
        rule(deny="after.public", when="length(after.size) > `1`"),
    ],
)
def test_a_subject_leaves_no_cycle(tmp_path: Path, rules: str) -> None:
    """The collector is seldom asked (``tfgate.__main__``): cycles would add up in the meantime."""
    loaded = [ruleset(tmp_path, rules)]
    after = {"public": True, "ports": [1, 2], "size": 5}
    changes = plan(*[change(f"aws_s3_bucket.a{n}", after=after) for n in range(300)])
    evaluate(changes, loaded, context())
    gc.collect()
    gc.disable()
    try:
        found = evaluate(changes, loaded, context())
        assert gc.collect() < 300
    finally:
        gc.enable()
    assert len(found.outcomes) == 300
