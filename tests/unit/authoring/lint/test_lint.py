"""What lint says of whole rulesets, and where it is silent."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.unit.authoring.lint.test_planted import HEADER, lint
from tfgate.authoring.lint.command import lint_sources as lint_as_asked
from tfgate.authoring.lint.findings import CHECKS
from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.engine.functions import rule_functions
from tfgate.errors import UsageError
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.sources import shipped_names
from tfgate.schema import Catalog, read_schema, shipped_indexes, write_index

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.model.rule import Rule
    from tfgate.ruleset import CompiledRule

TABLE = rule_functions()
RULE = """\
id = "{id}"
title = "T"
severity = "low"
enforcement = "advisory"
on_unknown = "verify"
message = "{{address}} is bad"
match.types = ["aws_instance"]
{body}
"""


def rule(body: str, id: str = "GOOD-1") -> str:  # noqa: A002 - the key's name
    """Write a rule on instances."""
    return RULE.format(id=id, body=body)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The AWS provider's schema, as it is shipped."""
    return Catalog(shipped_indexes())


SILENT = [
    "deny = 'after.monitoring == `true`'",
    "deny = \"after.tags && after.tags.Owner && starts_with(after.tags.Owner, 'x')\"",
    "deny = \"starts_with(not_null(after.tags.Owner, ''), 'x')\"",
    "deny = \"after.tags.Owner != null && matches(after.tags.Owner, 'x')\"",
    'deny = "!(after.tags) || length(after.tags) < `2`"',
    "when = 'after.tags'\nrequire = 'length(after.tags) > `1`'",
    "when = 'after.tags != null'\nrequire = \"contains(keys(after.tags), 'Owner')\"",
    'let.tags = "after.tags || `{}`"\nrequire = "length($tags) > `1`"',
    "let.tags = 'after.tags'\nrequire = \"!$tags || length($tags) > `1`\"",
    "deny = \"after.ebs_block_device[?snapshot_id && starts_with(snapshot_id, 'snap')]\"",
    "deny = 'after.root_block_device[0].volume_size > `100`'",
    (
        "deny = 'after.root_block_device[?volume_size > `100`].{size: volume_size}'\n"
        "message = '{@item.size}'"
    ),
    "deny = \"after.user_data && parse_json(after.user_data).Statement[?Effect == 'Allow']\"",
    "deny = \"type(after.tags) == 'object' && length(after.tags) > `50`\"",
    'deny = "contains(`[\\"a\\", \\"b\\"]`, after.availability_zone)"',
    'deny = "before.instance_type && before.instance_type != after.instance_type"',
    "deny = \"references('subnet_id')[?type == 'aws_subnet'] | length(@) > `1`\"",
    "deny = \"any(after.security_groups || `[]`, &starts_with(@, 'sg'))\"",
    "deny = \"after.tags.Owner == 'x' || after.tags_all.Owner == 'x'\"",
]


@pytest.mark.parametrize("body", SILENT)
def test_says_nothing_of_a_good_rule(body: str, tmp_path: Path, catalog: Catalog) -> None:
    """A guard in any of the usual forms is understood."""
    text = rule(body)
    if "message = '" in body:
        text = text.replace('message = "{address} is bad"\n', "")
    assert [f.render() for f in lint(tmp_path / "set", catalog, text).findings] == []


@pytest.mark.slow
def test_shipped_rulesets_are_clean(catalog: Catalog) -> None:
    """Nothing is found in a shipped rule that its file does not wave through with a reason."""
    names = [f"tfgate:{name}" for name in shipped_names()]
    found = lint_rulesets(names, catalog).findings
    assert [finding.render() for finding in found] == []


FIELD = re.compile(r"(?<=[.?\[(!])[a-z_]{5,}(?=[\s\[.\])=!<>&|}]|$)")


def test_shipped_rules_with_a_letter_off_are_named(catalog: Catalog, tmp_path: Path) -> None:
    """A misspelt field of a shipped rule is found, wherever it stands in an expression."""
    chance = random.Random(5)
    missed, made = [], 0
    for compiled in chance.sample(load_ruleset("tfgate:aws", functions=TABLE).rules, 40):
        rule = compiled.rule
        expression = rule.expression
        shared = [one.text for one in compiled.shared.values()]
        if "parse_json" in str([expression, *rule.let.values(), *shared]):
            continue  # what is in a JSON text is in no schema
        for place in FIELD.finditer(expression):
            if len(re.findall(r"['`]", expression[: place.start()])) % 2:
                continue
            bad = f"{expression[: place.start()]}{place[0][:-1]}zq{expression[place.end() :]}"
            made += 1
            text = _written(rule, bad)
            found = lint(tmp_path / f"{made}", catalog, text, header=_header(compiled)).findings
            if not any("zq" in finding.message for finding in found):
                missed.append((rule.id, bad, [f.render() for f in found]))
    assert made > 30
    assert missed == []


