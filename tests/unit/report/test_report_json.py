"""The JSON report: its shape, its schema, its order, its speed."""

from __future__ import annotations

import json
import time
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import msgspec
import pytest

from tests.support.decisions import CASES, HOSTILE, context, decision, many, outcome
from tfgate.report import json as json_v1
from tfgate.report import render

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

SCHEMA = json.loads(
    (files("tfgate.report") / "schemas" / "decision.v1.schema.json").read_text("utf-8")
)


def report(case: Decision) -> dict:
    """Render and read back."""
    return json.loads(render("json", case, context()))


@pytest.mark.parametrize("name", CASES)
def test_every_decision_satisfies_the_published_schema(name: str) -> None:
    """What is written is what the schema says."""
    jsonschema.Draft202012Validator(SCHEMA).validate(report(CASES[name]))


@pytest.mark.parametrize("name", [*SCHEMA["$defs"], "report"])
def test_schema_and_types_name_the_same_fields(name: str) -> None:
    """A field cannot be added to one and forgotten in the other."""
    described = SCHEMA if name == "report" else SCHEMA["$defs"][name]
    struct = getattr(json_v1, name.capitalize())
    fields = msgspec.structs.fields(struct)
    assert {field.encode_name for field in fields} == set(described["properties"])
    assert {field.encode_name for field in fields if field.required} == set(described["required"])


def test_every_outcome_is_listed_and_passes_too() -> None:
    """Nothing is left out, and a deposed object is told from the live one."""
    outcomes = report(CASES["deny-hard-and-soft"])["outcomes"]
    seen = {(o["rule"], o["address"], o.get("deposed"), o["outcome"]) for o in outcomes}
    assert seen == {
        ("ACME-EC2-003", "aws_instance.api", None, "pass"),
        ("ACME-EC2-003", 'module.web.aws_instance.app["green"]', None, "pass"),
        ("ACME-EC2-003", "aws_instance.web", None, "fail"),
        ("CORE-DEL-001", "aws_db_instance.main", None, "pass"),
        ("CORE-DEL-001", "aws_db_instance.main", None, "fail"),
        ("CORE-DEL-001", "aws_s3_bucket.logs", "0f3a9b2c", "pass"),
    }


def test_outcomes_are_sorted() -> None:
    """By rule, address, deposed key and item, whatever order they came in."""
    case = CASES["deny-items-deposed-no-location"]
    shuffled = msgspec.structs.replace(case, outcomes=tuple(reversed(case.outcomes)))
    assert report(shuffled)["outcomes"] == report(case)["outcomes"]


def test_an_obligation_names_its_outcome() -> None:
    """A program can find what it has to check after the apply."""
    written = report(CASES["allow-unknown-verify"])
    (obligation,) = written["obligations"]
    (found,) = [o for o in written["outcomes"] if o["outcome"] == "unknown"]
    assert obligation.items() <= found.items()


def test_values_are_data_and_come_back_as_they_were() -> None:
    """Escapes are JSON's own: a reader gets the very string."""
    (found,) = report(decision(outcome(message=HOSTILE), passed={}))["outcomes"]
    assert found["message"] == HOSTILE


def test_nothing_that_acts_on_a_terminal_is_written_raw() -> None:
    """Not even characters that JSON would allow."""
    text = render("json", CASES["deny-hostile"], context())
    assert all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize(
    ("name", "code"),
    [("allow-clean", 0), ("deny-soft", 1), ("undecided-nothing-selected", 3)],
)
def test_exit_code_follows_the_decision_unless_given(name: str, code: int) -> None:
    """The report says what the command will do."""
    assert report(CASES[name])["exit_code"] == code
    given = json.loads(render("json", CASES[name], context(exit_code=4)))
    assert given["exit_code"] == 4


def test_thirty_thousand_outcomes_take_a_moment() -> None:
    """The report of a large plan is not what a person waits for."""
    passed = {f"R-{n:02}": tuple(f"aws_instance.a[{i}]" for i in range(1000)) for n in range(28)}
    case = msgspec.structs.replace(many(1000), passed=passed)
    started = time.process_time()
    render("json", case, context())
    assert time.process_time() - started < 2.0  # 0.06 s on two cores; room for a busy machine
