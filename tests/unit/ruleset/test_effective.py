"""Levels, parameters and data as they hold in one workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.errors import ConfigError
from tfgate.model.rule import Enforcement
from tfgate.ruleset import for_workspace, load_gate_config

from .conftest import HEADER, RULE, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfgate.query import FunctionTable
    from tfgate.ruleset import Effective

    Write = Callable[[str, str], Path]
    Resolve = Callable[..., Effective]

PARAMS = """
[params.allowed]
type = "list(string)"
default = ["t3.micro"]
description = "Types that may run"

[params.region]
type = "string"
description = "Where things run"
"""
REGION = '\n[params.acme]\nregion = "eu"\n'


def _rule(rule_id: str, level: str = "soft-mandatory", extra: str = "") -> str:
    text = RULE.replace("ACME-1", rule_id).replace('"soft-mandatory"', f'"{level}"')
    return f"\n[[rules]]\n{text}{extra}"


@pytest.fixture
def resolve(tmp_path: Path, write: Write, functions: FunctionTable) -> Resolve:
    """Write a configuration and a ruleset, and give what holds in a workspace."""

    def give(
        config: str,
        *,
        workspace: str = "dev",
        overridable: str = "[]",
        rules: str = "",
        head: str = "",
        environment: dict[str, str] | None = None,
    ) -> Effective:
        header = HEADER + f"overridable = {overridable}\n{PARAMS}{head}"
        write("policy.toml", header + (rules or _rule("ACME-1")))
        write("tfgate.toml", f'[gate]\nrulesets = ["./policy.toml"]\n{config}{REGION}')
        loaded = load_gate_config(tmp_path, environment or {})
        return for_workspace(loaded, workspace, functions=functions)

    return give


@pytest.fixture
def problems_of(resolve: Resolve) -> Callable[..., list[str]]:
    """Return the problems of a configuration that is wrong."""

    def give(config: str, **options: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            resolve(config, **options)
        return shown(caught.value)

    return give


def test_a_level_may_always_be_raised(resolve: Resolve) -> None:
    """Raising asks nobody."""
    effective = resolve('[levels]\n"ACME-*" = "hard-mandatory"\n')
    assert effective.levels == {"ACME-1": Enforcement.HARD_MANDATORY}
    assert effective.level(effective.rulesets[0].rules[0]) is Enforcement.HARD_MANDATORY


def test_a_rule_that_is_not_named_keeps_its_level(resolve: Resolve) -> None:
    """Levels hold what the configuration changes and nothing else."""
    rules = _rule("ACME-1") + _rule("OTHER-1")
    effective = resolve('[levels]\n"ACME-?" = "hard-mandatory"\n', rules=rules)
    assert effective.levels == {"ACME-1": Enforcement.HARD_MANDATORY}
    assert effective.level(effective.rulesets[0].rules[1]) is Enforcement.SOFT_MANDATORY


@pytest.mark.parametrize(
    ("level", "overridable", "extra", "allowed"),
    [
        ("soft-mandatory", "[]", "", False),
        ("soft-mandatory", '["ACME-*"]', "", True),
        ("soft-mandatory", '["ACME-*"]', "overridable = false\n", False),
        ("soft-mandatory", "[]", "overridable = true\n", True),
        ("hard-mandatory", '["*"]', "", False),
        ("hard-mandatory", '["ACME-1"]', "", True),
        ("hard-mandatory", "[]", "overridable = true\n", True),
    ],
)
def test_a_level_is_lowered_only_where_the_ruleset_allows_it(
    resolve: Resolve, level: str, overridable: str, extra: str, allowed: bool
) -> None:
    """The rule's own word decides, then the list; no glob lowers a hard-mandatory rule."""
    config = '[levels]\n"ACME-*" = "advisory"\n'
    rules = _rule("ACME-1", level, extra)
    if allowed:
        effective = resolve(config, overridable=overridable, rules=rules)
        assert effective.levels == {"ACME-1": Enforcement.ADVISORY}
        return
    with pytest.raises(ConfigError) as caught:
        resolve(config, overridable=overridable, rules=rules)
    assert shown(caught.value) == [
        (
            f'tfgate.toml:4: levels."ACME-*": lowers ACME-1 from {level} to advisory, which the '
            "ruleset acme does not allow (it is not overridable)"
        )
    ]


