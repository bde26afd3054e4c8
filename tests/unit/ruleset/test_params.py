"""Types of parameters and the values they take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.ruleset.params import ParamType
from tfgate.ruleset.problems import Problems


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("string", "string"),
        (" list( string ) ", "list(string)"),
        ("map(list(number))", "map(list(number))"),
        ("set(bool)", "set(bool)"),
        ("any", "any"),
    ],
)
def test_a_type_is_written_as_terraform_writes_it(text: str, shown: str) -> None:
    """Spaces do not matter."""
    assert str(ParamType.parse(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "list", "list()", "list(string", "string)", "object({})", "str", "list(" * 100]
)
def test_what_is_no_type_gives_none(text: str) -> None:
    """Unbalanced, unknown and over-long types are refused without an exception."""
    assert ParamType.parse(text) is None


@pytest.mark.parametrize(
    ("text", "value", "problems"),
    [
        ("string", "x", []),
        ("string", 1, ["v: expected string, found an integer"]),
        ("number", 1.5, []),
        ("number", True, ["v: expected number, found a boolean"]),
        ("number", float("nan"), ["v: expected number, found a float"]),
        ("number", 10**40, []),
        ("bool", "true", ["v: expected bool, found a string"]),
        ("list(string)", "x", ["v: expected list(string), found a string"]),
        (
            "list(string)",
            ["a", 1, False],
            ["v[1]: expected string, found an integer", "v[2]: expected string, found a boolean"],
        ),
        ("set(number)", [1, 2, 1], ["v[2]: repeats an element that stands before it"]),
        ("set(any)", [1, True], []),
        ("map(number)", {"a b": "x"}, ['v."a b": expected number, found a string']),
        ("map(list(string))", {"a": ["x"]}, []),
        ("any", [1, {"a": float("inf")}], ["v[1].a: nan and inf are not JSON values"]),
    ],
)
def test_a_value_is_checked_in_depth(text: str, value: Any, problems: list[str]) -> None:
    """Each wrong element is reported at its own key."""
    kind = ParamType.parse(text)
    assert kind is not None
    found = Problems("f")
    assert kind.check(value, ("v",), found) is not bool(problems)
    assert [f"{problem.key}: {problem.message}" for problem in found.done()] == problems


@given(st.text(alphabet="listmapseanyring() ", max_size=40))
def test_a_parsed_type_reads_back_as_itself(text: str) -> None:
    """What is parsed is written in one form, and that form means the same."""
    kind = ParamType.parse(text)
    if kind is not None:
        assert ParamType.parse(str(kind)) == kind
