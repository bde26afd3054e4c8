"""Expressions that mean something else than they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate import query
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.shapes.infer import Nameless
from tfgate.query.shapes.shape import ANY, NUMBERS, TEXT, Shape, list_of, object_of
from tfgate.query.traps import misplaced_fields, piped_all

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = FunctionTable.default()
ROOTS = ("after", "name", "type")


class Declared(Nameless):
    """Parameters with types."""

    def given(self, name: str) -> Shape | None:
        """Return the shape of ``$params``."""
        shapes = {"bad": list_of(TEXT), "ports": list_of(NUMBERS), "any": ANY}
        return object_of(shapes) if name == "params" else None


@pytest.mark.parametrize(
    ("text", "column", "forms"),
    [
        ("a || b || c | [?x]", 0, ("(a || b || c) | [?x]", "a || b || (c | [?x])")),
        ("x && (a.b || c | [*].d)", 6, ("(a.b || c) | [*].d", "a.b || (c | [*].d)")),
        ("a || b | [0]", 0, ("(a || b) | [0]", "a || (b | [0])")),
        ("a || b | @[?x]", 0, ("(a || b) | @[?x]", "a || (b | @[?x])")),
    ],
)
def test_a_pipe_behind_or_takes_all(text: str, column: int, forms: tuple[str, str]) -> None:
    """Without parentheses nobody sees it; the first form is what it means."""
    (found,) = piped_all(query.compile(text))
    assert (found.column, found.forms) == (column, forms)
    meant, other = (query.compile(form) for form in forms)
    assert not list(piped_all(meant))
    assert not list(piped_all(other))


@pytest.mark.parametrize(
    "text",
    ["(a || b) | [?x]", "a || (b | [?x])", "a || b | length(@)", "a && b | [?x]", "a | [?b || c]"],
)
def test_a_pipe_that_is_clear(text: str) -> None:
    """With parentheses it is meant, and a function takes whatever there is."""
    assert not list(piped_all(query.compile(text)))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("$params.bad[?contains(after.x, @)]", 22, "a string"),
        ("$params.bad[?after]", 13, "a string"),
        ("$params.ports[*].[@, after.port]", 21, "a number"),
        ("any($params.bad, &@ == after.x)", 23, "a string"),
        ("['a', 'b'][?@ == name]", 17, "a string"),
        ("`[1]`[?@ == after.x && name]", 12, "a number"),
        ("keys(after)[?starts_with(@, name)]", 28, "a string"),
        ("let $bad = $params.bad in $bad[?@ == after.x]", 37, "a string"),
        ("split(after.x, ',') | [?@ == name]", 29, "a string"),
        ("map(&to_string(@), after.x)[?@ == name]", 34, "a string"),
        ("items(after)[?contains(@, name)]", 26, "a list"),
    ],
)
def test_a_field_of_the_root_asked_of_an_element(text: str, position: int, words: str) -> None:
    """The error points at it and names `$`."""
    expression = query.compile(text, variables=["params"])
    error, *_ = misplaced_fields(expression, ROOTS, Declared, TABLE)
    assert error.position == position
    assert words in str(error)
    assert error.hint is not None
    assert "$." in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "$params.bad[?contains($.after.x, @)]",
        "$params.any[?contains(after.x, @)]",
        "after.list[?type == name]",
        "$.after.list[*].name",
        "$params.bad[?@.name]",
        "$params.bad[?starts_with(@, 'name')]",
        "after.x[*].{type: type}",
        "contains($params.bad, after.x)",
        "let $x = after.x in $params.bad[?contains($x, @)]",
        "sort_by(after.x, &name)",
    ],
)
def test_what_is_in_its_place(text: str) -> None:
    """What may have the field, or does not ask for one, is no mistake."""
    expression = query.compile(text, variables=["params"])
    found: Sequence[object] = misplaced_fields(expression, ROOTS, Declared, TABLE)
    assert found == []