def test_later_lines_and_later_workspaces_win(resolve: Resolve) -> None:
    """What counts is the level that comes out, so an exception below a wide glob is no mistake."""
    config = """
[levels]
"ACME-*" = "advisory"
"ACME-1" = "hard-mandatory"

[[workspace]]
match = "prod-*"
levels = { "*-2" = "hard-mandatory", "*" = "soft-mandatory" }

[[workspace]]
match = "*-eu"
levels = { "ACME-1" = "hard-mandatory" }
"""
    rules = _rule("ACME-1") + _rule("ACME-2", extra="overridable = true\n")
    dev = resolve(config, rules=rules)
    assert dev.levels == {"ACME-1": Enforcement.HARD_MANDATORY, "ACME-2": Enforcement.ADVISORY}
    prod = resolve(config, rules=rules, workspace="prod-eu")
    assert prod.levels == {
        "ACME-1": Enforcement.HARD_MANDATORY,
        "ACME-2": Enforcement.SOFT_MANDATORY,
    }


def test_other_workspaces_are_checked_too(problems_of: Callable[..., list[str]]) -> None:
    """A mistake in the table of another workspace is told before that workspace meets it."""
    config = """
[[workspace]]
match = "prod"
levels = { "ACME-*" = "advisory" }
params = { acme = { allowed = "x", regoin = "us" } }
"""
    assert problems_of(config) == [
        (
            'tfgate.toml:6: workspace[0].levels."ACME-*": lowers ACME-1 from soft-mandatory to '
            "advisory, which the ruleset acme does not allow (it is not overridable)"
        ),
        "tfgate.toml:7: workspace[0].params.acme.allowed: expected list(string), found a string",
        (
            "tfgate.toml:7: workspace[0].params.acme.regoin: unknown key regoin "
            '(did you mean "region"?)'
        ),
    ]


def test_parameters_are_replaced_whole(resolve: Resolve) -> None:
    """Defaults, then [params], then each matching workspace; lists are not merged."""
    config = '\n[[workspace]]\nmatch = "prod"\nparams = { acme = { allowed = ["m6i.large"] } }\n'
    assert resolve(config).params == {"acme": {"allowed": ["t3.micro"], "region": "eu"}}
    assert resolve(config, workspace="prod").params == {
        "acme": {"allowed": ["m6i.large"], "region": "eu"}
    }


def test_a_required_parameter_is_asked_for(
    tmp_path: Path, write: Write, functions: FunctionTable
) -> None:
    """The sentence says what the value is for and where to write it."""
    write("policy.toml", HEADER + PARAMS + _rule("ACME-1"))
    write("tfgate.toml", '[gate]\nrulesets = ["policy.toml"]\n')
    with pytest.raises(ConfigError) as caught:
        for_workspace(load_gate_config(tmp_path, {}), "dev", functions=functions)
    assert shown(caught.value) == [
        (
            "tfgate.toml: params.acme.region: the ruleset acme needs a value of type string "
            "for region (Where things run)"
        )
    ]


def test_names_of_nothing_are_mistakes(problems_of: Callable[..., list[str]]) -> None:
    """A level, parameter or data file that speaks of nothing loaded was misspelt."""
    config = """
[levels]
"ACEM-1" = "hard-mandatory"

[params.acem]
region = "eu"

[data.acme]
accounts = "x.json"
"""
    assert problems_of(config) == [
        (
            "tfgate.toml:5: levels.ACEM-1: matches no rule of the rulesets in use "
            '(did you mean "ACME-1"?)'
        ),
        'tfgate.toml:7: params.acem: unknown key acem (did you mean "acme"?)',
        "tfgate.toml:11: data.acme.accounts: unknown key accounts",
    ]


