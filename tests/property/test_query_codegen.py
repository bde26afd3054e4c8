"""A generated function gives exactly what the evaluator gives, or leaves it to the evaluator."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.support.query_grammar import contains_unknown, identical
from tests.support.query_settings import Nothing, cases, thorough
from tfgate import query
from tfgate.query.codegen import DECLINED, Answers, generate, generate_value


def check(text: str, document: Any) -> bool:
    """Compare both kinds of function with the evaluator; say whether one of them decided."""
    if type(document) is not dict:
        return False
    expression = query.compile(text)
    value = generate_value(expression.node, Nothing())
    truth = generate(None, expression.node, Answers(None, True, False), Nothing())
    found = DECLINED if value is None else value.call(document, {}, None)
    known = DECLINED if truth is None else truth(document, {}, None)
    if found is not DECLINED:
        judgement = expression.judge(document)
        assert not judgement.may_raise
        assert identical(found, judgement.value), text
    if known is not DECLINED:
        assert expression.verdict(document) is known, text
    return found is not DECLINED or known is not DECLINED


@thorough
@given(cases(extra=True, unknowns=True))
def test_generated_functions_agree_with_the_evaluator(case: Any) -> None:
    """On any document, unknown values in it or not."""
    text, document, _ = case
    check(text, document)


@thorough
@given(cases(extra=True, unknowns=False))
def test_generated_functions_decide(case: Any) -> None:
    """They are there for documents on which nothing is unknown."""
    text, document, _ = case
    assert not contains_unknown(document)
    check(text, document)
