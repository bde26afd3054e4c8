"""Mutants: each kind of change is made, each text once, and all of them compile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.support.query_settings import cases, thorough
from tfgate import query
from tfgate.query import ExpressionError
from tfgate.query.mutants import Mutants


def _texts(text: str) -> set[str]:
    return {mutant.text for mutant in Mutants(text)}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a && b && c", {"b && c", "a && c", "a && b"}),
        ("a && b", {"a || b", "!a && b", "a && !b", "!(a && b)"}),
        ("a || b", {"a && b", "a", "b"}),
        ("!a", {"a"}),
        ("a == 'x'", {"a != 'x'", "a == 'x_x'", "a_x == 'x'"}),
        ("a < `3`", {"a <= `3`", "a >= `3`", "a < `4`"}),
        ("a <= `3`", {"a < `3`", "a > `3`"}),
        ("a == `true`", {"a == `false`"}),
        ("contains(`[1, 2]`, a)", {"contains(`[2]`, a)", "contains(`[1]`, a)"}),
        ("contains(['x', 'y'], a)", {"contains(['x_x', 'y'], a)", "contains(['x', 'y_x'], a)"}),
        ("a.b[0]", {"a_x.b[0]", "a.b_x[0]", "a.b[1]"}),
        ("x[?a].b", {"x[*].b", "x[?!a].b"}),
        ("any(x, &a)", {"all(x, &a)"}),
        ("all(x, &a)", {"any(x, &a)"}),
        ("none(x, &a)", {"any(x, &a)"}),
        ("matches(a, '^b$')", {"matches(a, 'b$')", "matches(a, '^b')"}),
        ("a.{k: b}", {"a.{k: b_x}"}),
        ("x[*].a == `null`", {"x[*].a != `null`"}),
    ],
)
def test_kinds_of_changes(text: str, changed: set[str]) -> None:
    """These are among the mutants."""
    assert changed <= _texts(text)


def test_each_once_and_never_the_expression_itself() -> None:
    """Two changes that come to the same text are one; labels are unique as well."""
    found = list(Mutants("a.a.a && (a == 'x' || a == 'x')"))
    assert len({mutant.text for mutant in found}) == len(found)
    assert len({mutant.change for mutant in found}) == len(found)
    assert "a.a.a && (a == 'x' || a == 'x')" not in _texts("a.a.a && (a == 'x' || a == 'x')")


def test_all_of_them_compile() -> None:
    """What is written out parses, whatever it is nested in."""
    text = "!(a.b[?x == `1` && !(y || z[0])].{k: c} || any(d[].e, &(@ > `1`))) | [0].k.f[*].g"
    for mutant in Mutants(text):
        query.compile(mutant.text)


def test_declared_names_are_left_alone() -> None:
    """A wrong name of a parameter is a mistake that the loader finds."""
    assert not [text for text in _texts("contains($params.types, a)") if "types_x" in text]


@thorough
@given(cases(extra=True, unknowns=False))
def test_any_expression_has_mutants_that_compile(case: Any) -> None:
    """Whatever is changed in whatever expression parses; a literal may be refused by a function."""
    text, _, _ = case
    assert not [mutant for mutant in Mutants(text) if _refused_as(mutant.text) == "syntax"]


def _refused_as(text: str) -> str | None:
    try:
        query.compile(text)
    except ExpressionError as error:
        return error.kind
    return None


def test_some_of_them_are_from_all_over_the_expression() -> None:
    """They are made alone, and have the texts that they have among all."""
    text = " || ".join(f"a == '{number}'" for number in range(40))
    found = Mutants(text)
    some = [mutant.text for mutant in found.some(10)]
    assert len(some) == 10
    assert set(some) < _texts(text)
    assert some == [mutant.text for mutant in Mutants(text).some(10)]
    places = [next(at for at, sign in enumerate(text) if one[at] != sign) for one in some]
    assert sum(at < len(text) / 2 for at in places) in (4, 5, 6)
    assert {"_x" in one for one in some} == {True, False}
    assert list(found.some(0)) == []
    assert found.count >= len(list(found.some(1_000))) == len(list(found))