def test_other_rulesets_by_environment_make_names_lenient(resolve: Resolve, write: Write) -> None:
    """Who replaces the file's rulesets for one run need not edit the rest of the file."""
    write("other.toml", HEADER.replace("acme", "other") + _rule("OTHER-1"))
    config = '[levels]\n"ACME-1" = "hard-mandatory"\n'
    effective = resolve(config, environment={"TFGATE_RULESETS": "other.toml"})
    assert effective.levels == {}
    assert effective.params == {"other": {}}


def test_a_workspace_may_add_rulesets(resolve: Resolve, write: Write) -> None:
    """Rulesets of a workspace come on top: a workspace cannot take one away."""
    write("more.toml", HEADER.replace("acme", "more") + _rule("MORE-1"))
    config = '\n[[workspace]]\nmatch = "prod"\nrulesets = ["more.toml", "./policy.toml"]\n'
    assert [ruleset.id for ruleset in resolve(config).rulesets] == ["acme"]
    assert [ruleset.id for ruleset in resolve(config, workspace="prod").rulesets] == [
        "acme",
        "more",
    ]


def test_ids_are_unique_among_the_rulesets_in_use(
    tmp_path: Path, write: Write, functions: FunctionTable
) -> None:
    """Waivers name rules by id alone, so an id means one rule."""
    write("a.toml", HEADER + _rule("ACME-1"))
    write("b.toml", HEADER.replace('"acme"', '"b"') + _rule("ACME-1"))
    write("c.toml", HEADER + _rule("ACME-3"))
    for others, problem in (
        ('"b.toml"', "b.toml:7: id: the rule ACME-1 is already in a.toml:7"),
        ('"c.toml"', "c.toml: the ruleset acme is already loaded from a.toml"),
    ):
        write("tfgate.toml", f'[gate]\nrulesets = ["a.toml", {others}]\n')
        with pytest.raises(ConfigError) as caught:
            for_workspace(load_gate_config(tmp_path, {}), "dev", functions=functions)
        assert shown(caught.value) == [problem]


def test_mistakes_of_several_rulesets_come_together(
    tmp_path: Path, write: Write, functions: FunctionTable
) -> None:
    """One broken ruleset does not hide another."""
    write("tfgate.toml", '[gate]\nrulesets = ["a.toml", "b.toml"]\n')
    with pytest.raises(ConfigError) as caught:
        for_workspace(load_gate_config(tmp_path, {}), "dev", functions=functions)
    assert shown(caught.value) == [
        "a.toml: cannot be read: no such file",
        "b.toml: cannot be read: no such file",
    ]


def test_data_files_come_from_ruleset_or_configuration(
    resolve: Resolve, write: Write, problems_of: Callable[..., list[str]]
) -> None:
    """The configuration names what the ruleset leaves open, and may replace what it ships."""
    head = '\n[data.open]\n[data.shipped]\nfile = "shipped.json"\n'
    write("shipped.json", "[1]")
    write("own.toml", "a = 1")
    (found,) = problems_of("", head=head)
    assert found == (
        "tfgate.toml: data.acme.open: the ruleset acme needs the path of a file for open: here, or "
        "with --data open=FILE"
    )
    config = '\n[data.acme]\nopen = "own.toml"\n'
    (ruleset,) = resolve(config, head=head).rulesets
    values = {name: file.value for name, file in ruleset.data.items() if file is not None}
    assert values == {"open": {"a": 1}, "shipped": [1]}
    (found,) = problems_of('\n[data.acme]\nopen = "none.json"\n', head=head)
    assert found == "none.json: cannot be read: no such file"
