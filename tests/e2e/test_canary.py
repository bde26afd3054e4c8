"""No byte of a sensitive value leaves the evaluator: planted and searched for everywhere."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import HEADER, change, plan_data, rule
from tfgate.cli.main import main
from tfgate.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "CANARY-7f3a"

EXPRESSIONS = {
    "whole": "after",
    "direct": "[after.password]",
    "joined": "[join('-', ['x', after.password])]",
    "nested": "after.block[*].token",
    "before": "[before.password]",
    "let": "[$p]",
    "parsed": "parse_json(after.policy).Secret && [parse_json(after.policy).Secret]",
    "config": "[config.expressions.password.constant_value]",
    "raises": "abs(after.password)",
    "sorted": "sort(after.password)",
    "split": "split(after.password, '-')",
    "keys": "keys(after.map)",
    "values": "values(after.map)",
    "filtered": "[@][?starts_with(after.password, 'CANARY')].after.password",
    "matches": "matches(after.password, 'CANARY') && [after.password]",
}


def planted() -> dict[str, Any]:
    """Return a plan with the canary in every place that is sensitive."""
    marks = {"password": True, "block": [{"token": True}], "policy": True, "map": True}
    values = {
        "name": "plain",
        "password": f"{CANARY}-value",
        "block": [{"token": f"{CANARY}-block"}],
        "policy": json.dumps({"Secret": f"{CANARY}-policy"}),
        "map": {f"{CANARY}-key": f"{CANARY}-mapped"},
    }
    return plan_data(
        change("aws_s3_bucket.logs", ["update"], values, before=dict(values),
               after_sensitive=marks, before_sensitive=marks),
        change("aws_s3_bucket.gone", ["delete"], None, before=dict(values), before_sensitive=True),
        change("aws_s3_bucket.later", ["create"], values, after_sensitive=marks,
               after_unknown={"password": True, "arn": True}),
        resource_drift=[
            change("aws_s3_bucket.logs", ["update"], values, before=dict(values),
                   after_sensitive=marks, before_sensitive=marks),
        ],
        output_changes={
            "token": {
                "actions": ["create"], "before": f"{CANARY}-out", "after": f"{CANARY}-out",
                "after_unknown": False, "before_sensitive": True, "after_sensitive": True,
            }
        },
        planned_values={
            "outputs": {"token": {"sensitive": True, "value": f"{CANARY}-out"}},
            "root_module": {},
        },
        variables={"db": {"value": f"{CANARY}-variable"}, "plain": {"value": "shown"}},
        configuration={
            "provider_config": {
                "aws": {
                    "name": "aws",
                    "full_name": "registry.terraform.io/hashicorp/aws",
                    "expressions": {
                        "secret_key": {"constant_value": f"{CANARY}-provider"},
                        "token": {"constant_value": f"{CANARY}-provider"},
                        "region": {"constant_value": "eu-west-1"},
                    },
                }
            },
            "root_module": {
                "variables": {
                    "db": {"sensitive": True, "default": f"{CANARY}-default"},
                    "plain": {"default": "shown"},
                },
                "outputs": {"token": {"sensitive": True, "expression": {}}},
                "resources": [
                    {
                        "address": f"aws_s3_bucket.{name}", "mode": "managed",
                        "type": "aws_s3_bucket", "name": name, "provider_config_key": "aws",
                        "expressions": {"password": {"constant_value": f"{CANARY}-config"}},
                        "schema_version": 0,
                    }
                    for name in ("logs", "later")
                ],
                "module_calls": {
                    "net": {
                        "source": "./net",
                        "expressions": {"api_token": {"constant_value": f"{CANARY}-call"}},
                        "module": {"variables": {"api_token": {"sensitive": True}}},
                    }
                },
            },
        },
    )  # fmt: skip


def rules() -> str:
    """Return rules that take the sensitive values apart in every way, and show what they find."""
    shown = "{address} {after} {after.password} {before} {config} {@item}"
    tables = [
        rule(f"T-{name.upper()}", deny=text, message=shown, enforcement="soft-mandatory",
             more='let = { p = "after.password" }\nmatch = { actions = ["create", "update", '
                  '"delete"] }')
        for name, text in EXPRESSIONS.items()
    ]  # fmt: skip
    tables.append(rule("P-VARS", scope="plan", deny="[variables.db]", message="{@item}"))
    tables.append(rule("P-ALL", scope="plan", deny="[@]", message="{@item} {variables} {changes}"))
    tables.append(rule("O-1", scope="output", deny="[after]", message="{@item} {after} {before}"))
    tables.append(rule("D-1", scope="drift", deny="[after]", message="{@item} {after} {before}"))
    tables.append(rule("M-1", scope="module", deny="[expressions]", message="{@item}"))
    tables.append(rule("V-1", scope="provider", deny="[expressions]", message="{@item}"))
    return HEADER + "".join(tables)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with the plan and the rules."""
    (tmp_path / "plan.json").write_text(json.dumps(planted()))
    (tmp_path / "rules.toml").write_text(rules())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything_written(folder: Path) -> bytes:
    """Return the bytes of every file below the folder but the two that hold the canary by right."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in {"plan.json", "rules.toml", "broken.json"}:
            data = path.read_bytes()
            found.append(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return b"\n".join(found)


COMMANDS = {
    **{
        f"check {name}": ["check", "plan.json", "-r", "rules.toml", "--audit-log", "audit.jsonl",
                          "--report", name, "--report", f"{name}=report.out", "--debug"]
        for name in FORMATS
    },
    "explain": ["explain", "plan.json", "-r", "rules.toml", "--rule", "T-DIRECT"],
    **{
        f"explain {name}": ["explain", "plan.json", "-r", "rules.toml", "--rule",
                            f"T-{name.upper()}", "--address", "aws_s3_bucket.logs"]
        for name in EXPRESSIONS
    },
    "eval plan": ["eval", "plan.json", "@", "-r", "rules.toml"],
    "eval resource": ["eval", "plan.json", "@", "--address", "aws_s3_bucket.logs",
                      "-r", "rules.toml"],
    "eval raises": ["eval", "plan.json", "abs(after.password)", "--address",
                    "aws_s3_bucket.logs", "-r", "rules.toml", "--debug"],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_canary(name: str, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Nothing that a command prints or writes holds the canary, in any format, with --debug."""
    main(COMMANDS[name])
    out, err = capfdbinary.readouterr()
    assert out or err, "the command must have said something"
    assert CANARY.encode() not in out + err + everything_written(folder)


def test_every_rule_fired(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The rules of this file do fire: a canary that nobody looks at proves nothing."""
    main(["check", "plan.json", "-r", "rules.toml", "--no-audit", "--report", "json"])
    report = json.loads(capfdbinary.readouterr().out)
    fired = {outcome["rule"] for outcome in report["outcomes"] if outcome["outcome"] != "pass"}
    named = {line.split('"')[1] for line in rules().splitlines() if line.startswith("id = ")}
    assert fired == named - {"test"}


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_canary_in_a_broken_plan(
    cut: float, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A plan that cannot be read is refused without a byte of its values."""
    data = (folder / "plan.json").read_bytes()
    (folder / "broken.json").write_bytes(data[: int(len(data) * cut)])
    code = main(["check", "broken.json", "-r", "rules.toml", "--audit-log", "a.jsonl", "--debug"])
    out, err = capfdbinary.readouterr()
    assert code == 3
    assert CANARY.encode() not in out + err + everything_written(folder)
