"""A rule that reads only what none of its types has does not load, unless it is allowed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tfgate.cli.main import main
from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.gate.absent import refuse_absent
from tfgate.ruleset import load_ruleset

if TYPE_CHECKING:
    from pathlib import Path

RULESET = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]

[let]
shared = "after.storage_encryptd"

[[rules]]
id = "ACME-1"
title = "T"
severity = "low"
enforcement = "advisory"
message = "M"
"""
DB = 'match.types = ["aws_db_instance"]\n'
ENV = {"HOME": "/nowhere"}


def refused(folder: Path, rule: str, allowed: tuple[str, ...] = ()) -> str:
    """Say what is wrong with a rule; nothing where it loads."""
    file = folder / "acme.toml"
    file.write_text(RULESET + rule)
    found = load_ruleset(str(file), base=folder, functions=rule_functions())
    try:
        refuse_absent([found], allowed, ENV)
    except RulesetError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "rule",
    [
        DB + 'deny = "after.storage_encryptd == `false`"',
        DB + 'require = "after.storage_encryptd"',
        DB + 'deny = "$shared == `false`"',
        DB + 'when = "before.engin"\ndeny = "after.storage_encryptd"',
        'match.types = ["aws_db_*"]\ndeny = "after.storage_encryptd"',
        'match.types = ["aws_db_instance", "aws_rds_cluster"]\ndeny = "after.storage_encryptd"',
        DB + "deny = \"!left_to_provider('storage_encryptd') && !(after.storage_encryptd)\"",
    ],
)
def test_what_no_type_has_is_refused(rule: str, tmp_path: Path) -> None:
    """With the name that was meant, and with the way to have the rule all the same."""
    says = refused(tmp_path, rule)
    assert re.search(r"acme\.toml:\d+: rules\[0\]\.(deny|require): ", says)
    assert "storage_encryptd" in says
    assert "did you mean " in says
    assert "--allow ACME-1" in says
    assert refused(tmp_path, rule, ("ACME-*",)) == ""


@pytest.mark.parametrize(
    "rule",
    [
        DB + 'deny = "after.storage_encrypted == `false`"',
        DB + 'deny = "after.storage_encryptd || after.engine"',
        DB + 'deny = "after.storage_encryptd && address"',
        DB + 'deny = "after.storage_encryptd != $context.workspace"',
        DB + 'deny = "after"',
        DB + "deny = \"after.storage_encryptd && references('kms_key_id')\"",
        'match.types = ["aws_db_instance", "other_thing"]\ndeny = "after.storage_encryptd"',
        'match.types = ["*_bucket"]\ndeny = "after.uniform_bucket_level_access"',
        'match.types = ["acme_*"]\ndeny = "after.storage_encryptd"',
        'deny = "after.storage_encryptd"',
        DB + "match.actions = [\"delete\"]\ndeny = '`true`'",
    ],
)
def test_what_may_be_there_loads(rule: str, tmp_path: Path) -> None:
    """One name that exists, another field, a function, or a type that is not known is enough."""
    assert refused(tmp_path, rule) == ""


def test_everything_that_loads_rules_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever tests, changes, describes or lists such a rule is told as well, with its line."""
    (tmp_path / "acme.toml").write_text(RULESET + DB + 'deny = "after.storage_encryptd"')
    monkeypatch.chdir(tmp_path)
    for words in (
        "rules test",
        "rules mutate",
        "rules docs --out pages",
        "rules list -r",
        "rules show ACME-1 -r",
    ):
        assert main([*words.split(), "./acme.toml"]) == 2, words
        assert (
            "acme.toml:17: rules[0].deny: ACME-1 is alike on every plan" in capsys.readouterr().err
        )
        monkeypatch.setenv("TFGATE_ALLOW", "ACME-1")
        assert main([*words.split(), "./acme.toml"]) in (0, 1), words
        monkeypatch.delenv("TFGATE_ALLOW")
        capsys.readouterr()
