"""A name that no subject has: what was meant by it, and which names there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.model.rule import Scope
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.scopes import ROOTS

_RULESET = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["team@acme.example"]

[[rules]]
id = "ACME-001"
title = "A rule"
severity = "low"
enforcement = "advisory"
scope = "SCOPE"
message = "{address}"
require = '''EXPRESSION'''
"""


def _error(tmp_path: Path, expression: str, scope: str = "resource") -> str:
    text = _RULESET.replace("EXPRESSION", expression).replace("SCOPE", scope)
    if scope == "plan":
        text = text.replace("{address}", "m")
    (tmp_path / "ruleset.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesetError) as caught:
        load_ruleset(str(tmp_path), functions=rule_functions())
    return str(caught.value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("var.region == 'eu'", "a parameter of the ruleset is $params.region"),
        ("\"${var.region}\" == 'eu'", "has no ${…}"),
        ("each.value.x == 'y'", "an instance's key is index"),
        ("self.tags.Owner == 'x'", "after.tags.Owner"),
        ("change.after.tags.Owner == 'x'", "stand at the root: after.tags.Owner"),
        ("input.resource_changes[*].type", "changes"),
        ("resource_changes[?type == 'x']", 'scope = "plan"'),
        ("aws_instance.web.ami == 'x'", 'match.types = ["aws_instance"]'),
        ("instance_type == 't3.micro'", "after.instance_type"),
        ("afer.tags.Owner", 'did you mean "after"'),
        ("local.name == 'x'", "the rule's let"),
        ("after.a == None", "write the literal `null`"),
        ("after.a == True", "write the literal `true`"),
        ("after.x[?a == None]", "write the literal `null`"),
        ("after.tags.cost-center == 'x'", 'after.tags."cost-center"'),
    ],
)
def test_what_was_meant_is_named(tmp_path: Path, expression: str, words: str) -> None:
    """Words of Terraform and of other gates are known, and so are near names."""
    assert words in _error(tmp_path, expression)


@pytest.mark.parametrize("scope", list(Scope))
def test_the_known_fields_are_listed_in_every_scope(tmp_path: Path, scope: Scope) -> None:
    """Whatever the scope, the error names every field that its subjects have."""
    error = _error(tmp_path, "qqqq.x == 'y'", str(scope))
    listed = re.search(r"it has ([\w, ]+)", error)
    assert listed is not None
    assert set(listed[1].split(", ")) == ROOTS[scope]


def test_a_string_in_double_quotes_is_reported_once(tmp_path: Path) -> None:
    """It is no field and no string: one sentence says so."""
    error = _error(tmp_path, 'after.a == "x"')
    assert error.count("ruleset.toml:") == 1
    assert "Write: after.a == 'x'" in error
