"""Message templates: what they accept, what they print, and that they never raise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.query import Expression, ExpressionError
from tfgate.query import compile as compile_expression
from tfgate.query.values import SENSITIVE, UNKNOWN
from tfgate.ruleset.template import MAX_MESSAGE, MAX_VALUE, Template, TemplateError


def _parse(text: str, **how: Any) -> Template:
    def compile_at(text: str, position: int) -> tuple[Expression, frozenset[tuple[str, ...]]]:
        try:
            expression = compile_expression(text)
        except ExpressionError as error:
            raise TemplateError(error.message, position + error.position) from None
        return expression, expression.reads

    return Template.parse(text, compile_at, **how)


DOCUMENT = {
    "address": "aws_instance.web",
    "after": {
        "type": "t3.micro",
        "count": 3,
        "size": 1.5,
        "on": True,
        "none": None,
        "list": [1, "two", {"x": [UNKNOWN, SENSITIVE]}],
        "tags": {"my key": "v"},
        "id": UNKNOWN,
        "password": SENSITIVE,
    },
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{address} is {after.type}", "aws_instance.web is t3.micro"),
        ("{after.count} {after.size} {after.on} {after.none}", "3 1.5 true null"),
        ("{after.list}", '[1, "two", {"x": ["(known after apply)", "(sensitive)"]}]'),
        ("{after.list[1]}", "two"),
        ("{after.list[9]}", "null"),
        ('{after.tags."my key"}', "v"),
        ("{after.tags.other}", "null"),
        ("{after.id} {after.id.deeper[0]}", "(known after apply) (known after apply)"),
        ("{after.password} {after.password.length}", "(sensitive) (sensitive)"),
        ("{{literal}} {address}", "{literal} aws_instance.web"),
        ("two\n   lines\n", "two lines"),
        ("", ""),
    ],
)
def test_a_template_prints(text: str, shown: str) -> None:
    """Values are written so that a person can read them, and what must not be shown is not."""
    assert _parse(text).render(DOCUMENT) == shown


@pytest.mark.parametrize(
    ("text", "item", "shown"),
    [
        ("{@item}", "10.0.0.0/8", "10.0.0.0/8"),
        ("{@item}", None, "null"),
        ("{@item.port}", {"port": 22}, "22"),
        ("{@item[1]}", [1, 2], "2"),
        ("{@item.port}", UNKNOWN, "(known after apply)"),
    ],
)
def test_an_item_is_the_element_of_a_deny_list(text: str, item: Any, shown: str) -> None:
    """``@item`` and paths below it print the element, null included."""
    assert _parse(text).render({}, item) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{length(after.list)} of {after.count}", "3 of 3"),
        ("{join(', ', ['a', 'b'])}", "a, b"),
        ('{after.tags.{a: "my key"}}', '{"a": "v"}'),
        ("{after.list[-3]} {'}'} {`{}`}", "1 } {}"),
        ("{length(after.password)} {join('-', [after.password])}", "(sensitive) (sensitive)"),
        ("{length(after.id)} {after.count > after.id}", "(known after apply) (known after apply)"),
        ("{length(after.count)} left", "(not evaluated) left"),
        ("{'@item'} {@item}", "@item x"),
    ],
)
def test_a_placeholder_is_an_expression(text: str, shown: str) -> None:
    """Any expression stands in braces, with braces and quotes of its own."""
    assert _parse(text).render(DOCUMENT, "x") == shown


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a {after.type", 2),
        ("a } b", 2),
        ("{}", 1),
        ("{after.}", 7),
        ("a {after.'}'", 2),
    ],
)
def test_a_wrong_template_says_where(text: str, position: int) -> None:
    """A brace that is never closed, closes nothing, or has no expression in it, has a place."""
    with pytest.raises(TemplateError) as caught:
        _parse(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Write lifecycle { prevent_destroy = true }.",
            "Write lifecycle { prevent_destroy = true }.",
        ),
        ("Write none {}.", "Write none {}."),
        ("Use {after.type}\n  and {{x}}.", "Use t3.micro\n  and {x}."),
    ],
)
def test_prose_has_lines_and_code(text: str, shown: str) -> None:
    """A remediation keeps its lines, and the braces of the HCL in it."""
    assert _parse(text, prose=True).render(DOCUMENT) == shown


def test_reads_are_the_paths_that_a_message_reads() -> None:
    """What placeholders read is known, the element of the list too."""
    template = _parse('{address} {after.list[0].x} {@item.y} {after."a b"}')
    assert [each.reads for each in template.placeholders] == [
        {("address",)},
        {("after", "list", "x")},
        {("item", "y")},
        {("after", "a b")},
    ]
    assert template.reads_item


def test_hostile_strings_are_made_visible() -> None:
    """Line breaks, escape sequences and bidirectional controls cannot reach a terminal or log."""
    hostile = "a\nb\x1b[31m\r\u202e\u2028\ud800"
    shown = _parse("{after.x}").render({"after": {"x": hostile}})
    assert shown == r"a\nb\x1b[31m\r\u202e\u2028\ud800"


def test_hostile_literals_are_made_visible_too() -> None:
    """A ruleset cannot smuggle an escape sequence in by its message."""
    assert _parse("a\x1b[31m").render({}) == r"a\x1b[31m"


def test_long_values_are_cut() -> None:
    """One value and the whole message are bounded, and a cut is visible."""
    shown = _parse("{after}").render({"after": "x" * 10_000_000})
    assert len(shown) == MAX_VALUE
    assert shown.endswith("...")
    nested = _parse("{after}").render({"after": [{"x": ["y"] * 100_000}]})
    assert len(nested) == MAX_VALUE
    many = _parse("{after}" * 100).render({"after": "x" * 200})
    assert len(many) == MAX_MESSAGE


def _nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [_nest(100_000), 10**5000, float("nan")],
    ids=["deep", "long number", "nan"],
)
def test_what_is_no_json_value_does_not_raise(value: Any) -> None:
    """Even what a plan cannot hold prints as something."""
    assert _parse("{after}").render({"after": value})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=300)
    | st.sampled_from([UNKNOWN, SENSITIVE]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(JSON, JSON)
def test_any_value_renders_as_one_bounded_printable_line(document: Any, item: Any) -> None:
    """Whatever the subject and the item are, a message is one short line and nothing raises."""
    template = _parse("{after} {after.a[0].b} {@item} {@item.a}")
    shown = template.render({"after": document}, item)
    assert shown.isprintable()
    assert len(shown) <= MAX_MESSAGE


@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """A template is a template or a TemplateError that points into it."""
    try:
        template = _parse(text)
    except TemplateError as error:
        position = error.position
    else:
        template.render(DOCUMENT)
        position = 0
    assert 0 <= position <= len(text)
