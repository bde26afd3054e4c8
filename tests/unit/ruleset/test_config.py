"""``tfgate.toml`` and what the environment and flags make of it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tfgate.errors import ConfigError
from tfgate.exitcodes import ExitCode
from tfgate.model.rule import Enforcement
from tfgate.ruleset import SETTINGS, Bind, Evaluate, From, find_config, load_gate_config

from .conftest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_snapshot.plugin import Snapshot

    Write = Callable[[str, str], Path]

ROOT = Path(__file__).parents[3]
FULL = """\
[gate]
rulesets = ["tfgate:core", "./policy"]
evaluate = "all"
comment_waivers = ["advisory"]
allow_empty = true
waiver_files = ["more.toml"]

[params.acme]
allowed = ["t3.micro"]

[levels]
"ACME-*" = "advisory"

[data.acme]
accounts = "accounts.json"

[[workspace]]
match = "prod-*"
levels = { "ACME-DEL-*" = "hard-mandatory" }
params = { acme = { allowed = ["m6i.large"] } }
rulesets = ["./prod"]

[[waivers]]
rule = "ACME-1"
address = "module.load_test.*"
reason = "load test"
owner = "team-load@acme.example"
expires = 2027-01-31
ticket = "T-1"

[approvals]
allowed_signers = "approvers"
required = 2
bind = "findings"

