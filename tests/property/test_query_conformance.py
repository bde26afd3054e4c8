"""On documents without unknowns the evaluator is jmespath, errors included."""

from __future__ import annotations

from typing import Any

import jmespath
from hypothesis import given

from tests.support import query_reference
from tests.support.query_grammar import identical
from tests.support.query_settings import cases, thorough
from tfgate import query
from tfgate.query import EvaluationError
from tfgate.query.values import Expref, truth

FAILED = object()


def reference(text: str, document: Any) -> Any:
    """Evaluate with the jmespath package."""
    try:
        return jmespath.search(text, document)
    except Exception:  # jmespath lets TypeError and others through
        return FAILED


def has_reference(value: Any) -> bool:
    """Whether an expression reference is in the value: each package has its own class."""
    if type(value) is list:
        return any(map(has_reference, value))
    if type(value) is dict:
        return any(map(has_reference, value.values()))
    return type(value) is Expref


def writes_reference(text: str) -> bool:
    """Whether the text may turn a reference into a string, an address in jmespath's case."""
    return "to_string" in text and "not_null(&" in text


@thorough
@given(cases(extra=False, unknowns=False))
def test_search_gives_what_jmespath_gives(case: Any) -> None:
    """The value is identical, types included, and what fails there fails here."""
    text, document, _ = case
    expected = reference(text, document)
    try:
        found = query.compile(text).search(document)
    except EvaluationError:
        found = FAILED
    if has_reference(found) or writes_reference(text):
        return
    assert found is expected or identical(found, expected)


@thorough
@given(cases(extra=False, unknowns=False, community=True))
def test_search_gives_what_a_second_evaluator_gives(case: Any) -> None:
    """With let, variables, the root, arithmetic and the ternary as well."""
    text, document, _ = case
    try:
        expected = query_reference.search(text, document)
    except Exception:  # as jmespath
        expected = FAILED
    try:
        found = query.compile(text).search(document)
    except EvaluationError:
        found = FAILED
    if has_reference(found) or writes_reference(text):
        return
    assert found is expected or identical(found, expected)


@thorough
@given(cases(extra=False, unknowns=False))
def test_verdict_is_jmespath_truthiness(case: Any) -> None:
    """Without unknowns the verdict is definite, unless the expression fails."""
    text, document, _ = case
    expected = reference(text, document)
    verdict = query.compile(text).verdict(document)
    assert verdict is (None if expected is FAILED else truth(expected))
