"""Reading plan JSON: what is in a `Plan` once it is read."""

from __future__ import annotations

import pytest

from tests.support.plan_json import change, plan
from tfgate.errors import PlanError
from tfgate.model.action import Action
from tfgate.plan import EVERYTHING, Reads, read_plan
from tfgate.query.values import SENSITIVE, UNKNOWN


def test_a_change_has_its_facts() -> None:
    """Address, type, name and action are there without decoding a value."""
    (only,) = read_plan(plan(change(actions=["create", "forget"]))).changes
    assert (only.address, only.type, only.name) == ("aws_s3_bucket.a", "aws_s3_bucket", "a")
    assert only.action is Action.REPLACE
    assert only.module_address == ""


def test_unknown_values_are_laid_over_after() -> None:
    """What Terraform does not know yet is neither absent nor null."""
    parts = {"after": {"b": 1}, "after_unknown": {"id": True}}
    (only,) = read_plan(plan(change(**parts))).changes
    assert only.document(Reads.of([("after",)])) == {"after": {"b": 1, "id": UNKNOWN}}


def test_only_what_is_read_is_decoded() -> None:
    """Attributes that no rule reads are not in the document; absent ones stay absent."""
    (only,) = read_plan(plan(change(after={"a": None, "b": 1, "c": [2]}))).changes
    reads = Reads.of([("after", "a"), ("after", "c", "d"), ("after", "missing"), ("name",)])
    assert only.document(reads) == {"name": "a", "after": {"a": None, "c": [2]}}


def test_sensitive_values_are_hidden_in_the_redacted_view_alone() -> None:
    """A rule may test a sensitive value; whoever shows it gets a mark instead."""
    marks = {"before_sensitive": False, "after_sensitive": {"password": True}}
    (only,) = read_plan(plan(change(after={"password": "p"}, **marks))).changes
    reads = Reads.of([("after", "password")])
    assert only.document(reads) == {"after": {"password": "p"}}
    assert only.redacted(reads) == {"after": {"password": SENSITIVE}}


def test_the_whole_document_has_every_field_of_the_root() -> None:
    """The fields are those of the design's section 6."""
    (only,) = read_plan(plan(change())).changes
    assert {"address", "previous_address", "module_address", "mode", "type", "name", "index"} < set(
        only.document(EVERYTHING)
    )


@pytest.mark.parametrize("data", [b"", b" \n", b"PK\x03\x04rest", b"{", b"[]", b"null", b"x"])
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    """Every other input is a PlanError that names the input."""
    with pytest.raises(PlanError, match=r"^some\.json: "):
        read_plan(data, name="some.json")
