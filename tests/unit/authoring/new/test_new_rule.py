"""A drafted rule loads, its examples hold, lint finds nothing, and no secret is in it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import tomli as tomllib

from tests.support.terminal import at_terminal
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
        draft = draft_rule(block, chance.choice(usable), Subject(kind))
        text = rule_text(draft, Subject(kind), f"X-{number}")
        check_rule(text)
        (tmp_path / "rules" / f"{number}.toml").write_text(text, encoding="utf-8")
    found = lint_rulesets([str(tmp_path)], catalog).findings
    assert [finding.render() for finding in found] == []
    assert main(["rules", "mutate", str(tmp_path)]) == 0


@pytest.mark.parametrize("plan", ["aws-data", "aws-iam", "sensitive", "create", "data-source"])
def test_of_a_resource_of_a_plan(plan: str) -> None:
    """Each resource of a plan gives a rule whose examples hold."""
    path = PLANS / f"{plan}.json"
    for change in msgspec.json.decode(path.read_bytes())["resource_changes"]:
        text = new_rule(PLANS, {}, plan=str(path), address=change["address"])
        assert {test["expect"] for test in tomllib.loads(text)["tests"]} == {
            "pass", "fail", "unknown", "skip"
        }  # fmt: skip


def _plan(tmp_path: Path, **after: Any) -> str:
    change = {
        "address": "aws_db_instance.x", "mode": "managed", "type": "aws_db_instance", "name": "x",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": ["create"], "before": None, "after": after, "after_unknown": {"arn": True},
            "before_sensitive": False, "after_sensitive": {"password": True, "tags": {"k": True}},
        },
    }  # fmt: skip
    plan = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [change]}
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(plan))
    return str(tmp_path / "plan.json")


def test_secrets_of_the_plan_stay_there(tmp_path: Path) -> None:
    """A sensitive value is in no example, not even of a rule on it."""
    path = _plan(tmp_path, password="hunter2-canary", engine="mysql", tags={"k": "canary2"})
    for attribute, want in (("engine", "postgres"), ("password", None), ("password", "x")):
        text = new_rule(
            tmp_path, {}, plan=path, address="aws_db_instance.x", attribute=attribute, want=want
        )
        assert "canary" not in text
        assert ('sensitive = ["password"]' in text) is (attribute == "password")


@pytest.mark.parametrize(
    ("attribute", "want", "require"),
    [
        ("storage_encrypted", None, "after.storage_encrypted == `true`"),
        ("storage_encrypted", "true", "after.storage_encrypted == `true`"),
        ("publicly_accessible", None, "after.publicly_accessible == `false`"),
        ("engine", None, "after.engine"),
        ("engine", "postgres", "after.engine == 'postgres'"),
        ("engine", '["postgres", "aurora"]', 'contains(`["postgres", "aurora"]`, after.engine)'),
        ("allocated_storage", "50", "after.allocated_storage == `50`"),
        ("allocated_storage", None, "after.allocated_storage != `null`"),
        ("tags", "Owner", "after.tags.Owner"),
        ("enabled_cloudwatch_logs_exports", "audit",
         "contains(after.enabled_cloudwatch_logs_exports || `[]`, 'audit')"),
    ],
)  # fmt: skip
def test_the_value_at_hand_is_not_taken_for_the_wanted_one(
    tmp_path: Path, attribute: str, want: str | None, require: str
) -> None:
    """What the plan has today is at most the example that fails; each example has one attribute."""
    path = _plan(
        tmp_path, storage_encrypted=False, publicly_accessible=True, engine="mysql",
        allocated_storage=20, enabled_cloudwatch_logs_exports=["error"],
    )  # fmt: skip
    text = new_rule(
        tmp_path, {}, plan=path, address="aws_db_instance.x", attribute=attribute, want=want,
        rule_id="X-1",
    )  # fmt: skip
    assert tomllib.loads(text)["require"] == require
    for test in tomllib.loads(text)["tests"]:
        assert set(test["change"]["after"]) <= {attribute}
    (tmp_path / "rules").mkdir()
    (tmp_path / "ruleset.toml").write_text(HEADER, encoding="utf-8")
    (tmp_path / "rules" / "x.toml").write_text(text, encoding="utf-8")
    for command in ("test", "lint", "mutate"):
        assert main(["rules", command, str(tmp_path)]) == 0


def test_asks_at_a_terminal(tmp_path: Path) -> None:
    """The attribute and the value are asked for, the address needs no option."""
    path = _plan(tmp_path, storage_encrypted=False, engine="mysql")
    screen = at_terminal(
        ["rules", "new", "X-9", "aws_db_instance.x", "--from", path],
        answers=["engine", "postgres"],
        cwd=tmp_path,
    )
    assert 'engine is "mysql" in the plan.' in screen
    assert "require = \"after.engine == 'postgres'\"" in screen


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "aws_db_instnce"}, "aws_db_instance"),
        ({"kind": "aws_db_instance", "attribute": "storage_encryptd"}, "storage_encrypted"),
        ({}, "--type"),
        ({"plan": str(PLANS / "create.json")}, "--address"),
        ({"kind": "aws_db_instance", "attribute": "multi_az", "want": "yes"}, "true or false"),
        ({"kind": "aws_db_instance", "attribute": "allocated_storage", "want": "big"}, "a number"),
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
