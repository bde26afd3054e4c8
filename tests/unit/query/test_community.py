"""Arithmetic, the ternary, and where JMESPath Community and jmespath.org disagree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tfgate import query
from tfgate.query import SENSITIVE, UNKNOWN, EvaluationError, ExpressionError
from tfgate.query.coverage import watched
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.mutants import Mutants
from tfgate.query.parsing import parse
from tfgate.query.shapes import infer, of_value
from tfgate.query.unparse import unparse

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "language.md"
DOCUMENT = {"a": 7, "b": 2, "c": {"d": 3}, "list": [1, 2, 3], "s": "text", "n": None, "z": 0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a + b * c.d", 13),
        ("(a + b) * c.d", 27),
        ("a - b - `1`", 4),
        ("a - (b - `1`)", 6),
        ("a / b", 3.5),
        ("`6` / b", 3),
        ("a // b", 3),
        ("-a // b", -4),
        ("-a % b", 1),
        ("a % b", 1),
        ("a * b / b", 7),
        ("a * (b / `4`)", 3.5),
        ("-a + b", -5),
        ("- -a", 7),
        ("+a", 7),
        ("-c.d", -3),
        ("-list[0]", -1),
        ("a \N{MINUS SIGN} b \N{MULTIPLICATION SIGN} b \N{DIVISION SIGN} b", 5),
        ("a + b > c.d * b", True),
        ("a == b + `5`", True),
        ("list[?@ * `2` > $.a - `3`]", [3]),
        ("list[*].[@ * `2`][]", [2, 4, 6]),
        ("map(&(@ * $.b), list)", [2, 4, 6]),
        ("sum(list) * `100` / length(list)", 200),
        ("list[-1]", 3),
        ("list[:-1]", [1, 2]),
        ("{k: a - b}", {"k": 5}),
        ("let $x = list[] in sum($x) * b", 12),
        ("c.* | [0] * `2`", 6),
        ("* | length(@) * `2`", 12),
        ("let $x = c in * | length(@)", 6),
        ("`1e300` * `1e8`", 1e308),
        ("a ? b : z", 2),
        ("n ? b : s", "text"),
        ("n ? a : z ? b : s", 2),
        ("a ? n ? `1` : `2` : `3`", 2),
        ("a > b && b > c.d ? 'x' : 'y'", "y"),
        ("a | @ > `1` ? 'x' : 'y'", "x"),
        ("n ? a : list | [0]", 1),
        ("[a ? 'x' : 'y', b]", ["x", 2]),
        ("{k: n ? 'x' : 'y'}", {"k": "y"}),
        ("list[?@ > `1` ? $.a : $.n]", [2, 3]),
        ("!n ? 'x' : 'y'", "x"),
        ("a ? let $x = b in $x : s", 2),
        ("n ? abs(s) : 'fine'", "fine"),
    ],
)
def test_operators(text: str, found: Any) -> None:
    """Precedence is the specification's, and what is written out again means the same."""
    value = query.search(text, DOCUMENT)
    assert value == found
    assert type(value) is type(found)
    assert query.search(unparse(parse(text)), DOCUMENT) == found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a / z", "not-a-number"),
        ("a // z", "not-a-number"),
        ("a % z", "not-a-number"),
        ("`1e308` * `10`", "not-a-number"),
        ("`1e308` + `1e308`", "not-a-number"),
        ("-`1e308` - `1e308`", "not-a-number"),
        ("a + s", "invalid-type"),
        ("s + s", "invalid-type"),
        ("n + a", "invalid-type"),
        ("a * `true`", "invalid-type"),
        ("-s", "invalid-type"),
        ("list + list", "invalid-type"),
        (" * ".join(["`1e200`"] * 2), "not-a-number"),
        (f"`{10**308}` * `{10**308}`", "not-a-number"),
        (f"`{10**400}` / `3`", "not-a-number"),
        (f"`{10**400}` - `0.5`", "not-a-number"),
        ("sum_by(list, &`1e308`)", "not-a-number"),
    ],
)
def test_what_is_no_number_is_an_error(text: str, kind: str) -> None:
    """Neither NaN nor infinity comes out, nor an integer without end."""
    with pytest.raises(EvaluationError) as caught:
        query.search(text, DOCUMENT)
    assert caught.value.kind == kind
    assert caught.value.position is not None or "sum_by" in text


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a +", 3),
        ("a ? b", 5),
        ("a ? b :", 7),
        ("a ? : b", 4),
        ("* 2", 2),
        ("a -1", 2),
        ("a / / b", 4),
    ],
)
def test_malformed_operators(text: str, position: int) -> None:
    """The column is that of the token that cannot follow."""
    with pytest.raises(ExpressionError) as caught:
        query.compile(text)
    assert (caught.value.kind, caught.value.position) == ("syntax", position)


