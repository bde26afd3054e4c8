"""Message templates: what they accept, what they print, and that they never raise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.query.values import SENSITIVE, UNKNOWN
from tfgate.ruleset.template import MAX_MESSAGE, MAX_VALUE, Template, TemplateError

ROOTS = frozenset({"address", "after", "index"})
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
    assert Template.parse(text, ROOTS).render(DOCUMENT) == shown


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
    assert Template.parse(text, ROOTS).render({}, item) == shown


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("{adress}", '"adress" is not a field of the subject', 1),
        ("a {after.type", '"{" is never closed (write "{{" for a brace)', 2),
        ("a } b", 'a single "}" closes nothing (write "}}" for a brace)', 2),
        ("{}", '"" is not a field path such as after.tags.Name', 1),
        ("{after[*].x}", '"after[*].x" is not a field path such as after.tags.Name', 6),
        ("{after.list[-1]}", '"after.list[-1]" is not a field path such as after.tags.Name', 11),
        ("{length(after)}", '"length" is not a field of the subject', 1),
        ("{ address }", '" address " is not a field path such as after.tags.Name', 1),
    ],
)
def test_a_wrong_template_says_where(text: str, message: str, position: int) -> None:
    """Placeholders are plain paths that begin with a field of the subject."""
    with pytest.raises(TemplateError) as caught:
        Template.parse(text, ROOTS)
    assert (str(caught.value), caught.value.position) == (message, position)


def test_fields_are_the_paths_that_a_message_reads() -> None:
    """List steps and the item are left out, and each path is given once."""
    template = Template.parse(
        '{address} {after.list[0].x} {after.list[1].x} {@item.y} {after."a b"}'
    )
    assert template.fields == (("address",), ("after", "list", "x"), ("after", "a b"))
    assert template.reads_item


def test_hostile_strings_are_made_visible() -> None:
    """Line breaks, escape sequences and bidirectional controls cannot reach a terminal or log."""
    hostile = "a\nb\x1b[31m\r\u202e\u2028\ud800"
    shown = Template.parse("{after.x}").render({"after": {"x": hostile}})
    assert shown == r"a\nb\x1b[31m\r\u202e\u2028\ud800"


def test_hostile_literals_are_made_visible_too() -> None:
    """A ruleset cannot smuggle an escape sequence in by its message."""
    assert Template.parse("a\x1b[31m").render({}) == r"a\x1b[31m"


def test_long_values_are_cut() -> None:
    """One value and the whole message are bounded, and a cut is visible."""
    shown = Template.parse("{after}").render({"after": "x" * 10_000_000})
    assert len(shown) == MAX_VALUE
    assert shown.endswith("...")
    nested = Template.parse("{after}").render({"after": [{"x": ["y"] * 100_000}]})
    assert len(nested) == MAX_VALUE
    many = Template.parse("{after}" * 100).render({"after": "x" * 200})
    assert len(many) == MAX_MESSAGE


def _nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [_nest(100_000), 10**5000, float("nan"), {1, 2}, {(1, 2): 3}],
    ids=["deep", "long number", "nan", "set", "tuple key"],
)
def test_what_is_no_json_value_does_not_raise(value: Any) -> None:
    """Even what a plan cannot hold prints as something."""
    assert Template.parse("{after}").render({"after": value})


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
    template = Template.parse("{after} {after.a[0].b} {@item} {@item.a}")
    for root in (document, {"after": document}):
        shown = template.render(root, item)
        assert shown.isprintable()
        assert len(shown) <= MAX_MESSAGE


@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """A template is a template or a TemplateError that points into it."""
    try:
        template = Template.parse(text, ROOTS)
    except TemplateError as error:
        position = error.position
    else:
        template.render(DOCUMENT)
        position = 0
    assert 0 <= position <= len(text)
