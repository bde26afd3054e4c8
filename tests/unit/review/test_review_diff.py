"""How two values are told apart, and what of them is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tfgate.query import SENSITIVE, UNKNOWN
from tfgate.review.diff import Differ
from tfgate.review.model import Diff, Form, Mark, Shape, Shown
from tfgate.review.values import NEVER, NOTHING, Forcing, Side, known_path, path_text


def diff(before: Any, after: Any, forcing: Forcing = NEVER) -> Diff | None:
    """Compare two public values."""
    return Differ().diff("it", Side.public(before), Side.public(after), forcing)


def told(before: Any, after: Any) -> Diff:
    """Compare two public values that differ."""
    found = diff(before, after)
    assert found is not None
    return found


def sketch(found: Diff) -> Any:
    """Write a difference as nested tuples that a test can read."""
    if found.shape is Shape.LEAF:
        sides = tuple(
            None if side is None else side.text or side.form.value
            for side in (found.before, found.after)
        )
        return (found.label, *sides)
    if found.shape is Shape.LINES:
        return (found.label, [f"{line.mark.value[0]} {line.text}" for line in found.lines])
    return (found.label, [sketch(member) for member in found.members])


@pytest.mark.parametrize("value", [None, 0, 1.5, True, "", "a", [], [1, [2]], {"a": [{"b": None}]}])
def test_what_is_the_same_is_left_out(value: Any) -> None:
    """A value that stays gives no difference."""
    assert diff(value, json.loads(json.dumps(value))) is None


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), ("1", 1), (None, "null")])
def test_what_python_mixes_up_is_told_apart(before: Any, after: Any) -> None:
    """``1`` is not ``true``, and ``"1"`` is no number."""
    assert told(before, after).mark is Mark.CHANGED


def test_numbers_of_two_kinds_are_the_same() -> None:
    """``1`` and ``1.0`` are one number in JSON."""
    assert diff(1, 1.0) is None


def test_members_that_stay_are_counted() -> None:
    """Of an object only what differs is shown."""
    found = told({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5})
    assert sketch(found) == ("it", [("b", "2", "4"), ("c", "3", None), ("d", None, "5")])
    assert found.same == 1


def test_null_is_not_set() -> None:
    """In a resource null and absent are one, and a member that becomes null goes."""
    assert diff({"a": None}, {}) is None
    assert sketch(told({"a": 1}, {"a": None})) == ("it", [("a", "1", None)])


def test_blocks_are_matched_by_content() -> None:
    """A rule that moves within a set is no change; the one beside it is changed in one place."""
    http = {"port": 80, "protocol": "tcp", "cidr": ["10.0.0.0/8"]}
    ssh = {"port": 22, "protocol": "tcp", "cidr": ["10.0.0.0/8"]}
    found = told([http, ssh], [{**ssh, "cidr": ["0.0.0.0/0"]}, http])
    places = [("", '"10.0.0.0/8"', None), ("", None, '"0.0.0.0/0"')]
    assert sketch(found) == ("it", [("[0]", [("cidr", places)])])
    assert found.same == 1


def test_blocks_that_name_themselves_are_matched_by_name() -> None:
    """However much else changes, ``name`` says which container it is."""
    before = [{"name": "a", "image": "x", "cpu": 1}, {"name": "b", "image": "y", "cpu": 1}]
    after = [{"name": "b", "image": "z", "cpu": 2}, {"name": "a", "image": "x", "cpu": 1}]
    expected = [('[name "b"]', [("cpu", "1", "2"), ("image", '"y"', '"z"')])]
    assert sketch(told(before, after)) == ("it", expected)


def test_a_mere_change_of_order_says_so() -> None:
    """Order matters in some lists: both are shown whole."""
    found = told(["a", "b"], ["b", "a"])
    assert (found.note, sketch(found)) == ("order changed", ("it", '["a", "b"]', '["b", "a"]'))


def test_repeated_elements_are_counted() -> None:
    """One of two equal elements that goes is seen."""
    assert sketch(told(["a", "a", "b"], ["a", "b"])) == ("it", [("", '"a"', None)])


def test_documents_in_strings_are_compared_as_json() -> None:
    """A policy that is written differently and allows one thing more shows that thing."""
    before = json.dumps({"Statement": [{"Sid": "a", "Action": "s3:*"}]}, indent=2)
    after = json.dumps({"Statement": [{"Action": "*", "Sid": "a"}]})
    found = told(before, after)
    assert found.shape is Shape.JSON
    expected = [("Statement", [('[Sid "a"]', [("Action", '"s3:*"', '"*"')])])]
    assert sketch(found) == ("it", expected)


def test_a_document_written_differently_says_so() -> None:
    """Blanks and order of keys are no change of a document, but one of the string."""
    assert (
        told('{"a": 1, "b": 2}', '{"b":2,"a":1}').note == "the same document, written differently"
    )


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', "{", '{"a": 1.000000000000000000001}', "{}",
     "[" * 100 + "1" + "]" * 100, "[" * 100_000],
)  # fmt: skip
def test_what_readers_may_read_differently_is_no_document(text: str) -> None:
    """A repeated key could hide from one reader what another obeys: the string is shown."""
    found = told(text, "x")
    assert found.before == Shown(Form.LITERAL, json.dumps(text))


def test_null_in_a_document_is_a_value() -> None:
    """Unlike in a resource."""
    assert sketch(told('{"a": null, "b": 1}', '{"b": 1}')) == ("it", [("a", "null", None)])


def test_texts_are_compared_by_line() -> None:
    """Unchanged lines far from a change are counted."""
    lines = [f"line {number}" for number in range(10)]
    after = [*lines[:5], "new", *lines[6:]]
    found = told("\n".join(lines) + "\n", "\n".join(after) + "\n")
    assert sketch(found)[1] == [
        "s 3 unchanged lines", "s line 3", "s line 4", "r line 5", "a new", "s line 6",
        "s line 7", "s 2 unchanged lines",
    ]  # fmt: skip


def test_a_line_end_that_goes_is_told() -> None:
    """The lines alone do not show it."""
    assert told("a\nb\n", "a\nb").note == "the last line's end goes"


def test_long_texts_are_compared_in_bounded_time() -> None:
    """Lines that all differ, and more than are matched up, are shown as going and coming."""
    found = told("\n".join(f"a{n}" for n in range(3_000)), "\n".join(f"b{n}" for n in range(3_000)))
    assert len(found.lines) == 6_000


def test_unknown_is_a_change() -> None:
    """Whatever it was, it may be something else."""
    assert sketch(told({"a": 1}, {"a": UNKNOWN})) == ("it", [("a", "1", "unknown")])
    assert sketch(told([1, 2], [1, UNKNOWN]))[1] == [("", "2", None), ("", None, "unknown")]


def test_secret_sides_are_both_hidden() -> None:
    """Where one side is a secret the other may be the same."""
    found = Differ().diff("it", Side.public("plain"), Side(SENSITIVE, "plain"))
    assert found == Diff(
        "it", Mark.CHANGED, before=Shown(Form.SENSITIVE), after=Shown(Form.SENSITIVE),
        note="becomes sensitive",
    )  # fmt: skip


def test_a_secret_that_stays_is_no_change() -> None:
    """As in Terraform's own plan; and one that changes is."""
    differ = Differ()
    assert differ.diff("it", Side(SENSITIVE, "one"), Side(SENSITIVE, "one")) is None
    found = differ.diff("it", Side(SENSITIVE, "one"), Side(SENSITIVE, "two"))
    assert found is not None
    assert sketch(found) == ("it", "sensitive", "sensitive")


