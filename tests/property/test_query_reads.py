"""What an expression is said to read, write out as, and do with sensitive values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.support.query_settings import cases, thorough
from tfgate import query
from tfgate.query import SENSITIVE, UNKNOWN, EvaluationError, Expression, Maybe, Unknown
from tfgate.query.parsing import parse
from tfgate.query.paths import prune
from tfgate.query.tree import Part
from tfgate.query.unparse import unparse


def outcome(expression: Expression, document: Any) -> str:
    """Write down everything that evaluation says."""
    try:
        judgement = expression.judge(document)
    except EvaluationError as error:
        return f"error {error.kind}"
    return f"{replaced(judgement.value, UNKNOWN)!r} {judgement.truth} {judgement.may_raise}"


def replaced(value: Any, marker: Unknown) -> Any:
    """Put one marker in place of all unknowns."""
    if type(value) is Unknown:
        return marker
    if type(value) is Maybe:
        return Maybe(replaced(value.value, marker), value.many)
    if type(value) is list:
        return [replaced(element, marker) for element in value]
    if type(value) is dict:
        return {key: replaced(part, marker) for key, part in value.items()}
    return value


@thorough
@given(cases(extra=True, unknowns=True, community=True))
def test_a_document_cut_down_to_what_is_read_gives_the_same(case: Any) -> None:
    """Nothing outside of ``reads`` has a say in the result."""
    text, document, _ = case
    if "not_null(&" in text:
        return  # the repr of a reference holds an address
    expression = query.compile(text)
    assert outcome(expression, prune(document, expression.reads)) == outcome(expression, document)


@thorough
@given(cases(extra=True, unknowns=True, community=True))
def test_sensitive_evaluates_as_unknown(case: Any) -> None:
    """Which of the two markers stands in a document makes no difference to the result."""
    text, document, _ = case
    if "not_null(&" in text:
        return
    expression = query.compile(text)
    assert outcome(expression, replaced(document, SENSITIVE)) == outcome(expression, document)


@thorough
@given(cases(extra=True, unknowns=False, community=True))
def test_a_tree_written_out_parses_to_itself(case: Any) -> None:
    """`unparse` and the parser undo each other."""
    tree = parse(case[0])
    assert outline(parse(unparse(tree))) == outline(tree)


def outline(tree: Any) -> Any:
    """Write down a tree without the columns of its parts."""
    if isinstance(tree, tuple):
        return [outline(part) for part in tree]
    if not isinstance(tree, Part):
        return tree
    fields = [name for name in tree.__struct_fields__ if name != "column"]
    return [type(tree).__name__, *(outline(getattr(tree, name)) for name in fields)]


@pytest.mark.slow
@thorough
@given(cases(extra=True, unknowns=True, community=True))
def test_a_trace_begins_with_the_whole(case: Any) -> None:
    """The first step of a trace says what `judge` says, and no expression breaks it."""
    text, document, _ = case
    expression = query.compile(text)
    first = expression.trace(document)[0]
    assert first.depth == 0
    if "not_null(&" in text:
        return
    if first.error is None:
        judgement = expression.judge(document)
        assert (repr(first.value), first.may_raise) == (repr(judgement.value), judgement.may_raise)
