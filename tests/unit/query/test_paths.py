"""Which fields an expression reads."""

from __future__ import annotations

import pytest

from tfgate import query
from tfgate.query.paths import prune


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("after.tags.Owner", {"after.tags.Owner"}),
        ("after.ingress[?from_port <= `22`]", {"after.ingress"}),
        (
            "after.ingress[?from_port <= `22`].to_port",
            {"after.ingress.from_port", "after.ingress.to_port"},
        ),
        ("any(after.ingress, &from_port == `22`)", {"after.ingress.from_port"}),
        ("after.blocks[0].encrypted", {"after.blocks.encrypted"}),
        ("after.blocks[*].[`1`]", {"after.blocks"}),
        ("after.blocks[].rules[].port", {"after.blocks.rules.port"}),
        ("after.* ", {"after"}),
        ("after.*.name", {"after"}),
        ("length(after.list)", {"after.list"}),
        ("contains(param, after.type) && before.type", {"param", "after.type", "before.type"}),
        ("after.a == before.a", {"after.a", "before.a"}),
        ("after.a && after.a.b", {"after.a"}),
        ("(after || before).type", {"after", "before"}),
        ("[address, {x: after.y}]", {"address", "after.y"}),
        ("[`[1]`, `[2]`][]", set()),
        ("[`1`] && @", {"@"}),
        ("sort_by(after.list, &name)[0].id", {"after.list"}),
        ("parse_json(after.policy).Statement[?Effect == 'Allow']", {"after.policy"}),
        ("@", {"@"}),
        ("@.address", {"address"}),
        ("`true`", set()),
        ("after.a | b.c", {"after.a.b.c"}),
        ("sum([counts.delete, counts.replace]) > `50`", {"counts.delete", "counts.replace"}),
    ],
)
def test_reads(expression: str, paths: set[str]) -> None:
    """Paths are as long as they can be followed; ``@`` is the whole document."""
    expected = {() if path == "@" else tuple(path.split(".")) for path in paths}
    assert query.compile(expression).reads == expected


def test_prune_keeps_the_shape_along_the_paths() -> None:
    """Lists keep their length, objects lose what is not read."""
    document = {"a": [{"x": 1, "y": 2}, None, [{"x": 3}]], "b": 1}
    assert prune(document, [("a", "x")]) == {"a": [{"x": 1}, None, [{"x": 3}]]}
    assert prune(document, [()]) is document
    assert prune(document, []) == {}
