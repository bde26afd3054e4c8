"""A field of the subject inside of a filter over what has no fields does not load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.ruleset import load_ruleset

_RULESET = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["team@acme.example"]

[params.bad]
type = "list(string)"
default = ["a"]
description = "Bad parts of a name"

[params.any]
type = "list(any)"
default = []
description = "Anything"

[params.limits]
type = "map(number)"
default = { a = 1 }
description = "Limits"

[data.nets]
file = "nets.json"
description = "Networks"

[let]
words = "split('a b', ' ')"

[[rules]]
id = "ACME-001"
title = "A rule"
severity = "low"
enforcement = "advisory"
message = "{address}"
let = { mine = "$params.bad[?@]" }
deny = '''EXPRESSION'''
"""


def _load(tmp_path: Path, expression: str) -> None:
    (tmp_path / "nets.json").write_text('{"cidrs": ["10.0.0.0/8"], "objects": [{"name": "a"}]}')
    (tmp_path / "ruleset.toml").write_text(_RULESET.replace("EXPRESSION", expression))
    load_ruleset(str(tmp_path), functions=rule_functions())


@pytest.mark.parametrize(
    ("expression", "name", "column"),
    [
        ("$params.bad[?contains(after.x, @)]", "after", 23),
        ("$params.bad[*].[@, after.x]", "after", 20),
        ("any($params.bad, &contains(after.x, @))", "after", 28),
        ("$data.nets.cidrs[?cidr_overlaps(@, after.cidr_block)]", "after", 36),
        ("$mine[?starts_with(name, @)]", "name", 20),
        ("$words[?@ == type]", "type", 14),
        ("$params.limits.*.[@ > after.size]", "after", 23),
        ("['a', 'b'][?contains(after.x, @)]", "after", 22),
        ("keys(after.tags || `{}`)[?starts_with(@, name)]", "name", 42),
    ],
)
def test_it_does_not_load(tmp_path: Path, expression: str, name: str, column: int) -> None:
    """The error points at the field and names `$`."""
    with pytest.raises(RulesetError) as caught:
        _load(tmp_path, expression)
    (problem,) = caught.value.problems
    assert problem.column == column
    assert f"{name} is a field of the current element here" in problem.message
    assert f"Write $.{name} for that of the subject" in problem.message


@pytest.mark.parametrize(
    "expression",
    [
        "$params.bad[?contains($.after.x, @)]",
        "$params.any[?contains(after.x, @)]",
        "$data.nets.objects[?name == 'a']",
        "after.rules[?type == 'x' && name]",
        "references('x')[?type == 'aws_kms_key' && after.enable_key_rotation]",
        "let $x = after.x in $params.bad[?contains($x, @)]",
        "contains($params.bad, after.x)",
    ],
)
def test_what_may_have_the_field_loads(tmp_path: Path, expression: str) -> None:
    """Objects of any kind may have fields of these names."""
    _load(tmp_path, expression)
