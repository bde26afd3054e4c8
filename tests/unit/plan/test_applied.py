"""A plan as it came out: the state's values in the place of what was expected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.plans import change, plan_bytes
from tfgate.errors import PlanError
from tfgate.plan import EVERYTHING, read_plan
from tfgate.plan.applied import State, as_applied, both, from_state, read_state
from tfgate.query import SENSITIVE, UNKNOWN


def state(*resources: dict[str, Any], **outputs: Any) -> State:
    """Return a state with resources in a module and outputs."""
    document = {
        "format_version": "1.0",
        "values": {
            "outputs": {name: {"value": v, "sensitive": False} for name, v in outputs.items()},
            "root_module": {"child_modules": [{"address": "module.m", "resources": resources}]},
        },
    }
    return read_state(json.dumps(document).encode())


def resource(values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a resource as a state has it."""
    return {
        "address": "aws_s3_bucket.logs",
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "logs",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": values,
        "sensitive_values": {},
        **more,
    }


def test_unknown_becomes_known() -> None:
    """``after`` is what the state says; the rest of the document stays the plan's."""
    before = plan_bytes(change(after={"name": "x"}, after_unknown={"arn": True}))
    (known,) = read_plan(as_applied(before, state(resource({"name": "x", "arn": "a"})))).changes
    document = known.document(EVERYTHING)
    assert document["after"] == {"name": "x", "arn": "a"}
    assert document["action"] == "create"


def test_not_in_the_state_stays_unknown() -> None:
    """A resource that the state does not have keeps its unknowns."""
    before = plan_bytes(change(after={"name": "x"}, after_unknown={"arn": True}))
    (left,) = read_plan(as_applied(before, state())).changes
    assert left.document(EVERYTHING)["after"]["arn"] is UNKNOWN


@pytest.mark.parametrize("by", ["plan", "state"])
def test_either_mark_hides(by: str) -> None:
    """What the plan or the state calls sensitive is hidden."""
    marks = {"arn": True}
    before = plan_bytes(change(after={}, after_sensitive=marks if by == "plan" else {}))
    now = resource({"arn": "a"}, sensitive_values=marks if by == "state" else {})
    (known,) = read_plan(as_applied(before, state(now))).changes
    assert known.redacted(EVERYTHING)["after"]["arn"] is SENSITIVE


def test_deleted_and_deposed_are_left_alone() -> None:
    """What the apply removes has no ``after``, whatever the state holds under its address."""
    gone = plan_bytes(change(actions=["delete"], before={"a": 1}))
    (left,) = read_plan(as_applied(gone, state(resource({"a": 1})))).changes
    assert left.document(EVERYTHING)["after"] is None
    assert state(resource({}, deposed_key="1234")).resources == {}


def test_outputs() -> None:
    """Outputs are those of the state."""
    made = {"actions": ["create"], "before": None, "after_unknown": True, "after_sensitive": False}
    before = plan_bytes(output_changes={"url": made})
    plan = read_plan(as_applied(before, state(url="https://x")))
    assert plan.outputs["url"].document(EVERYTHING)["after"] == "https://x"


def test_from_the_state_alone() -> None:
    """Without the plan there are the resource's facts and its values, module included."""
    made = read_plan(from_state(state(resource({"a": 1})), {"aws_s3_bucket.logs": "replace"}, ()))
    (only,) = made.changes
    document = only.document(EVERYTHING)
    assert (document["after"], document["module_address"]) == ({"a": 1}, "module.m")
    assert document["action"] == "replace"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"format_version": "9.0"}', '{"format_version": 1}',
     '{"format_version": "1.0", "values": []}',
     '{"format_version": "1.0", "values": {"root_module": {"resources": [1]}}}',
     '{"format_version": "1.0", "values": {"outputs": 3}}', "[" * 5000],
)  # fmt: skip
def test_what_is_no_state(text: str) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(PlanError, match="state"):
        read_state(text.encode())


def test_empty_state() -> None:
    """A state with nothing in it is one."""
    assert read_state(b'{"format_version": "1.0"}') == State({}, {})


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (True, {}, True), (None, None, False), ({"a": True}, {"b": True}, {"a": True, "b": True}),
        ([{}, True], [True, False], [True, True]), ([True], [True, True], True),
        ({}, [True], [True]),
        ({"a": {"x": True}}, {"a": [True]}, {"a": True}),
    ],
)  # fmt: skip
def test_marks_are_joined(one: Any, other: Any, joined: Any) -> None:
    """Sensitive is what either says; where the two do not fit together, all of it is."""
    assert both(one, other) == joined
