"""What is definite although something in the document is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tfgate import query
from tfgate.query import UNKNOWN

PORTS = {"from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}
OPEN = "ingress[?from_port <= `22` && to_port >= `22` && contains(cidr_blocks, '0.0.0.0/0')]"

DOCUMENT: dict[str, Any] = {
    "u": UNKNOWN,
    "t": True,
    "f": False,
    "n": None,
    "s": "x",
    "list": ["a", UNKNOWN, "b"],
    "unknowns": [UNKNOWN, UNKNOWN],
    "object": {"k": UNKNOWN, "known": 1},
    "rules": [{"p": UNKNOWN}, {"p": 22}],
    "others": [{"p": UNKNOWN}, {"p": 80}],
    "groups": [{"c": UNKNOWN}, {"c": ["0.0.0.0/0"]}],
    "empty": [],
}

DEFINITE = [
    # Kleene's and, or and not
    ("u || `true`", True),
    ("`true` || u", True),
    ("u || 'x'", True),
    ("u || t", True),
    ("u && f", False),
    ("u && `false`", False),
    ("f && u", False),
    ("u && n", False),
    ("!(u && f)", True),
    ("!(u || t)", False),
    ("u && u && f", False),
    ("u || u || t", True),
    ("(u && f) || t", True),
    ("(u || `[]`) && f", False),
    ("f && length(`5`)", False),
    ("t || length(`5`)", True),
    # filters and projections
    ("rules[?p == `22`]", True),
    ("length(rules[?p == `22`]) > `0`", True),
    ("length(rules[?p == `22`]) >= `2`", None),
    ("length(rules[?p == `22`]) == `0`", False),
    ("length(rules[?p == `22`]) != `3`", True),
    ("length(others[?p == `22`]) > `0`", None),
    ("length(others[?p == `22`]) < `2`", True),
    ("rules[?p == `22`].p", True),
    ("empty[?u]", False),
    ("rules[?f && u]", False),
    ("list[*]", True),
    ("list[0]", True),
    ("list[-1] == 'b'", True),
    ("unknowns[9]", False),
    ("groups[].c[]", True),
    ("contains(groups[].c[], '0.0.0.0/0')", True),
    ("rules[?p == `22`][]", True),
    ("[u]", True),
    ("[u, u][1:]", None),
    ("{a: u}", True),
    ("u.[t]", None),
    # contains
    ("contains(list, 'a')", True),
    ("contains(list, 'b')", True),
    ("contains(list, 'c')", None),
    ("contains(object.known | [@], `1`)", True),
    ("contains(['a', 'b'], 'c')", False),
    # sizes and types
    ("length(unknowns) == `2`", True),
    ("length(list) > `2`", True),
    ("length(object) == `2`", True),
    ("keys(object) == ['k', 'known']", True),
    ("contains(values(object), `1`)", True),
    ("length(values(object)) == `2`", True),
    ("type(list) == 'array'", True),
    ("type(object) == 'object'", True),
    ("type(u == s) == 'boolean'", True),
    ("type(u) == 'x'", None),
    ("type(u)", True),
    ("length(to_array(s)) == `1`", True),
    ("to_array(object) == n", False),
    ("not_null(u, 'x')", None),
    ("not_null(u, 'x') != n", True),
    ("not_null(n, 'x') == 'x'", True),
    ("not_null(n, n, u, `1`) == n", False),
    # comparisons
    ("n >= `22`", False),
    ("n < u", False),
    ("object != n", True),
    ("object == n", False),
    ('list == `["a"]`', False),
    ('list == `["a", "x", "c"]`', False),
    ('list == `["a", "x", "b"]`', None),
    ("object == {k: s, known: `2`}", False),
    ("object == {k: s, other: `1`}", False),
    ("u == u", None),
    ("u == `1`", None),
    ("(u == s) == s", False),
    # functions
    ("merge(object, {known: `2`}).known == `2`", True),
    ("starts_with(s, 'x')", True),
    ("reverse(list)[0] == 'b'", True),
    ("reverse(list)[1]", None),
    ("length(map(&p, rules)) == `2`", True),
    ("map(&p, rules)[1] == `22`", True),
    ("length(sort_by(others, &'k')) == `2`", True),
    ("max_by([{k: `1`, v: u}, {k: `2`, v: s}], &k).v == s", True),
    ("any(list, &@ == 'a')", True),
    ("all(list, &@ == 'a')", False),
    ("none(list, &@ == 'a')", False),
    ("any(rules, &p == `22`)", True),
    ("contains(unique(list), 'b')", None),
    ("u[?@ == 'x'] || t", True),
    ("u.a.b.c || t", True),
]


@pytest.mark.parametrize(("expression", "verdict"), DEFINITE)
def test_verdict_with_unknowns(expression: str, verdict: bool | None) -> None:
    """The verdict is as definite as the table says, and no more."""
    assert query.compile(expression).verdict(DOCUMENT) is verdict


@pytest.mark.parametrize("sibling", [UNKNOWN, {**PORTS, "cidr_blocks": UNKNOWN}])
def test_one_unknown_rule_does_not_hide_an_open_one(sibling: Any) -> None:
    """The truth is known; that some completion raises (contains on null) is said beside it."""
    judgement = query.compile(OPEN).judge({"ingress": [sibling, PORTS]})
    assert judgement.truth is True
    assert judgement.may_raise
    assert judgement.verdict is None


def test_one_unknown_element_of_the_blocks_does_not_hide_the_open_one() -> None:
    """With nothing that could raise, the verdict itself is definite."""
    blocks = [UNKNOWN, "0.0.0.0/0"]
    assert query.compile(OPEN).verdict({"ingress": [{**PORTS, "cidr_blocks": blocks}]}) is True


def test_an_error_in_some_completions_makes_the_verdict_unknown() -> None:
    """length() of something unknown is a number or an error."""
    judgement = query.compile("length(u)").judge(DOCUMENT)
    assert (judgement.truth, judgement.may_raise, judgement.verdict) == (True, True, None)


def test_an_error_behind_an_unknown_condition_is_no_error() -> None:
    """Only the completions that reach the call raise; those that do not are falsy."""
    judgement = query.compile("u && length(s == s)").judge(DOCUMENT)
    assert (judgement.truth, judgement.may_raise) == (False, True)


def test_an_unknown_document_is_all_documents() -> None:
    """The root may be unknown as a whole."""
    assert query.compile("a.b || `1`").verdict(UNKNOWN) is True
    assert query.compile("a.b").verdict(UNKNOWN) is None
    assert query.compile("@").search(UNKNOWN) is UNKNOWN
