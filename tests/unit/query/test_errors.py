"""Errors name the function and the column, and no value."""

from __future__ import annotations

from typing import Any

import pytest

from tfgate import query
from tfgate.query import EvaluationError, ExpressionError


@pytest.mark.parametrize(
    ("text", "position", "kind", "words"),
    [
        ("", 0, "syntax", "empty"),
        ("a.", 2, "syntax", "too early"),
        ("a.b[?c == 'x' d]", 14, "syntax", "'d'"),
        ("a ^ b", 2, "syntax", "cannot be read"),
        ("a # b", 2, "syntax", "no comments"),
        ("contains(a, lentgh(b))", 12, "unknown-function", "length()"),
        ("a[?x].lower(@, b)", 6, "invalid-arity", "takes 1 argument, not 2"),
        ("any()", 0, "invalid-arity", "takes 1 to 2 arguments"),
        ("a && not_null()", 5, "invalid-arity", "at least 1 argument"),
        ("a || matches(b, '(')", 5, "invalid-value", "RE2"),
        ("split(a, ',', `-1`)", 0, "invalid-value", "count"),
        ("pad_left(a, `3`, '')", 0, "invalid-value", "one character"),
        ("find_first(a, 'b', `0.5`)", 0, "invalid-value", "integers"),
        ("date_add('31.1.2026', `1`)", 0, "invalid-value", "2026-01-31"),
        ("replace(a, 'b', `1`)", 0, "invalid-type", "replace() takes string"),
        ("lower(`1`)", 0, "invalid-type", "lower() takes string"),
        ("semver_satisfies(a, 'about 5')", 0, "invalid-value", "constraint"),
        ("cidr_is_public('10.0.0.0/99')", 0, "invalid-value", "IP network"),
    ],
)
def test_a_mistake_is_found_when_compiled(text: str, position: int, kind: str, words: str) -> None:
    """The error says what is wrong and points at it."""
    with pytest.raises(ExpressionError) as caught:
        query.compile(text)
    assert caught.value.position == position
    assert caught.value.kind == kind
    assert words in str(caught.value)
    assert caught.value.expression == text


@pytest.mark.parametrize(
    ("text", "function", "position"),
    [
        ("a == 'x' || length(b)", "length", 12),
        ("join(',', c)", "join", 0),
        ("c[*].abs(@)", "abs", 5),
        ("a == 'x' || parse_json(s)", "parse_json", 12),
        ("age_days(s)", "age_days", 0),
    ],
)
def test_a_failing_call_is_named_and_its_value_is_not(
    text: str, function: str, position: int
) -> None:
    """A value may be secret; the column and the types are enough to find the mistake."""
    document = {"a": "secret", "b": 7777, "c": ["secret", 1], "s": "secret"}
    with pytest.raises(EvaluationError) as caught:
        query.compile(text).search(document)
    assert (caught.value.function, caught.value.position) == (function, position)
    assert "secret" not in str(caught.value)
    assert "7777" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_call_that_always_fails_is_a_problem_though_not_an_error() -> None:
    """JMESPath finds it only when it gets there, so it compiles; loaders can refuse it."""
    expression = query.compile("a && length(`5`)")
    assert [problem.position for problem in expression.problems] == [5]
    assert expression.search({"a": False}) is False


def test_a_negation_that_misses_its_path_is_a_problem() -> None:
    """``!a.b`` is ``(!a).b`` to JMESPath: a rule made of it never fires."""
    expression = query.compile("x || !after.tags.Owner")
    (problem,) = expression.problems
    assert problem.position == 5
    assert problem.hint == "Write !(after.tags.Owner)."
    assert query.compile("!(after.tags.Owner) && !after[0]").problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + "a" + ")" * 3000,
        "!" * 3000 + "a",
        "a" + "[*]" * 3000,
        "[" * 3000,
        "length(" * 3000 + "a" + ")" * 3000,
        "`" + "[" * 5000 + "]" * 5000 + "`",
        "a" * 30_000,
        "a == b" + " == b" * 500,
        "a[" + "9" * 5000 + "]",
    ],
)
def test_an_expression_that_is_too_large_is_refused(text: str) -> None:
    """No expression makes the interpreter run out of stack."""
    with pytest.raises((ExpressionError, EvaluationError)) as caught:
        query.compile(text).search({"a": 1})
    assert len(str(caught.value)) < 400


def test_a_long_chain_is_not_a_deep_one() -> None:
    """A hundred alternatives are one level."""
    text = " || ".join(f"a == '{number}'" for number in range(900))
    assert query.compile(text).verdict({"a": "899"}) is True


@pytest.mark.parametrize("sign", ["||", "&&", "|"])
def test_everything_about_a_long_chain_is_told(sign: str) -> None:
    """What a chain reads, its steps, and its text need no deeper stack than its value does."""
    expression = query.compile(f" {sign} ".join(["a"] * 3000))
    document = {"a": True}
    assert {path[0] for path in expression.reads} == {"a"}
    assert len(expression.trace(document)) >= 1
    assert expression.trace(document)[0].text == expression.text


@pytest.mark.slow
def test_a_deep_document_gives_an_error() -> None:
    """However deep the document is, the answer is an error of ours."""
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    other: Any = "x"
    for _ in range(100_000):
        other = [other]
    for text in ("a == b", "to_string(a)", "contains([a], b)", "unique([a, b])"):
        with pytest.raises(EvaluationError):
            query.compile(text).search({"a": deep, "b": other})
    assert query.compile("a == b").verdict({"a": deep, "b": other}) is None
