"""The marker, and what the outside sees of a value."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from tfgate import query
from tfgate.query import SENSITIVE, UNKNOWN, Maybe, Unknown


@pytest.mark.parametrize("marker", [UNKNOWN, SENSITIVE])
def test_a_marker_is_neither_true_nor_false(marker: Unknown) -> None:
    """Using it as a condition is a programming error that shows."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(marker)


@pytest.mark.parametrize("marker", [UNKNOWN, SENSITIVE])
def test_copies_of_a_marker_are_the_marker(marker: Unknown) -> None:
    """Identity is how the marker is recognised, so nothing may break it."""
    assert copy.copy(marker) is marker
    assert copy.deepcopy([marker])[0] is marker
    assert pickle.loads(pickle.dumps(marker)) is marker


def test_markers_say_what_they_are() -> None:
    """Their names are in their repr, and their values are nowhere."""
    assert repr([UNKNOWN, SENSITIVE]) == "[UNKNOWN, SENSITIVE]"
    assert repr(Maybe(UNKNOWN)) == "Maybe(UNKNOWN)"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("u", UNKNOWN),
        ("s", SENSITIVE),
        ("u.deep[0].down", UNKNOWN),
        ("s.deep", SENSITIVE),
        ("u == `1`", UNKNOWN),
        ("[u, `1`]", [UNKNOWN, 1]),
        ("{a: u == `1`, b: s}", {"a": UNKNOWN, "b": SENSITIVE}),
        ("rules[?p == `22`]", UNKNOWN),
        ("length(u)", UNKNOWN),
        ("[length(u)]", UNKNOWN),
        ("u || 'x'", UNKNOWN),
        ("u && `false`", UNKNOWN),
    ],
)
def test_search_shows_public_markers_only(expression: str, value: Any) -> None:
    """A list of unknown length is unknown as a whole, and so is what may raise."""
    document = {"u": UNKNOWN, "s": SENSITIVE, "rules": [{"p": UNKNOWN}, {"p": 22}]}
    found = query.compile(expression).search(document)
    assert found == value
    assert type(found) is type(value)


def test_a_judgement_shows_which_elements_may_be_absent() -> None:
    """Reports tell certain findings from possible ones."""
    document = {"rules": [{"p": UNKNOWN}, {"p": 22}, {"p": 80}]}
    judgement = query.compile("rules[?p == `22`].p").judge(document)
    assert judgement.value == [Maybe(UNKNOWN), 22]


def test_a_flattened_unknown_is_any_number_of_elements() -> None:
    """What an unknown list will hold stands between its known siblings."""
    judgement = query.compile("groups[].c[]").judge({"groups": [{"c": UNKNOWN}, {"c": ["x"]}]})
    assert judgement.value == [Maybe(UNKNOWN, many=True), "x"]


def test_evaluation_leaves_the_document_alone() -> None:
    """A document can be judged by any number of rules."""
    document = {"a": [3, UNKNOWN, 1], "o": {"k": [1]}}
    before = copy.deepcopy(document)
    for text in ("reverse(a)", "merge(o, {k: a})", "a[] | [0]", "unique(a)"):
        query.compile(text).search(document)
    assert document == before
