"""Conditions are watched wherever they are evaluated, and evaluation stays the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from tests.support.query_settings import cases, thorough
from tfgate import query
from tfgate.query import UNKNOWN, EvaluationError
from tfgate.query.coverage import watched


def _missing(text: str, *documents: Any) -> dict[str, tuple[bool, ...]]:
    expression, conditions = watched(text)
    for document in documents:
        expression.judge(document)
    return {condition.text: condition.missing for condition in conditions}


@pytest.mark.parametrize(
    ("text", "document", "missing"),
    [
        ("a && b", {"a": 1}, {"a": (False,), "b": (True,)}),
        ("a && b", {}, {"a": (True,), "b": (True, False)}),
        ("a || b", {"a": 1}, {"a": (False,), "b": (True, False)}),
        ("!a", {"a": 1}, {"a": (False,)}),
        ("!a && b", {"b": 1}, {"a": (True,), "b": (False,)}),
        ("x[?a]", {"x": [{"a": 1}, {}]}, {"a": ()}),
        ("x[?a]", {"x": []}, {"a": (True, False)}),
        ("x[*].y[?a].b", {"x": [{"y": [{"a": 1}]}]}, {"a": (False,)}),
        ("any(x, &a)", {"x": [{"a": 1}]}, {"a": (False,)}),
        ("a || `0`", {}, {"a": (True,)}),
        ("a == `1`", {"a": 1}, {}),
        ("a && b", {"a": UNKNOWN, "b": 0}, {"a": (True, False), "b": (False,)}),
    ],
)
def test_what_was_never_true_or_false(
    text: str, document: Any, missing: dict[str, tuple[bool, ...]]
) -> None:
    """Operands, predicates and quantified expressions; an unknown shows nothing."""
    assert _missing(text, document) == missing


def test_several_evaluations_add_up() -> None:
    """What one document does not show, another may."""
    assert _missing("a && b", {"a": 1, "b": 1}, {"a": 1}, {}) == {"a": (), "b": ()}


@pytest.mark.slow
@thorough
@given(cases(extra=True, unknowns=True))
def test_watching_changes_nothing(case: Any) -> None:
    """A watched expression gives what the plain one gives, errors included."""
    text, document, _ = case
    plain, (watching, _) = query.compile(text), watched(text)
    try:
        expected = plain.judge(document)
    except EvaluationError:
        with pytest.raises(EvaluationError):
            watching.judge(document)
        return
    found = watching.judge(document)
    assert _plain(found.value) == _plain(expected.value)
    assert (found.truth, found.may_raise) == (expected.truth, expected.may_raise)


def _plain(value: Any) -> str:
    """Write a value; expression references differ by their addresses alone."""
    return re.sub(r"object at 0x[0-9a-f]+", "object", repr(value))
