"""What an expression is made of decides whether a reference in it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.values import (
    Form,
    Index,
    Literal,
    Template,
    Traversal,
    argument_form,
    form_of,
    json_form_of,
)

if TYPE_CHECKING:
    from tests.unit.hcl.conftest import Write

A_B = Traversal(("a", "b"))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1", Literal()),
        ('"x $${y}"', Literal()),
        ("null", Literal()),
        ('[1, { a = "b", c : [] }]', Literal()),
        ('"${"x"}"', Literal()),
        ("a.b", A_B),
        ("(( a.b ))", A_B),
        ('"${a.b}"', A_B),
        ('"${~ a.b ~}"', A_B),
        ('a.b[0].c["k"].1', Traversal(("a", "b", Index(0), "c", Index("k"), Index(1)))),
        ('"x${a.b}y${"z${c.d}"}"', Template((A_B, Traversal(("c", "d"))))),
        ("<<E\n${a.b}\nE", Template((A_B,))),
        ("[a.b]", None),
        ("{ (a) = 1 }", None),
        ("a.b[*].c", None),
        ("a.*.b", None),
        ("a[b]", None),
        ('a["${b}"]', None),
        ("f(a.b)", None),
        ("!a", None),
        ("a ? b : c", None),
        ('"%{ if a }${b}%{ endif }"', None),
        ('"${f(a)}${b}"', None),
        ("a b", None),
        ("a[1234567890123456789]", None),
        ("[" * 500, None),
    ],
)
def test_a_form_is_what_an_expression_is_made_of(text: str, form: Form | None) -> None:
    """Anything that could decide otherwise than the reference makes it none."""
    assert form_of(text, 0, len(text)) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('"x"', Literal()),
        ("[1, {}]", Literal()),
        ('"${a.b}"', A_B),
        ('"${a[\\"b\\"]}"', Traversal(("a", Index("b")))),
        ('"x${a.b}"', Template((A_B,))),
        ('{"${a}": 1}', None),
        ('["${a}"]', None),
        ('"${"', None),
        ("x", None),
        ("[" * 5_000, None),
    ],
)
def test_json_strings_are_templates(text: str, form: Form | None) -> None:
    """The same forms, in HCL's other syntax."""
    assert json_form_of(text, 0, len(text)) == form


def test_a_file_says_the_form_of_an_argument(write: Write) -> None:
    """In either syntax; no argument is no form."""
    index = write(
        {
            "a.tf": "x {\n  c = a.b # d\n}\n",
            "b.tf.json": '{"locals": {"c": "${a.b}"}}',
        }
    )
    files = next(iter(index.modules())).source.files
    found = [
        argument_form(file, file.body.blocks[0], name) for file in files for name in ("c", "d")
    ]
    assert found == [A_B, None, A_B, None]
