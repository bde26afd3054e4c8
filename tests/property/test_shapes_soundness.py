"""A shape that is told of an expression holds whatever the expression gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.support.query_settings import cases, thorough
from tfgate import query
from tfgate.query import EvaluationError
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.shapes import Shape, infer, of_value, union
from tfgate.query.values import LISTS, OBJECTS, TRUTHY, Expref, kinds

TABLE = FunctionTable.default()


def holds(shape: Shape, value: Any) -> bool:
    """Whether a value is one of a shape's."""
    if not kinds(value) & shape.mask:
        return False
    if isinstance(value, list) and shape.mask & LISTS:
        if len(value) < shape.least:
            return False
        return shape.element is None or all(holds(shape.element, part) for part in value)
    if isinstance(value, dict) and shape.mask & OBJECTS and shape.fields is not None:
        return all(
            holds(shape.fields.get(name) or shape.rest or Shape(0), part)
            for name, part in value.items()
        )
    scalar = isinstance(value, (str, int, float)) and shape.constants is not None
    return not scalar or value in (shape.constants or ())


@thorough
@given(cases(extra=True, unknowns=False, community=True))
def test_of_the_document_itself(case: Any) -> None:
    """Where the shape is that of the document, its result is in the shape of the result."""
    text, document, _ = case
    _check(text, document, of_value(document))


@thorough
@given(cases(extra=True, unknowns=False, community=True))
def test_of_one_of_several_documents(case: Any) -> None:
    """Where the shape holds other documents too, the result is in the shape of the result."""
    text, document, grammar = case
    other = grammar.root(unknowns=False)
    _check(text, document, union(of_value(document), of_value(other)))


def has_reference(value: Any) -> bool:
    """Whether an expression reference is in a value."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, Expref) or any(map(has_reference, parts))


def _check(text: str, document: Any, root: Shape) -> None:
    try:
        expression = query.compile(text)
        value = expression.search(document)
    except (query.ExpressionError, EvaluationError):
        return
    if has_reference(value):
        return  # not a JSON value
    found = infer(expression, root, table=TABLE)
    assert holds(found.shape, value), (text, document, value, found.shape)
    truth = bool(kinds(value) & TRUTHY)
    assert found.shape.truth in {None, truth}, (text, document, value, found.shape)
