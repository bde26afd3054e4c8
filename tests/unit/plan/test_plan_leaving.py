"""``left_to_provider``: what a block says nothing of, and the plan cannot say yet."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tfgate.plan import read_plan
from tfgate.query import UNKNOWN


def _left(
    argument: str, expressions: Any, after: Any, unknown: Any, *, configured: bool = True
) -> Any:
    block = {"address": "a_b.c", "type": "a_b", "name": "c", "expressions": expressions}
    document = {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": "a_b.c",
                "type": "a_b",
                "name": "c",
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": after,
                    "after_unknown": unknown,
                },
            }
        ],
        "configuration": {"root_module": {"resources": [block] if configured else []}},
    }
    plan = read_plan(msgspec.json.encode(document))
    return plan.left_to_provider(plan.changes[0], argument)


CONSTANT = {"constant_value": 1}
REFERENCE = {"references": ["var.x"]}


@pytest.mark.parametrize(
    ("argument", "expressions", "after", "unknown", "expected"),
    [
        ("x", {}, {}, {"x": True}, True),
        ("x", {"y": CONSTANT}, {"y": 1}, {"x": True}, True),
        ("x", {"x": REFERENCE}, {}, {"x": True}, False),
        ("x", {"x": CONSTANT}, {}, {"x": True}, False),
        ("x", {"x": {"constant_value": ""}}, {}, {"x": True}, True),
        ("x", {"x": {"constant_value": []}}, {}, {"x": True}, True),
        ("x", {"x": {"constant_value": ""}}, {"x": ""}, {}, False),
        ("b.x", {"b": [{"x": {"constant_value": 0}}]}, {"b": [{}]}, {"b": [{"x": True}]}, True),
        ("x", {}, {"x": 1}, {}, False),
        ("x", {}, {"x": None}, {}, False),
        ("x", {}, {}, {}, False),
        ("b", {}, {}, {"b": True}, True),
        ("b.x", {}, {}, {"b": True}, True),
        ("b.x", {"b": [{}]}, {"b": [{}]}, {"b": [{"x": True}]}, True),
        ("b.x", {"b": [{"x": REFERENCE}]}, {"b": [{}]}, {"b": [{"x": True}]}, False),
        ("b.x", {"b": [{"x": CONSTANT}]}, {"b": [{"x": 1}]}, {"b": [{}]}, False),
        ("b.x", {"b": [{}, {"x": REFERENCE}]}, {"b": [{}, {}]}, {"b": [{"x": True}] * 2}, True),
        ("b.x", {"b": REFERENCE}, {}, {"b": True}, False),
        ("b.x", {"b": {}}, {"b": {}}, {"b": {"x": True}}, True),
        # A dynamic block shows its content: nobody left it out.
        ("b.x", {}, {"b": [{"x": 1}]}, {"b": [{}]}, False),
        ("b.x", {}, {"b": [{}]}, {"b": [{"x": True}]}, False),
    ],
)
def test_left_to_provider(
    argument: str, expressions: Any, after: Any, unknown: Any, expected: bool
) -> None:
    """True where the block is silent and the value unknown; the rest is somebody's word."""
    assert _left(argument, expressions, after, unknown) is expected


def test_without_the_block_nobody_knows() -> None:
    """A plan that lacks the block does not say whether it is silent."""
    assert _left("x", {}, {}, {"x": True}, configured=False) is UNKNOWN


@pytest.mark.parametrize(("argument", "after"), [("x", {"x": 1}), ("x", {}), ("b.x", {"b": [{}]})])
def test_what_is_known_was_left_to_nobody(argument: str, after: Any) -> None:
    """A value that the plan shows needs no block to look at."""
    assert _left(argument, {}, after, {"y": True}, configured=False) is False
