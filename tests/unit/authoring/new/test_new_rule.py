"""A drafted rule loads, its examples hold, lint finds nothing, and no secret is in it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.authoring.new import Subject, check_rule, draft_rule, new_rule, rule_text
from tfgate.cli.main import main
from tfgate.errors import UsageError
from tfgate.schema import Catalog, shipped_indexes

if TYPE_CHECKING:
    Capture = pytest.CaptureFixture[str]

HEADER = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]
"""
PLANS = Path(__file__).parents[4] / "testdata" / "plans"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The AWS provider's schema, as it is shipped."""
    return Catalog(shipped_indexes())


def test_of_any_type_and_attribute(tmp_path: Path, catalog: Catalog) -> None:
    """Whatever the type of the attribute, the draft is proven and clean."""
    chance = random.Random(4)
    (tmp_path / "rules").mkdir()
    (tmp_path / "ruleset.toml").write_text(HEADER, encoding="utf-8")
    for number, kind in enumerate(chance.sample(catalog.types(), 60)):
        block = catalog.get(kind)
        assert block is not None
        usable = [n for n in sorted(block.names)
                  if n not in block.attributes or not block.attributes[n].flags & 48]  # fmt: skip
        text = rule_text(*draft_rule(block, chance.choice(usable), Subject(kind)), f"X-{number}")
        check_rule(text)
        (tmp_path / "rules" / f"{number}.toml").write_text(text, encoding="utf-8")
    found = lint_rulesets([str(tmp_path)], catalog).findings
    assert [finding.render() for finding in found] == []


@pytest.mark.parametrize("plan", ["aws-data", "aws-iam", "sensitive", "create", "data-source"])
def test_of_a_resource_of_a_plan(plan: str) -> None:
    """Each resource of a plan gives a rule whose examples hold."""
    path = PLANS / f"{plan}.json"
    for change in msgspec.json.decode(path.read_bytes())["resource_changes"]:
        text = new_rule(PLANS, {}, plan=str(path), address=change["address"])
        assert text.count("[[tests]]") == 3


def test_secrets_of_the_plan_stay_there(tmp_path: Path) -> None:
    """A sensitive value is a placeholder, and marked."""
    change = {
        "address": "aws_db_instance.x", "mode": "managed", "type": "aws_db_instance", "name": "x",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": ["create"], "before": None,
            "after": {"password": "hunter2-canary", "engine": "mysql", "tags": {"k": "canary2"}},
            "after_unknown": {"arn": True}, "before_sensitive": False,
            "after_sensitive": {"password": True, "tags": {"k": True}},
        },
    }  # fmt: skip
    plan = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [change]}
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(plan))
    path = str(tmp_path / "plan.json")
    text = new_rule(tmp_path, {}, plan=path, address="aws_db_instance.x", attribute="engine")
    assert "canary" not in text
    assert "hunter2" not in text
    assert '"mysql"' in text
    assert 'sensitive = ["password"]' in text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "aws_db_instnce"}, "aws_db_instance"),
        ({"kind": "aws_db_instance", "attribute": "storage_encryptd"}, "storage_encrypted"),
        ({}, "--type"),
        ({"plan": str(PLANS / "create.json")}, "--address"),
        ({"plan": str(PLANS / "aws-data.json"), "address": "aws_db_instance.bat"}, "Did you mean"),
    ],
)
def test_says_what_it_needs(asked: dict[str, str], said: str) -> None:
    """What is misspelt or missing is named."""
    with pytest.raises(UsageError, match=said):
        new_rule(PLANS, {}, **asked)  # type: ignore[arg-type] # keyword arguments by name


def test_writes_into_the_ruleset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """In a ruleset's folder the file goes to rules/, once."""
    (tmp_path / "ruleset.toml").write_text(HEADER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    asked = ["rules", "new", "ACME-1", "--type", "aws_sqs_queue", "--attribute", "fifo_queue"]
    assert main(asked) == 0
    assert (tmp_path / "rules/acme-1.toml").is_file()
    assert main(asked) == 2
    assert "there already" in capsys.readouterr().err
    assert main(["rules", "lint"]) == 0
    assert main(["rules", "test"]) == 0