[audit]
log = "~/audit.jsonl"
archive = true
evidence = "/var/evidence"
"""
MORE = """\
[[waivers]]
rule = "ACME-2"
address = "*"
reason = "r"
owner = "o"
expires = 2027-02-28
"""


def test_every_key_arrives(tmp_path: Path, write: Write) -> None:
    """Each key of the file has its effect, and relative paths begin at the file."""
    write("tfgate.toml", FULL)
    write("more.toml", MORE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    config = load_gate_config(below, {"HOME": "/home/me"})
    assert [(source.text, source.base) for source in config.rulesets] == [
        ("tfgate:core", tmp_path),
        ("./policy", tmp_path),
    ]
    assert (config.gate.evaluate, config.gate.allow_empty, config.audit.archive) == (
        Evaluate.ALL,
        True,
        True,
    )
    assert frozenset(config.gate.comment_waivers) == {Enforcement.ADVISORY}
    assert (config.approvals.required, config.approvals.bind) == (2, Bind.FINDINGS)
    assert config.approvals.allowed_signers == tmp_path / "approvers"
    assert str(config.audit.log) == "/home/me/audit.jsonl"
    assert str(config.audit.evidence) == "/var/evidence"
    assert [(waiver.rule, waiver.expires, waiver.source) for waiver in config.waivers] == [
        ("ACME-1", dt.date(2027, 1, 31), "../../tfgate.toml: waivers[0]"),
        ("ACME-2", dt.date(2027, 2, 28), "more.toml: waivers[0]"),
    ]
    assert [file.path for file in config.files] == ["../../tfgate.toml", "more.toml"]
    assert config.workspaces[0].rulesets == ("./prod",)
    assert config.data == {"acme": {"accounts": "accounts.json"}}


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    """No file is no mistake: the shipped rulesets are used."""
    config = load_gate_config(tmp_path, {})
    assert config.file is None
    assert [source.text for source in config.rulesets] == ["tfgate:core", "tfgate:aws"]
    assert config.gate.evaluate is Evaluate.CHANGES
    assert config.audit.log is None
    assert {config.origin(setting.name).layer for setting in SETTINGS} == {From.DEFAULT}


def test_later_layers_win_and_every_value_knows_its_origin(tmp_path: Path, write: Write) -> None:
    """Defaults, file, environment, flags: each beats those before it."""
    write("tfgate.toml", FULL)
    write("more.toml", MORE)
    environment = {
        "TFGATE_EVALUATE": "changes",
        "TFGATE_RULESETS": "tfgate:aws, x.toml",
        "TFGATE_ALLOW_EMPTY": "no",
        "TFGATE_COMMENT_WAIVERS": "",
        "TFGATE_AUDIT_LOG": "log.jsonl",
        "TFGATE_APPROVALS_REQUIRED": "3",
        "TFGATE_AUDIT_EVIDENCE": "",
    }
    below = tmp_path / "below"
    below.mkdir()
    config = load_gate_config(
        below, environment, flags={"gate.rulesets": ("y.toml",), "gate.evaluate": None}
    )
    assert [(source.text, source.base) for source in config.rulesets] == [("y.toml", below)]
    assert config.gate.evaluate is Evaluate.CHANGES
    assert config.gate.allow_empty is False
    assert frozenset(config.gate.comment_waivers) == frozenset()
    assert config.audit.log == below / "log.jsonl"
    assert config.approvals.required == 3
    origins = {setting.name: str(config.origin(setting.name)) for setting in SETTINGS}
    assert origins == {
        "gate.rulesets": "--rulesets",
        "gate.ruleset_signers": "default",
        "gate.locked": "default",
        "gate.evaluate": "TFGATE_EVALUATE",
        "gate.comment_waivers": "TFGATE_COMMENT_WAIVERS",
        "gate.comment_waiver_globs": "default",
        "gate.uncommitted_waivers": "default",
        "gate.allow_empty": "TFGATE_ALLOW_EMPTY",
        "gate.allow": "default",
        "gate.waiver_files": "../tfgate.toml:6",
        "gate.require_verified_operator": "default",
        "gate.waiver_notice_days": "default",
        "approvals.allowed_signers": "../tfgate.toml:32",
        "approvals.servers": "default",
        "approvals.required": "TFGATE_APPROVALS_REQUIRED",
        "approvals.bind": "../tfgate.toml:34",
        "approvals.max_hours": "default",
        "identity.name": "default",
        "identity.allowed_signers": "default",
        "receipts.key": "default",
        "receipts.allowed_signers": "default",
        "receipts.max_hours": "default",
        "receipts.required": "default",
        "audit.log": "TFGATE_AUDIT_LOG",
        "audit.archive": "../tfgate.toml:38",
        "audit.archive_days": "default",
        "audit.evidence": "../tfgate.toml:39",
        "audit.checkpoint_key": "default",
        "audit.checkpoint_every": "default",
        "audit.checkpoint_minutes": "default",
        "audit.allowed_signers": "default",
        "audit.rotate_bytes": "default",
        "audit.rotate_daily": "default",
        "audit.require_sink": "default",
        "audit.require_sink_seconds": "default",
        "audit.sink_seconds": "default",
        "provenance.require_approved_rules": "default",
        "provenance.branch": "default",
        "provenance.approvals": "default",
        "provenance.tag_signers": "default",
    }


def test_needs_name_roles_that_somebody_can_have(tmp_path: Path, write: Write) -> None:
    """A role that is nowhere defined is a mistake: what needs it could never be approved."""
    write(
        "tfgate.toml",
        """
        [approvals.roles]
        dba = ["dora@acme.example"]
        [[approvals.needs]]
        rules = ["CORE-DEL-*"]
        required = 2
        roles = ["dba", "dbas"]
        """,
    )
    with pytest.raises(ConfigError) as caught:
        load_gate_config(tmp_path, {})
    assert 'the role dbas is not in [approvals.roles] (did you mean "dba"?)' in str(caught.value)
    assert "approvals.needs[0].roles" in str(caught.value)


def test_a_named_file_keeps_the_working_directory_out(tmp_path: Path, write: Write) -> None:
    """With --config or TFGATE_CONFIG, nothing in the working directory is read."""
    write("work/tfgate.toml", "broken")
    named = write("gate/own.toml", '[gate]\nrulesets = ["./r"]\n')
    work = tmp_path / "work"
    for config in (
        load_gate_config(work, {"TFGATE_CONFIG": str(named)}),
        load_gate_config(work, {"TFGATE_CONFIG": "nowhere"}, config="../gate/own.toml"),
    ):
        assert config.rulesets[0].base.resolve() == (tmp_path / "gate").resolve()


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path, write: Write) -> None:
    """A named file is never searched for elsewhere."""
    write("tfgate.toml", "")
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read: no such file"):
        load_gate_config(tmp_path, {"TFGATE_CONFIG": "no.toml"})


def test_a_dangling_link_is_not_the_absence_of_a_file(tmp_path: Path) -> None:
    """A configuration that cannot be reached fails closed."""
    (tmp_path / "tfgate.toml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_gate_config(tmp_path, {})


def test_the_nearest_file_upwards_is_found(tmp_path: Path, write: Write) -> None:
    """The search ends at the first file."""
    write("tfgate.toml", "")
    inner = write("a/tfgate.toml", "")
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert find_config(tmp_path / "a" / "b" / "c", {}) == (inner, "../../tfgate.toml")


def test_every_mistake_is_reported_in_one_run(
    tmp_path: Path, write: Write, snapshot: Snapshot
) -> None:
    """File, waiver file, environment and flags are all read before anything is said."""
    write(
        "tfgate.toml",
        """\
        rulesets = ["tfgate:core"]

        [gate]
        ruleset = ["tfgate:core"]
        evaluate = "al"
        comment_waivers = ["soft_mandatory"]
        waiver_files = ["w.toml", "none.toml"]

        [levels]
        "ACME-*" = "off"

        [workspace]
        match = "prod"

        [[waivers]]
        rule = "A"
        address = "*"
        reason = " "
        expires = "2027-01-31"
        until = 2027-01-31

        [[waivers]]
        rule = "A"
        address = "*"
        reason = "r"
        owner = "o"
        expires = 2027-01-31T00:00:00Z

        [approvals]
        required = 0

        [audit]
        archive = "true"
        """,
    )
    write("w.toml", '[[waiver]]\nrule = "A"\n')
    environment = {"TFGATE_ALLOW_EMPTY": "maybe", "TFGATE_APPROVALS_REQUIRED": "many"}
    with pytest.raises(ConfigError) as caught:
        load_gate_config(tmp_path, environment, flags={"gate.evaluate": "everything"})
    assert caught.value.exit_code is ExitCode.USAGE
    snapshot.assert_match("\n".join(shown(caught.value)) + "\n", "every-config-mistake.txt")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\na = 2\n", "tfgate.toml:2: column 6: is not valid TOML: cannot overwrite a value"),
        ("x = [", "tfgate.toml:1: column 6: is not valid TOML"),
        ("levels = 1\n", "tfgate.toml:1: levels: expected a table, found an integer"),
        ("waivers = {}\n", "tfgate.toml:1: waivers: expected an array, found a table"),
        ("[params]\nacme = 1\n", "tfgate.toml:2: params.acme: expected a table, found an integer"),
        (
            '[levels]\n"a\\u001bb" = 1\n',
            'tfgate.toml:2: levels."a\\u001bb": expected a string, found an integer',
        ),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, write: Write, text: str, problem: str) -> None:
    """Wrong syntax and wrong shapes have line and key; keys are escaped."""
    (tmp_path / "tfgate.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_gate_config(tmp_path, {})
    (found,) = shown(caught.value)
    assert found.startswith(problem)


@pytest.mark.parametrize("flags", [{"gate.evaluat": "all"}, {"nope": 1}])
def test_a_flag_that_is_no_setting_is_a_bug(tmp_path: Path, flags: dict[str, Any]) -> None:
    """Flags are named by the program, so a wrong name is no user's mistake."""
    with pytest.raises(KeyError):
        load_gate_config(tmp_path, {}, flags=flags)


def test_the_reference_page_lists_every_setting() -> None:
    """Key and variable stand on the page in the order of the declarations."""
    page = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)`: `(\w+)` \| `(TFGATE_\w+)` \|", page, re.MULTILINE)
    assert listed == [(setting.table, setting.key, setting.variable) for setting in SETTINGS]
