"""``let``, variables given from outside, and ``$``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tfgate import query
from tfgate.query import (
    UNKNOWN,
    EvaluationError,
    ExpressionError,
    MayRaise,
    Scope,
)
from tfgate.query.coverage import watched
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.parsing import parse
from tfgate.query.shapes import infer, of_value
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from tfgate.query.state import State


class Given(Scope):
    """A scope with values, which counts how often it is asked."""

    def __init__(self, **variables: Any) -> None:
        self.variables = variables
        self.asked: list[str] = []

    def variable(self, name: str, state: State) -> Any:
        """Return a value."""
        self.asked.append(name)
        return super().variable(name, state)


def search(text: str, document: Any, **given: Any) -> Any:
    """Evaluate with variables given from outside."""
    return query.compile(text, variables=given).search(document, Given(**given))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("let $x = a in b[?v > $x].n", ["two"]),
        ("let $x = a, $y = b[0].v in [$x, $y]", [1, 1]),
        ("let $x = a in let $y = $x in [$y, $x]", [1, 1]),
        ("let $x = a in [let $x = b[1].v in $x, $x]", [2, 1]),
        ("b[*].[let $n = n in $n, v][0]", [["one", 1], ["two", 2]][0]),
        ("b[].[let $n = n in [$n, $.a]][]", [["one", 1], ["two", 1]]),
        ("map(&[$.a, v], b)", [[1, 1], [1, 2]]),
        ("let $x = a in map(&[$x, v], b)", [[1, 1], [1, 2]]),
        ("let $x = a | @ in $x | [@, $x]", [1, 1]),
        ("let $x = b[*].v in $x[0]", 1),
        ("b[?v == $.a] | [0].n", "one"),
        ("let $unused = abs('x') in a", 1),
        ("let $let = a, $in = a in [$let, $in]", [1, 1]),
        ("$.b[0].n", "one"),
        ("b[0] | [n, $.b[1].n]", ["one", "two"]),
        ("(let $x = a in {v: $x}).v", 1),
    ],
)
def test_of_what_variables_are(text: str, found: Any) -> None:
    """Scope is lexical; a binding is evaluated on the value that the `let` is evaluated on."""
    document = {"a": 1, "b": [{"n": "one", "v": 1}, {"n": "two", "v": 2}]}
    assert query.search(text, document) == found
    written = unparse(parse(text))
    assert query.search(written, document) == found


def test_let_and_in_are_names_everywhere_else() -> None:
    """They are no reserved words."""
    assert query.search("let.in | [@, in]", {"let": {"in": {"in": 1}}}) == [{"in": 1}, 1]
    assert query.search("let $let = let in $let", {"let": 1}) == 1


@pytest.mark.parametrize(
    ("text", "kind", "position"),
    [
        ("a || $nope", "undefined-variable", 5),
        ("let $x = $y, $y = a in $x", "undefined-variable", 9),
        ("[let $x = a in $x, $x]", "undefined-variable", 19),
        ("$params.max", "undefined-variable", 0),
        ("a.$x", "syntax", 2),
        ("let $x = a", "syntax", 10),
        ("let $x a in $x", "syntax", 7),
        ("let $x = a, in $x", "syntax", 12),
        ("let x = a in x", "syntax", 4),
        ("$ x", "syntax", 2),
        ("let $x = &a in map($x, b)", "invalid-type", 10),
        ("let $x = a in not_null(&$x)", "invalid-type", 24),
    ],
)
def test_mistakes_are_found_when_it_is_compiled(text: str, kind: str, position: int) -> None:
    """A name that nothing binds is one of them; a column is named."""
    with pytest.raises(ExpressionError) as caught:
        query.compile(text)
    assert (caught.value.kind, caught.value.position) == (kind, position)


def test_the_nearest_name_is_named() -> None:
    """Of those in scope: given ones and bound ones."""
    with pytest.raises(ExpressionError) as caught:
        query.compile("let $subnet = a in $subnt", variables=["params"])
    assert caught.value.hint == "Did you mean $subnet?"
    with pytest.raises(ExpressionError) as caught:
        query.compile("$parms.x", variables=["params", "data"])
    assert caught.value.hint == "Did you mean $params?"


@pytest.mark.parametrize("text", ["let $a = x, $a = y in $a", "let $params = x in $params"])
def test_what_is_bound_twice_is_a_problem(text: str) -> None:
    """The specification allows it, and it is a mistake."""
    (problem,) = query.compile(text, variables=["params"]).problems
    assert "binds $" in str(problem)


def test_variables_are_given_by_the_scope() -> None:
    """Objects, values with unknowns in them, and what holds for some completions alone."""
    params = {"max": 3, "names": ["a"]}
    assert search(
        "contains($params.names, n) && v <= $params.max", {"n": "a", "v": 3}, params=params
    )
    assert search("$x || `true`", {}, x=UNKNOWN) is UNKNOWN
    expression = query.compile("$x == 'a'", variables=["x"])
    assert expression.verdict({}, Given(x=MayRaise("a"))) is None
    assert expression.judge({}, Given(x=MayRaise("a"))).truth is True
    with pytest.raises(EvaluationError, match=r"\$x has no value"):
        expression.search({})
    with pytest.raises(EvaluationError, match=r"\$x has no value"):
        expression.search({}, Given())


def test_a_scope_is_not_asked_for_what_is_not_evaluated() -> None:
    """A short circuit and a binding that nobody uses ask for nothing."""
    given = Given(x=1)
    expression = query.compile("let $y = $x in a || $y", variables=["x"])
    assert expression.search({"a": 1}, given) == 1
    assert given.asked == []
    assert expression.search({"a": None}, given) == 1
    assert given.asked == ["x"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("$params.max", {("params",), ("params", "max")}),
        ("$params.bad[?contains(@, $data.f.k)]", {("params",), ("params", "bad"), ("data",),
         ("data", "f"), ("data", "f", "k")}),
        ("let $p = $params in $p.typo", {("params",), ("params", "typo")}),
        ("sort_by(a, &$params.key)", {("params",), ("params", "key")}),
        ("($params || a).x", {("params",), ("params", "x")}),
        ("a.*.[$params.x]", {("params",), ("params", "x")}),
        ("keys($params)", {("params",)}),
        ("\"$params\".x", set()),
    ],
)  # fmt: skip
def test_what_is_read_of_them_is_known(text: str, paths: set[tuple[str, ...]]) -> None:
    """So that a loader can refuse `$params.typo`."""
    assert set(query.compile(text, variables=["params", "data"]).variables) == paths


def test_the_column_of_what_is_read() -> None:
    """It is that of the step that is read."""
    found = query.compile("a || $params.max", variables=["params"]).variables
    assert found == {("params",): 5, ("params", "max"): 13}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("b[?x == $.a]", {("b",), ("a",)}),
        ("sort_by(b, &$.a)", {("b",), ("a",)}),
        ("b.*.[$.a.c]", {("b",), ("a", "c")}),
        ("let $x = a in b[?x == $x.y]", {("b",), ("a", "y")}),
        ("let $x = a.b in $x.c", {("a", "b", "c")}),
        ("$", {()}),
        ("b[*].[$]", {()}),
        ("let $x = a, $y = c in $x", {("a",)}),
    ],
)
def test_what_is_read_of_the_document(text: str, paths: set[tuple[str, ...]]) -> None:
    """The root and variables lead back to the document."""
    assert query.compile(text).reads == paths


def test_an_unknown_binding_is_unknown_each_time() -> None:
    """What may raise where it is evaluated may raise wherever the variable stands."""
    judged = query.compile("let $x = a in ($x || 'd') == 'd'").judge({"a": UNKNOWN})
    assert judged.truth is None
    assert not judged.may_raise
    judged = query.compile("let $x = abs(a) in [u && $x, $x][1] > `0` || `true`").judge(
        {"a": UNKNOWN, "u": UNKNOWN}
    )
    assert judged.truth is True
    assert judged.may_raise
    expression = query.compile("let $x = abs(a) in [u && $x, b]")
    assert expression.judge({"a": "x", "u": UNKNOWN, "b": 1}).may_raise
    with pytest.raises(EvaluationError):
        query.compile("let $x = abs(a) in [u && $x, $x]").judge({"a": "x", "u": UNKNOWN})


def test_many_uses_of_a_failing_binding_do_not_multiply() -> None:
    """A binding is evaluated once, whether it gives a value or fails."""
    lines = ["let $x0 = abs(s) in"]
    lines += [f"let $x{n} = [u && $x{n - 1}, u && $x{n - 1}, abs(s)] in" for n in range(1, 50)]
    judged = query.compile(" ".join([*lines, "u && $x49"])).judge({"s": "x", "u": UNKNOWN})
    assert judged.may_raise


def test_the_trace_shows_variables() -> None:
    """Bindings come before the body, and each variable has its value."""
    steps = query.compile("let $x = a in b[?@ == $x] && $x").trace({"a": 1, "b": [1]})
    assert [(step.text, step.value) for step in steps] == [
        ("let $x = a in b[?@ == $x] && $x", 1),
        ("a", 1),
        ("b[?@ == $x] && $x", 1),
        ("b[?@ == $x]", [1]),
        ("b", [1]),
        ("$x", 1),
    ]


def test_conditions_inside_of_let_are_watched() -> None:
    """Coverage reaches bindings and body."""
    expression, conditions = watched("let $x = a && b in any(c, &@ == $x)")
    expression.search({"a": 1, "b": 2, "c": [1, 2]})
    assert {(c.text, tuple(sorted(c.seen))) for c in conditions} == {
        ("a", (True,)),
        ("b", (True,)),
        ("@ == $x", (False, True)),
    }


def test_shapes_of_variables() -> None:
    """A binding has the shape of its value, also inside of a filter; `$` is the root."""
    root = of_value({"a": {"v": 1}, "b": ["x"]})
    table = FunctionTable.default()
    found = infer(query.compile("let $x = a in b[?$x.w == @]"), root, table=table)
    assert [(r.kind.value, r.text) for r in found.remarks] == [("unknown-field", "$x.w")]
    found = infer(query.compile("b[?$.a.w == @]"), root, table=table)
    assert [(r.kind.value, r.text) for r in found.remarks] == [("unknown-field", "a.w")]
