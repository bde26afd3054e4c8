"""How many examples the evaluator's property tests try, and how documents are drawn."""

from __future__ import annotations

import os
from typing import Any

import jmespath
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from tests.support.query_grammar import SMALL, Grammar, literals_of, parts_of
from tfgate import query
from tfgate.query import ExpressionError

EXAMPLES = int(os.environ.get("TFGATE_HYPOTHESIS_EXAMPLES", "300"))
"""A long session sets it to many thousands."""

thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def is_expression(text: str) -> bool:
    """Whether jmespath can parse the text."""
    try:
        jmespath.compile(text)
    except ValueError:
        return False
    return True


def is_community_expression(text: str) -> bool:
    """Whether it is an expression with what JMESPath's community has added."""
    try:
        query.compile(text)
    except ExpressionError:
        return False
    return True


def is_refused(text: str) -> bool:
    """Whether a literal argument of one of tfgate's own functions is refused, such as ``''``."""
    try:
        query.compile(text)
    except ExpressionError:
        return True
    return False


@st.composite
def grammars(draw: st.DrawFn, *, extra: bool, community: bool = False) -> Grammar:
    """Draw a grammar whose every choice is Hypothesis's."""
    return Grammar(lambda options: draw(st.sampled_from(options)), extra=extra, community=community)


@st.composite
def cases(
    draw: st.DrawFn, *, extra: bool, unknowns: bool, community: bool = False
) -> tuple[str, Any, Grammar]:
    """Draw an expression, a document for it, and the grammar to draw more with."""
    grammar = draw(grammars(extra=extra, community=community))
    text = grammar.expression(draw(st.sampled_from((1, 2, 3, 4))))
    if community:
        assume(is_community_expression(text))
    else:
        assume(is_expression(text) and not (extra and is_refused(text)))
    return text, grammar.root(unknowns=unknowns), grammar


@st.composite
def completed_cases(
    draw: st.DrawFn, *, extra: bool, community: bool = False
) -> tuple[str, Any, list[Any]]:
    """Draw an expression, a document with unknowns, and several of its completions."""
    text, document, grammar = draw(cases(extra=extra, unknowns=True, community=community))
    known = parts_of(document) + [part for value in literals_of(text) for part in parts_of(value)]
    pool = (*SMALL, *known, *known)
    return text, document, [grammar.complete(document, pool) for _ in range(5)]
