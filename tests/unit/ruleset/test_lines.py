"""The line locator finds keys of any TOML that tomli accepts."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from tfgate.ruleset.problems import Lines, show_path

TEXT = '''# a comment with [brackets] and key = 1
title = """
[not.a.table]
key = "still a string"
"""
match = { types = ["a", "b"], deep = { x = 1 } }
list = [
  "one", # comment ]
  { name = "two" },
]
"quoted.key" = 'literal # no comment'

[a.b]
c = 2027-01-31 10:00:00
d.e = 1

[[rules]]
id = "A"
  [[rules.tests]]
  name = "first"
  [[rules.tests]]
  name = "second"

[[rules]]
id = "B"
let = { x = "y" }
  [rules.match]
  types = [
    "t",
    "u"
  ]
  [[rules.tests]]
  name = "third"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("match",), 6),
        (("match", "types"), 6),
        (("match", "deep", "x"), 6),
        (("list",), 7),
        (("list", 0), 8),
        (("list", 1), 9),
        (("list", 1, "name"), 9),
        (("quoted.key",), 11),
        (("a", "b"), 13),
        (("a", "b", "c"), 14),
        (("a", "b", "d", "e"), 15),
        (("rules", 0), 17),
        (("rules", 0, "id"), 18),
        (("rules", 0, "tests", 1), 21),
        (("rules", 0, "tests", 1, "name"), 22),
        (("rules", 1), 24),
        (("rules", 1, "id"), 25),
        (("rules", 1, "let", "x"), 26),
        (("rules", 1, "match"), 27),
        (("rules", 1, "match", "types", 1), 30),
        (("rules", 1, "tests", 0, "name"), 33),
    ],
    ids=lambda value: show_path(value) if isinstance(value, tuple) else "",
)
def test_each_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    """Tables, arrays of tables, inline tables and strings over several lines are told apart."""
    assert Lines(TEXT).line_of(path) == line


def test_a_key_that_is_not_there_has_the_line_of_its_table() -> None:
    """A missing key is reported at the table that lacks it."""
    assert Lines(TEXT).line_of(("rules", 1, "match", "actions")) == 27
    assert Lines(TEXT).line_of(("rules", 1, "title")) == 24


def test_a_document_has_no_line_of_its_own() -> None:
    """A mistake of the whole document is reported without a line."""
    assert Lines(TEXT).line_of(()) is None
    assert Lines(TEXT).line_of(("nowhere",)) is None


@pytest.mark.parametrize("text", ["a = [[1, 2], [3]]\nb = 1\n", "a = {x=[{y=1}]}\r\nb = 1\r\n"])
def test_nesting_does_not_derail_it(text: str) -> None:
    """What follows nested arrays and tables is still found."""
    assert Lines(text).line_of(("b",)) == 2


KEYS = st.sampled_from(["a", "b", '"c d"', "'e.f'", "g-1"])
VALUES = st.recursive(
    st.sampled_from(["1", "1.5", '"x"', "'y'", "true", "2027-01-31", "[]", "{}", '"""m\nn"""']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5, unique_by=lambda pair: pair[0]))
def test_every_top_level_key_is_found_where_it_was_written(pairs: list[tuple[str, str]]) -> None:
    """Whatever values stand between, the locator agrees with the text on where a key is."""
    text, expected, line = "", {}, 1
    for key, value in pairs:
        expected[next(iter(tomli.loads(f"{key} = 1")))] = line
        text += f"{key} = {value}\n"
        line += value.count("\n") + 1
    tomli.loads(text)
    lines = Lines(text)
    assert {key: lines.line_of((key,)) for key in expected} == expected


@given(st.text(alphabet="ab[]{}=.,\"'#\n \\", max_size=60))
def test_any_text_ends(text: str) -> None:
    """Text that is no TOML neither hangs nor raises: the locator is no judge."""
    Lines(text).line_of(("a", 0, "b"))