def test_lists_with_secrets_are_matched_by_position() -> None:
    """Matching by content would tell which secret equals which."""
    before = Side([SENSITIVE, SENSITIVE], ["one", "two"])
    after = Side([SENSITIVE, SENSITIVE], ["two", "two"])
    found = Differ().diff("it", before, after)
    assert found is not None
    assert sketch(found) == ("it", [("[0]", "sensitive", "sensitive")])
    assert found.same == 1


def test_what_comes_and_goes_is_laid_out() -> None:
    """A block has members, a policy statements, a text lines; what says nothing is left out."""
    value = {"n": 1, "none": None, "no": [], "block": [{"a": 1}], "p": '{"S": [1]}', "t": "a\nb"}
    found = Differ().diff("it", NOTHING, Side.public(value))
    assert found is not None
    assert sketch(found)[1] == [
        ("block", [("[0]", [("a", None, "1")])]),
        ("n", None, "1"),
        ("p", [("S", None, "[1]")]),
        ("t", ["a a", "a b"]),
    ]
    gone = Differ().diff("it", Side.public(value), NOTHING)
    assert gone is not None
    assert {member.mark for member in gone.members} == {Mark.REMOVED}


def test_forcing_paths_mark_what_they_name() -> None:
    """The attribute, or the one inside a block; before or after by number."""
    forcing = Forcing.of([["ami"], ["disk", 0, "size"], ["x", {"no": 1}]])
    found = diff({"ami": 1, "disk": [{"size": 1}]}, {"ami": 2, "disk": [{"size": 2}]}, forcing)
    assert found is not None
    ami, disk = found.members
    assert (ami.forces, disk.forces) == (True, False)
    assert disk.members[0].members[0].forces


def test_paths_as_text() -> None:
    """A path is written as in a configuration."""
    assert path_text(known_path(["a", 0, "b"])) == "a[0].b"
    assert known_path(["a", None, "b"]) == ("a",)
    assert known_path("a") == ()