def _written(rule: Rule, expression: str) -> str:
    """Write a rule again, with another expression and without its examples."""
    lines = [
        f"id = {json.dumps(rule.id)}", 'title = "T"', 'severity = "low"',
        'enforcement = "advisory"', 'message = "{address}"', 'on_unknown = "verify"',
        f"match.types = {json.dumps(rule.match.types)}",
        f"match.actions = {json.dumps([str(action) for action in rule.match.actions])}",
        f"match.modes = {json.dumps(rule.match.modes)}",
        f"{'deny' if rule.deny is not None else 'require'} = {json.dumps(expression)}",
    ]  # fmt: skip
    lines += [f"let.{name} = {json.dumps(text)}" for name, text in rule.let.items()]
    lines += [f"when = {json.dumps(rule.when)}"] if rule.when is not None else []
    return "\n".join(lines) + "\n"


def _header(compiled: CompiledRule) -> str:
    """Declare the parameters that a rule asks for, and the values of [let] that it uses."""
    names = {
        path[1]
        for expression in compiled.deciding()
        for path in expression.variables
        if path[0] == "params" and len(path) > 1
    }
    tables = [f'[params.{name}]\ntype = "any"\ndefault = 1\ndescription = "P"\n' for name in names]
    lets = [f"let.{name} = {json.dumps(one.text)}\n" for name, one in compiled.shared.items()]
    return "".join(lets) + HEADER + "".join(sorted(tables))


def test_several_types_are_looked_at_apart(tmp_path: Path, catalog: Catalog) -> None:
    """What stands behind ``type == …`` is looked at for that type alone."""
    body = """\
deny = \"\"\"
type == 'aws_security_group_rule' && after.type == 'ingress' && after.from_port == `22`
|| type == 'aws_security_group' && after.ingress[?from_port == `22`]\"\"\"
"""
    text = rule(body).replace('"aws_instance"', '"aws_security_group", "aws_security_group_rule"')
    assert lint(tmp_path / "set", catalog, text).findings == ()


def test_a_ruleset_that_does_not_load_is_linted_all_the_same(
    tmp_path: Path, catalog: Catalog
) -> None:
    """A syntax error in one rule hides nothing of what is wrong in the next."""
    broken = rule("deny = 'after.['").replace('title = "T"\n', "")
    misspelt = rule("deny = 'after.monitorin'", "GOOD-2")
    result = lint(tmp_path / "set", catalog, broken, misspelt)
    told = {(f.check, f.file.rpartition("/")[2]) for f in result.findings}
    assert {("does-not-load", "r0.toml"), ("unknown-attribute", "r1.toml")} <= told


def test_rules_that_say_the_same(tmp_path: Path, catalog: Catalog) -> None:
    """``deny = a || b`` and ``require = !b && !a`` are one rule."""
    first = rule("deny = \"after.monitoring == `true` || after.ami == 'x'\"", "GOOD-1")
    second = rule("require = \"'x' != after.ami && !(after.monitoring == `true`)\"", "GOOD-2")
    found = lint(tmp_path / "set", catalog, first, second).findings
    assert [f.check for f in found] == ["overlapping-rules"]
    assert "GOOD-1" in found[0].message


def test_what_nothing_uses(tmp_path: Path, catalog: Catalog) -> None:
    """Parameters and let values without a call are told, also those that only call each other."""
    header = f'{HEADER}[params.p]\ntype = "string"\ndefault = "x"\ndescription = "P"\n'
    body = "let.a = \"$b\"\nlet.b = 'after.ami'\ndeny = 'after.monitoring == `true`'"
    found = lint(tmp_path / "set", catalog, rule(body), header=header).findings
    assert sorted(f.key or "" for f in found if f.check == "unused") == [
        "let.a",
        "let.b",
        "params.p",
    ]


