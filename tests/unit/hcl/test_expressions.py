"""Which texts are expressions, what kind each is, and that none is too much to read."""

from __future__ import annotations

import pytest

from tests.support.fuzzing.limits import bounded_time
from tfgate.hcl.expressions import MAX_DEPTH, TOO_DEEP, Node, read_block
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.scanner import scan

BEFORE = "b {\n  x = "


def read(text: str) -> Node:
    text = f"{BEFORE}{text}\n}}\n"
    body = scan(text)
    if body.error is not None:
        raise body.error
    return read_block(text, body.blocks[0]).arguments[0][1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "Number"),
        ("-1", "Number"),
        ("(- 1.5e3)", "Number"),
        ("--1", "Code"),
        ("-(1)", "Code"),
        ("null", "Word"),
        ("((true))", "Word"),
        ("nulls", "Code"),
        ('"a${b}"', "Text"),
        ("<<E\nE", "Text"),
        ('("a")', "Text"),
        ('"a"[0]', "Code"),
        ("[1, a,]", "Items"),
        ("[for a in b : a]", "Code"),
        ("[forty]", "Items"),
        ("[1][0]", "Code"),
        ("{}", "Members"),
        ("{ a = 1, b : 2 }", "Members"),
        ("{ for a, b in c : a => b... if d }", "Code"),
        ("{ a = 1 }.a", "Code"),
        ("a ? b : c ? d : e", "Code"),
        ("f(a...)", "Code"),
        ("p::q::f(a, )", "Code"),
        ("a.b.0.c[*].d.*.e", "Code"),
        ("a . b", "Code"),
        ("(a\n.b\n+ c)", "Code"),
        ("[a # b ]\n]", "Items"),
    ],
)
def test_an_expression_has_a_kind(text: str, kind: str) -> None:
    """Literals, tuples and objects are known as such, also in parentheses; all else is code."""
    assert type(read(text)).__name__ == kind


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 +", "a b", "a..b", "a.", "a[]", "a ? b", "a : b", "a = b", "a; b", "1x", "'a'"),
        *("(", ")", "(a]", "[1 2]", "[1 # ]", "f(,)", "f(a..., b)", "a::b", "a +\nb"),
        *("{ a }", "{ a = 1 b = 2 }", "{ a = 1,, }", "{ a =\n1 }", "{ for = 1 }"),
        *("[for a b : c]", "{ for a in b : c }"),
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    """With the offset where it stops being one."""
    with pytest.raises(ScanError) as caught:
        read(text)
    assert 0 <= caught.value.offset - len(BEFORE) <= len(text) + 1


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("\n  a = 1 b = 2\n", 2),
        ("\n  a = 1\n  b {} c = 1\n", 3),
        (" a = 1\n b = 2\n", 1),
        (" b {} ", 1),
        ("\n  a = [\n    1 2\n  ]\n", 3),
    ],
)
def test_a_body_ends_each_line_as_hcl_does(body: str, line: int) -> None:
    """Arguments and blocks end their line; a body on one line is one argument."""
    text = f"x {{{body}}}\n"
    (block,) = scan(text).blocks
    with pytest.raises(ScanError) as caught:
        read_block(text, block)
    assert text.count("\n", 0, caught.value.offset) + 1 == line


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("(", ")"), ("{ a = ", "}")])
def test_nesting_has_a_bound(opening: str, closing: str) -> None:
    """Far beyond what people write, and far from the end of the stack."""
    read(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH)
    with pytest.raises(ScanError, match=TOO_DEEP):
        read(opening * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1))


def test_long_chains_are_no_nesting() -> None:
    """Operators, choices and signs are read in a row."""
    for text in ("a + " * 5_000 + "a", "a ? b : " * 5_000 + "a", "!" * 5_000 + "a"):
        assert type(read(text)).__name__ == "Code"


HOSTILE = {
    "spaces": "a" + " " * 200_000 + "'",
    "comments": "a" + "/**/" * 50_000 + "'",
    "lines": "(a" + "\n" * 200_000 + "'",
    "line comments": "(a" + "# (\n" * 50_000 + "'",
    "a long line comment": "[a # " + "]" * 200_000,
    "steps": "a" + ".b" * 100_000 + ".",
    "quotes": '"a" ' * 50_000,
    "digits": "1" * 200_000 + "e",
    "templates": '"${' * 50_000,
    "heredocs": "<<E\n" * 50_000,
    "brackets": "[" * 200_000,
    "choices": "a ? " * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_at_once(name: str) -> None:
    """Every pattern has one way to match."""
    with bounded_time(5), pytest.raises(ScanError):
        read(HOSTILE[name])