@pytest.mark.parametrize(
    ("text", "truth", "may_raise"),
    [
        ("u + `1`", True, True),
        ("length(l) + `1` > `0`", True, False),
        ("length(l) * `2` - `1` > `2`", None, False),
        ("length(l) * `2` < `9`", True, False),
        ("`10` / length(one)", True, False),
        ("`10` / length(l)", True, True),
        ("u / `2`", True, True),
        ("-length(l) <= `0`", True, False),
        ("u ? 'x' : 'y'", True, False),
        ("u ? '' : `[]`", False, False),
        ("u ? 'x' : ''", None, False),
        ("u ? abs(s) : 'y'", True, True),
        ("(u ? 'x' : 'x') == 'x'", True, False),
        ("s ? u : 'x'", None, False),
        ("let $x = u in ($x || 'd')", True, False),
        ("let $x = abs(u) in s || $x", True, False),
        ("secret + `1` > `0`", None, True),
        ("secret ? 'x' : 'y'", True, False),
        ("list[?@ > $.u] | sum_by(@, &@) > `0`", None, True),
    ],
)
def test_of_unknowns(text: str, truth: bool | None, may_raise: bool) -> None:
    """What all completions agree on is known, whether or not a part of it is."""
    document = {
        "u": UNKNOWN,
        "secret": SENSITIVE,
        "s": "text",
        "l": query.compile("list[?u]").judge({"u": 1, "list": [{"u": UNKNOWN}] * 4}).value,
        "one": [UNKNOWN],
        "list": [1, 2],
    }
    judged = query.compile(text).judge(document)
    assert (judged.truth, judged.may_raise) == (truth, may_raise)


@pytest.mark.parametrize("text", ["u / z", "u % z", "u + s", "u ? abs(s) : abs(n)", "-u + n"])
def test_what_fails_whatever_an_unknown_becomes(text: str) -> None:
    """It is an error, which denies, and not an unknown."""
    with pytest.raises(EvaluationError):
        query.compile(text).judge({**DOCUMENT, "u": UNKNOWN})


def test_a_trace_shows_the_branch_that_was_taken() -> None:
    """The other is not evaluated."""
    steps = query.compile("a > b ? s : n.x").trace(DOCUMENT)
    assert [(s.text, s.value, s.evaluated) for s in steps] == [
        ("a > b ? s : n.x", "text", True),
        ("a > b", True, True),
        ("a", 7, True),
        ("b", 2, True),
        ("s", "text", True),
        ("n.x", None, False),
    ]


def test_the_condition_of_a_ternary_is_watched() -> None:
    """Coverage says which side no example has taken."""
    expression, conditions = watched("a ? b : s")
    expression.search(DOCUMENT)
    assert [(c.text, c.within, c.missing) for c in conditions] == [("a", "? :", (False,))]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a + b > c", {"a - b > c", "a + b >= c", "a_x + b > c"}),
        ("a * b", {"a / b"}),
        ("a // b", {"a / b"}),
        ("-a", {"a"}),
        ("a ? b : s", {"b", "s", "a_x ? b : s"}),
        ("let $x = a in $x", {"let $x = a_x in $x"}),
        ("$params.max > `1`", {"$params.max >= `1`", "$params.max > `2`"}),
    ],
)
def test_mutants(text: str, changed: set[str]) -> None:
    """Operators are swapped, branches fixed, signs dropped; declared names stay."""
    made = {mutant.text for mutant in Mutants(text)}
    assert changed <= made
    assert not any("max_x" in mutant for mutant in made)


def test_shapes_of_operators() -> None:
    """Arithmetic gives a number; a ternary what the branches give that are reached."""
    root = of_value(DOCUMENT)
    table = FunctionTable.default()

    def remarks(text: str) -> list[tuple[str, str]]:
        found = infer(query.compile(text), root, table=table)
        return [(remark.kind.value, remark.text) for remark in found.remarks]

    assert infer(query.compile("a + b"), root, table=table).shape.words == "number"
    assert remarks("a + s") == [("type-raises", "s")]
    assert remarks("`1` ? a.x : s.x") == [("field-of-scalar", "a.x")]
    assert remarks("c.e ? `1` : `2`") == [("unknown-field", "c.e")]


def test_the_page_lists_where_the_two_specifications_disagree() -> None:
    """jmespath.org wins: each row of the table is what tfgate does."""
    text = PAGE.read_text(encoding="utf-8").partition("## Where the two disagree")[2]
    rows = re.findall(r"^\| (`+) ?(.+?) ?\1 \| `(.+?)` \| (?:`.+?`|.+?) \|", text, re.MULTILINE)
    assert len(rows) == 8
    for _, expression, result in rows:
        assert query.search(expression.replace("\\|", "|"), {}) == json.loads(result)