def test_patterns_of_parameters(tmp_path: Path, catalog: Catalog) -> None:
    """A default that RE2 refuses is told where it is used as a pattern."""
    header = f'{HEADER}[params.p]\ntype = "string"\ndefault = \'(?=a)\'\ndescription = "P"\n'
    body = 'deny = "after.ami && matches(after.ami, $params.p)"'
    found = lint(tmp_path / "set", catalog, rule(body), header=header).findings
    assert [f.check for f in found] == ["bad-pattern"]


def test_computed_attributes_ask_for_a_thought(tmp_path: Path, catalog: Catalog) -> None:
    """Without on_unknown and an unknown example nobody has thought of a value not known yet."""
    text = rule('deny = "after.public_ip"').replace('on_unknown = "verify"\n', "")
    found = lint(tmp_path / "set", catalog, text).findings
    assert [f.check for f in found] == ["unknown-unconsidered"]
    example = """
[[tests]]
name = "an address that is not known yet"
change = { type = "aws_instance", unknown = ["public_ip"] }
expect = "unknown"
"""
    assert lint(tmp_path / "shown", catalog, text + example).findings == ()


def test_a_comment_with_a_reason_waves_a_check_through(tmp_path: Path, catalog: Catalog) -> None:
    """Without a reason it does not."""
    body = "deny = 'after.monitorin'"
    with_reason = rule(f"# lint: ignore unknown-attribute: of our fork\n{body}")
    without = rule(f"# lint: ignore unknown-attribute\n{body}")
    result = lint(tmp_path / "a", catalog, with_reason)
    assert (result.findings, result.ignored) == ((), 1)
    assert lint(tmp_path / "b", catalog, without).findings


def test_providers_that_are_not_known_are_noted(tmp_path: Path, catalog: Catalog) -> None:
    """Nothing is guessed about a type without a schema; that it was not checked is said."""
    text = rule("deny = 'after.anything.at.all'").replace("aws_instance", "google_thing")
    result = lint(tmp_path / "set", catalog, text)
    assert result.findings == ()
    assert "google" in result.notes[0]


def test_another_version_of_the_provider_is_noted(tmp_path: Path) -> None:
    """What only the given version lacks is a note that names both versions, and no finding."""
    schema = {
        "provider_schemas": {
            "registry.terraform.io/hashicorp/aws": {
                "resource_schemas": {
                    "aws_instance": {
                        "block": {"attributes": {"ami": {"type": "string", "optional": True}}}
                    }
                }
            }
        }
    }
    (provider,) = read_schema(
        msgspec.json.encode(schema), versions={"registry.terraform.io/hashicorp/aws": "9.0.0"}
    )
    (tmp_path / "aws.tfschema").write_bytes(write_index(provider))
    (tmp_path / "rules.toml").write_text(
        HEADER + "[[rules]]\n" + rule("deny = 'after.monitoring == `true`'"), encoding="utf-8"
    )
    result = lint_as_asked(["rules.toml"], tmp_path, {}, schemas=["aws.tfschema"])
    assert result.findings == ()
    assert "monitoring" in result.notes[0]
    assert "9.0.0" in result.notes[0]
    assert "5.100.0" in result.notes[0]


def test_ignore_names_a_check(tmp_path: Path) -> None:
    """A misspelt check is wrong usage."""
    with pytest.raises(UsageError, match="unknown-type"):
        lint_as_asked([], tmp_path, {}, ignore=["unknown-typ"])


def test_a_place_in_a_text_of_several_lines(tmp_path: Path, catalog: Catalog) -> None:
    """Line and column lead to the attribute, whichever line of the expression it is on."""
    body = 'deny = """\nafter.ami\n  && after.monitorin"""'
    (finding,) = lint(tmp_path / "set", catalog, rule(body)).findings
    lines = (tmp_path / "set/rules/r0.toml").read_text().split("\n")
    assert finding.excerpt is not None
    assert finding.column is not None
    assert finding.excerpt[finding.column - 1 :].startswith("monitorin")
    (number,) = [number for number, line in enumerate(lines, 1) if "monitorin" in line]
    assert finding.line == number


def test_every_check_has_a_planted_rule() -> None:
    """No check is without a test."""
    from tests.unit.authoring.lint.planted import PLANTED

    here = {"overlapping-rules", "bad-pattern", "unknown-unconsidered"}
    assert set(CHECKS) - {planted.check for planted in PLANTED} <= here
