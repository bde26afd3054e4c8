"""Whatever the unknowns of a document become, what was said about it holds."""

from __future__ import annotations

from typing import Any

import jmespath
from hypothesis import given

from tests.support.query_grammar import contains_unknown, identical, stands_for
from tests.support.query_reference import search as reference
from tests.support.query_settings import completed_cases, thorough
from tfgate import query
from tfgate.query import UNKNOWN, EvaluationError, Expression, Maybe, Unknown
from tfgate.query.values import Expref, truth

FAILED = object()


def itself(text: str, document: Any) -> Any:
    """Evaluate with tfgate: for functions that only it has."""
    return query.search(text, document)


def result(expression: Expression, document: Any, search: Any) -> Any:
    """Evaluate a completion."""
    try:
        return search(expression.text, document)
    except Exception:  # jmespath lets TypeError and others through
        return FAILED


def check(text: str, document: Any, completions: list[Any], search: Any) -> None:
    """Compare everything that is said of the document with each of its completions."""
    expression = query.compile(text)
    results = [result(expression, completion, search) for completion in completions]
    verdict = expression.verdict(document)
    if verdict is not None:
        assert all(found is not FAILED and truth(found) is verdict for found in results)
    try:
        judgement = expression.judge(document)
    except EvaluationError:
        assert verdict is None
        assert all(found is FAILED for found in results)
        return
    assert judgement.verdict is verdict
    for found in results:
        check_judgement(judgement, found)
        check_value(expression.search(document), found)


def check_judgement(judgement: Any, found: Any) -> None:
    """Compare truth, error flag and value with one result."""
    if found is FAILED:
        assert judgement.may_raise
        return
    assert judgement.truth is None or judgement.truth is truth(found)
    assert holds_reference(judgement.raw) or stands_for(judgement.raw, found)


def check_value(value: Any, found: Any) -> None:
    """Compare a value that claims to be known with one result."""
    assert shows_unknown_alone(value)
    if not contains_unknown(value) and not holds_reference(value):
        assert found is not FAILED
        assert identical(value, found)


def shows_unknown_alone(value: Any) -> bool:
    """Whether every unknown in a value is the one marker that readers compare with."""
    if type(value) is list:
        return all(map(shows_unknown_alone, value))
    if type(value) is dict:
        return all(map(shows_unknown_alone, value.values()))
    return value is UNKNOWN or type(value) not in (Unknown, Maybe)


def holds_reference(value: Any) -> bool:
    """Whether an expression reference is in the value, which no JSON value equals."""
    if type(value) is list:
        return any(map(holds_reference, value))
    if type(value) is dict:
        return any(map(holds_reference, value.values()))
    return type(value) is Expref or "Maybe(<tfgate.query.values.Expref" in repr(value)


@thorough
@given(completed_cases(extra=False))
def test_what_is_said_holds_for_jmespath_on_every_completion(case: Any) -> None:
    """Verdict, truth, error flag and value agree with jmespath on the completed documents."""
    text, document, completions = case
    if "not_null(&" in text and "to_string" in text:
        return  # jmespath writes an address in memory
    check(text, document, completions, jmespath.search)


@thorough
@given(completed_cases(extra=True))
def test_what_is_said_holds_for_the_added_functions_too(case: Any) -> None:
    """The functions tfgate adds are as sound as the standard ones."""
    check(*case, itself)


@thorough
@given(completed_cases(extra=False, community=True))
def test_what_is_said_holds_for_let_arithmetic_and_ternary(case: Any) -> None:
    """Verdict, truth, error flag and value agree with a second evaluator on completions."""
    text, document, completions = case
    if "not_null(&" in text and "to_string" in text:
        return
    check(text, document, completions, reference)


@thorough
@given(completed_cases(extra=True, community=True))
def test_what_is_said_holds_for_all_of_the_language(case: Any) -> None:
    """The functions tfgate adds, inside of what the community has added."""
    check(*case, itself)
