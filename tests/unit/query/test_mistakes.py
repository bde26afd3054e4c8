"""What JMESPath accepts and nobody means is found, with what was meant."""

from __future__ import annotations

import pytest

from tfgate import query
from tfgate.query.mistakes import mistakes


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ('after.a == "x"', 11, "Write: after.a == 'x'"),
        ('after.a != "name"', 11, "Write: after.a != 'name'"),
        ('contains(after.list, "x")', 21, "Write: contains(after.list, 'x')"),
        ('after.x[?name == "foo"]', 17, "Write: after.x[?name == 'foo']"),
        ('starts_with(name, "a b")', 18, "Write: starts_with(name, 'a b')"),
        ("after.x[*].y == 'z'", 0, "Write: contains(after.x[*].y, 'z')"),
        ("after.x[].y != 'z'", 0, "Write: !contains(after.x[].y, 'z')"),
        ("after.x[?a].port > `5`", 0, "Write: any(after.x[?a].port, &@ > `5`)"),
        ("tags.* == 'x'", 0, "Write: contains(tags.*, 'x')"),
        ("!after.a == 'x'", 1, "Write: after.a != 'x'"),
        ("b && !a == 'x'", 6, "Write: a != 'x'"),
        ("!after.size > `5`", 1, "Write: !(after.size > `5`)"),
        ("a && `[]` || b", 0, "Write: a ? `[]` : b"),
        ("a && b && `null` || c.d", 0, "Write: a && b ? `null` : c.d"),
        ("`1` < a < `5`", 0, "Write: `1` < a && a < `5`"),
        ("list[?tags.cost-center == 'x']", 16, 'Write: tags."cost-center" for the key'),
        ("contains([22], port)", 0, "Write `[22]` for the list, @[22] for the element."),
    ],
)
def test_a_mistake_is_found_with_what_was_meant(text: str, position: int, hint: str) -> None:
    """A rule with it would never fire, or always."""
    (mistake,) = mistakes(query.compile(text))
    assert (mistake.position, mistake.hint) == (position, hint)


@pytest.mark.parametrize(
    "text",
    [
        "after.\"x-y\" == 'a'",
        "list[?\"aws:x\" == 'a']",
        'list[?a == @."b-c"]',
        "contains(\"a-b\", 'x')",
        "a && `[1]` || b",
        "after.most - after.least > `1`",
        "a.b - c",
        "a && b || `[]`",
        "!a == `true`",
        "!(a == 'x')",
        'list[*].a == `["x"]`',
        "list[0].a == 'x'",
        "list[*].a | [0] == 'x'",
        "sort(list) | [0]",
        "(a == b) == `false`",
        "list[0:1] == 'x'",
    ],
)
def test_what_may_be_meant_is_none(text: str) -> None:
    """Fields whose names need quotes, lists beside lists, and first elements are no mistakes."""
    assert mistakes(query.compile(text)) == []
