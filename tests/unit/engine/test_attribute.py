"""Which attribute a finding is about, told from what its rule reads and from the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate

if TYPE_CHECKING:
    from pathlib import Path

LOGGING = {"logging": [{"bucket": None, "prefix": None}]}


@pytest.mark.parametrize(
    ("require", "sides", "attribute"),
    [
        ("after.logging[0].bucket", {"after": LOGGING}, "logging[0].bucket"),
        ("after.logging[0].bucket", {"after": {"logging": [{}, {}]}}, "logging"),
        ("after.logging[0].bucket && after.logging[0].prefix", {"after": LOGGING}, "logging"),
        ("after.logging[0].bucket == before.acl", {"after": LOGGING, "before": {"acl": 1}}, None),
        ("after == `1`", {"after": LOGGING}, None),
        ('after."a b"', {"after": {}}, "a b"),
        # Both sides are read of the one that has something in it.
        (
            "after.logging[0].bucket == 'x' && before.logging[0].bucket",
            {"after": LOGGING, "before": None},
            "logging[0].bucket",
        ),
        (
            "before.logging[0].bucket == 'x' && after.logging[0].bucket",
            {"after": None, "before": LOGGING},
            "logging[0].bucket",
        ),
    ],
)
def test_the_attribute_is_followed_as_far_as_there_is_one_way(
    tmp_path: Path, require: str, sides: dict[str, Any], attribute: str | None
) -> None:
    """A rule that reads one attribute is about it, whatever order its paths come in."""
    rules = rule(require=require, more='match.actions = ["create", "update", "delete"]')
    found = evaluate(plan(change(**sides)), [ruleset(tmp_path, rules)], context())
    assert [outcome.attribute for outcome in found.outcomes] == [attribute]
