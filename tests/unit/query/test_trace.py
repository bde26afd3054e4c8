"""Why an expression came to what it came to."""

from __future__ import annotations

from tfgate import query
from tfgate.query import UNKNOWN


def lines(text: str, document: object) -> list[str]:
    """Write a trace down, a line a step."""
    written = []
    for step in query.compile(text).trace(document):
        outcome = "not evaluated" if not step.evaluated else step.error or repr(step.value)
        mark = " may raise" if step.may_raise else ""
        written.append(f"{'  ' * step.depth}{step.text} -> {outcome}{mark}")
    return written


def test_a_condition_is_taken_apart() -> None:
    """Each part stands under the whole, with its value; what was left out says so."""
    document = {"after": {"size": 5, "name": "x"}}
    assert lines("after.size > `9` && after.name == 'x' || !(after.size)", document) == [
        "after.size > `9` && after.name == 'x' || !(after.size) -> False",
        "  after.size > `9` && after.name == 'x' -> False",
        "    after.size > `9` -> False",
        "      after.size -> 5",
        "    after.name == 'x' -> not evaluated",
        "  !(after.size) -> False",
        "    after.size -> 5",
    ]


def test_unknowns_and_errors_are_shown() -> None:
    """An unknown is written as such; a part that fails says why."""
    assert lines("length(a) == `1` || b", {"a": UNKNOWN, "b": 0}) == [
        "length(a) == `1` || b -> UNKNOWN may raise",
        "  length(a) == `1` -> UNKNOWN may raise",
        "    length(a) -> UNKNOWN may raise",
        "      a -> UNKNOWN",
        "  b -> 0",
    ]
    assert lines("a && length(b)", {"a": 1, "b": 2}) == [
        "a && length(b) -> length() takes string or array or object as subject, not a number.",
        "  a -> 1",
        "  length(b) -> length() takes string or array or object as subject, not a number.",
        "    b -> 2",
    ]


def test_a_projection_shows_its_list_and_not_each_element() -> None:
    """A trace is as long as the expression, whatever the document."""
    document = {"after": {"rules": [{"p": 1}, {"p": 2}]}}
    assert lines("after.rules[?p == `2`]", document) == [
        "after.rules[?p == `2`] -> [{'p': 2}]",
        "  after.rules -> [{'p': 1}, {'p': 2}]",
    ]


def test_a_pipe_is_followed() -> None:
    """Calls behind a pipe or a dot are shown on what they get."""
    assert lines("a.b | length(@) > `1`", {"a": {"b": "xy"}}) == [
        "a.b | length(@) > `1` -> True",
        "  a.b -> 'xy'",
        "  length(@) > `1` -> True",
        "    length(@) -> 2",
    ]
