"""``[[identity.issuers]]``: every key arrives, every mistake is named, and nothing is left open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
import tomli

from tfgate.errors import ConfigError
from tfgate.ruleset import load_gate_config
from tfgate.ruleset.issuer_presets import PRESETS, PresetName
from tfgate.ruleset.issuers import claim_path, template_claims
from tfgate.ruleset.schema import schemas

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.ruleset import GateConfig
    from tfgate.ruleset.issuers import Issuer

ALL = """
[identity]
name = "prod"

[[identity.issuers]]
preset = "github"
conditions = { repository = "acme/*", ref = ["refs/heads/main", "refs/tags/v*"] }

[[identity.issuers]]
name = "acme"
issuer = "https://login.acme.example/realms/acme"
audience = ["tfgate", "tfgate:prod"]
operator = "{email}"
conditions = { groups = "infra", '"https://acme.example/mfa".done' = "true" }
claims = ["email", 'resource_access."tf.gate".roles']
authorized_party = ["tfgate-cli"]
keys_hosts = ["keys.acme.example"]
ca_file = "ca.pem"
token_env = "TFGATE_IDENTITY_TOKEN_ACME"
token_file = "~/token"
max_hours = 1

[[identity.issuers]]
name = "cluster"
preset = "kubernetes"
issuer = "https://kubernetes.default.svc.cluster.local"
keys = "cluster-keys.json"
"""


def load(tmp_path: Path, text: str, **env: str) -> GateConfig:
    """Read a configuration."""
    (tmp_path / "tfgate.toml").write_text(text)
    return load_gate_config(tmp_path, {"HOME": "/home/alice", **env})


def issuer(tmp_path: Path, keys: str, name: str | None = "prod") -> Issuer:
    """Read a configuration with one issuer."""
    named = f'[identity]\nname = "{name}"\n' if name else ""
    return load(tmp_path, f"{named}[[identity.issuers]]\n{keys}").issuers[0]


def wrong(tmp_path: Path, keys: str, name: str | None = "prod") -> str:
    """Return what is said of a configuration with one issuer."""
    with pytest.raises(ConfigError) as error:
        issuer(tmp_path, keys, name)
    return str(error.value)


def test_every_key_arrives(tmp_path: Path) -> None:
    """With what the preset says, and paths from the file."""
    github, acme, cluster = load(tmp_path, ALL).issuers
    assert github.name == "github"
    assert github.issuer == "https://token.actions.githubusercontent.com"
    assert github.audience == ("tfgate:prod",)
    assert github.operator == "{actor}@github"
    assert github.conditions == {
        "repository": ("acme/*",),
        "ref": ("refs/heads/main", "refs/tags/v*"),
    }
    assert "run_id" in github.claims
    assert acme.audience == ("tfgate", "tfgate:prod")
    assert acme.claims == ("email", 'resource_access."tf.gate".roles')
    assert acme.ca_file == tmp_path / "ca.pem"
    assert str(acme.token_file) == "/home/alice/token"
    assert (acme.max_hours, acme.authorized_party) == (1, ("tfgate-cli",))
    assert cluster.keys == tmp_path / "cluster-keys.json"
    assert cluster.operator == "{sub}"


def test_the_schema_agrees(tmp_path: Path) -> None:
    """What an editor is told is what is read."""
    schema = schemas()["tfgate"]
    jsonschema.validate(json.loads(json.dumps(tomli.loads(ALL))), schema)


def test_the_name_of_the_gate_may_come_from_the_environment(tmp_path: Path) -> None:
    """As every single value may."""
    config = load(tmp_path, ALL, TFGATE_IDENTITY_NAME="other")
    assert config.issuers[0].audience == ("tfgate:other",)
    assert config.issuers[1].audience == ("tfgate", "tfgate:prod")


@pytest.mark.parametrize("preset", list(PresetName))
def test_every_preset(tmp_path: Path, preset: PresetName) -> None:
    """It loads with the little that a customer has to say, and says what that is otherwise."""
    known = PRESETS[preset]
    keys = f'preset = "{preset}"\n'
    if not known.issuer:
        assert "an issuer needs the key issuer (for this preset: " in wrong(tmp_path, keys)
        keys += 'issuer = "https://oidc.example/org/1"\n'
    if known.tenants:
        assert "everybody can get a token of" in wrong(tmp_path, keys)
        claim = next(iter(known.tenants))
        keys += f'conditions = {{ {claim} = "acme/infra" }}\n'
    if preset is PresetName.BITBUCKET:
        keys += 'audience = ["ari:cloud:bitbucket::workspace/1"]\n'
    read = issuer(tmp_path, keys)
    assert read.name == str(preset)
    assert template_claims(read.operator)
    assert known.missing


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('name = "a"', "needs the key issuer"),
        ('issuer = "https://a.example"\noperator = "{sub}"', "needs the key name, or a preset"),
        ('name = "a"\nissuer = "https://a.example"', "needs the key operator"),
        ('name = "a"\nissuer = "http://a.example"\noperator = "{sub}"', "is not an address such"),
        ('name = "a"\nissuer = "a.example"\noperator = "{sub}"', "is not an address such"),
        ('name = "a"\nissuer = "https://a.example?x=1"\noperator = "{sub}"', "is not an address"),
        ('name = "a"\nissuer = "https://u:p@a.example"\noperator = "{sub}"', "a password in it"),
        ('name = "a"\nissuer = "https://a.example:x"\noperator = "{sub}"', "is not an address"),
        ('name = "a"\nissuer = "https://a.example"\noperator = "alice"', "needs a claim in braces"),
        ('name = "a"\nissuer = "https://a.example"\noperator = "{sub"', "needs a claim in braces"),
        ('name = "a"\nissuer = "https://a.example"\noperator = "{a b}"', "is not the path of a"),
        ('preset = "github"\nconditions = { "a..b" = "x" }', "is not the path of a claim"),
        ('preset = "github"\nconditions = { repository = [] }', "must not be empty"),
        ('preset = "github"\nconditions = { repository = 7.5 }', "expected a string"),
        ('preset = "github"\naudience = true', "expected a string"),
        ('preset = "circle-ci"', "is not one of"),
        ('preset = "github"\nclient = "x"', "unknown key"),
        ('preset = "github"\ntoken_env = "AWS_SECRET_ACCESS_KEY"', "begins with TFGATE_IDENTITY_"),
    ],
)
def test_mistakes(tmp_path: Path, keys: str, words: str) -> None:
    """Each is named with its place."""
    said = wrong(tmp_path, keys)
    assert words in said
    assert "tfgate.toml:" in said
    assert "identity.issuers[0]" in said


def test_one_may_stand_without_brackets(tmp_path: Path) -> None:
    """And what is true, or a number, without quotes."""
    keys = 'preset = "github"\naudience = "tfgate"\nauthorized_party = "ci"\n'
    keys += 'conditions = { repository = "a/*", ref_protected = true, repository_id = [7, "8"] }'
    read = issuer(tmp_path, keys)
    assert (read.audience, read.authorized_party) == (("tfgate",), ("ci",))
    assert read.conditions["ref_protected"] == ("true",)
    assert read.conditions["repository_id"] == ("7", "8")
    schema = schemas()["tfgate"]
    jsonschema.validate(tomli.loads((tmp_path / "tfgate.toml").read_text()), schema)


def test_an_audience_is_needed(tmp_path: Path) -> None:
    """A token for everybody would be one for anybody."""
    said = wrong(tmp_path, 'preset = "github"\nconditions = { repository = "a/*" }', name=None)
    assert "needs the key audience, or identity.name" in said


def test_names_are_not_used_twice(tmp_path: Path) -> None:
    """They say in records whom an operator is known by."""
    one = '[[identity.issuers]]\npreset = "github"\nconditions = { repository_owner = "acme" }\n'
    with pytest.raises(ConfigError, match="two issuers github"):
        load(tmp_path, f'[identity]\nname = "prod"\n{one}{one}')


@pytest.mark.parametrize(
    ("preset", "claim", "glob", "bound"),
    [
        ("github", "repository", "acme/*", True),
        ("github", "repository", "acme/infra", True),
        ("github", "repository", "acme*", False),
        ("github", "repository", "*", False),
        ("github", "repository", "*/infra", False),
        ("github", "repository", "acm?/infra", False),
        ("github", "repository_owner", "acme", True),
        ("github", "repository_owner", "acme*", False),
        ("github", "sub", "repo:acme/*", True),
        ("github", "sub", "repo:*", False),
        ("github", "sub", "repo:acme*", False),
        ("github", "ref_protected", "true", False),
        ("gitlab", "project_path", "acme/*", True),
        ("gitlab", "project_path", "a*/x", False),
        ("hcp-terraform", "sub", "organization:acme:*", True),
        ("hcp-terraform", "sub", "organization:*", False),
        ("google", "email", "*@acme.example", True),
        ("google", "email", "*", False),
        ("google", "email", "*.example", False),
        ("google", "hd", "acme.example", True),
    ],
)
def test_what_is_everybodys_must_be_narrowed(
    tmp_path: Path, preset: str, claim: str, glob: str, bound: bool
) -> None:
    """At GitHub anybody can get a token: the owner's own part has no wildcard in its name."""
    keys = f'preset = "{preset}"\nconditions = {{ {claim} = "{glob}" }}'
    if bound:
        assert issuer(tmp_path, keys)
    else:
        assert "everybody can get a token" in wrong(tmp_path, keys)
        both = f'preset = "{preset}"\nconditions = {{ {claim} = ["{glob}", "acme/x@y"] }}'
        assert "everybody can get a token" in wrong(tmp_path, both)


def test_workspaces(tmp_path: Path) -> None:
    """Proof may be asked for in some workspaces alone; the last table that says so counts."""
    config = load(
        tmp_path,
        """
        [gate]
        require_verified_operator = true
        [[workspace]]
        match = "dev-*"
        require_verified_operator = false
        [[workspace]]
        match = "dev-eu*"
        levels = { "X-*" = "advisory" }
        [[workspace]]
        match = "dev-pci"
        require_verified_operator = true
        """,
    )
    wanted = {"prod": True, "dev-a": False, "dev-eu": False, "dev-pci": True}
    assert {name: config.needs_proof(name) for name in wanted} == wanted


def test_paths_of_claims() -> None:
    """Steps are separated by dots; one with a dot in it stands in quotes."""
    assert claim_path("actor") == ("actor",)
    assert claim_path('"kubernetes.io".pod.name') == ("kubernetes.io", "pod", "name")
    assert claim_path('a."https://x.example/y"') == ("a", "https://x.example/y")
    assert template_claims('{"kubernetes.io".namespace}/{sub}') == (
        '"kubernetes.io".namespace',
        "sub",
    )
