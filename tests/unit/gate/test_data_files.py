"""Data files of a run: who may give them, which wins, what they must be, and what is recorded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.plan_json import change, plan
from tfgate.cli.main import main

INFRACOST = Path(__file__).parents[3] / "testdata" / "data" / "infracost.json"
RULESET = """
[ruleset]
id = "acme"
version = "1.0.0"
title = "Cost"
owners = ["cost@acme.example"]
[params.most]
type = "number"
description = "Dollars a month"
default = 1000
[data.cost]
description = "infracost breakdown --format json"
{more}
[[rules]]
id = "ACME-COST-001"
title = "A month costs no more than is agreed"
severity = "high"
enforcement = "hard-mandatory"
scope = "plan"
deny = "to_number($data.cost.totalMonthlyCost) > $params.most"
message = "too much"
"""
SCHEMA = {
    "type": "object",
    "required": ["totalMonthlyCost"],
    "properties": {"totalMonthlyCost": {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?$"}},
}


class Result(NamedTuple):
    """What came of a command."""

    exit_code: int
    stdout: str
    stderr: str


class Place:
    """A directory with a plan, a ruleset and a configuration."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(folder)
        self.folder = folder
        self._captured = capfd
        self.write("plan.json", plan(change()).decode())
        self.ruleset()
        self.config()

    def write(self, name: str, content: Any) -> Path:
        """Write a file: text as it is, all else as JSON."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def ruleset(self, more: str = "") -> None:
        """Write the ruleset; ``more`` is of ``[data.cost]``."""
        self.write("rules/ruleset.toml", RULESET.format(more=more))

    def config(self, more: str = "") -> None:
        """Write the configuration."""
        gate = '[gate]\nrulesets = ["./rules"]\n[audit]\nlog = "audit.jsonl"\n'
        self.write("tfgate.toml", gate + more)

    def check(self, *options: str) -> Result:
        """Check the plan."""
        code = main(["check", "plan.json", *options])
        out, err = self._captured.readouterr()
        return Result(code, out, err)


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Place:
    """A gate whose rule needs the costs."""
    return Place(tmp_path, monkeypatch, capfd)


def costs(place: Place, name: str, total: str) -> str:
    """Write a file with this total, and give its name."""
    place.write(name, {"totalMonthlyCost": total})
    return name


def test_infracosts_json_decides(place: Place) -> None:
    """The total of a month is compared with a parameter, and the digest is in report and record."""
    result = place.check(f"--data=cost={INFRACOST}", "--report=json")
    assert result.exit_code == 1, result
    facts = {
        "ruleset": "acme",
        "name": "cost",
        "sha256": hashlib.sha256(INFRACOST.read_bytes()).hexdigest(),
        "source": "flag",
    }
    assert json.loads(result.stdout)["data"] == [facts]
    [record] = [json.loads(line) for line in (place.folder / "audit.jsonl").read_text().splitlines()
                if '"event":"decision"' in line]  # fmt: skip
    assert record["data"] == [facts]


def test_a_flag_wins_over_the_configuration_and_that_over_the_ruleset(place: Place) -> None:
    """And of the configuration, what is said of one ruleset wins over what is said of all."""
    place.write("rules/own.json", {"totalMonthlyCost": "1"})
    place.ruleset('file = "own.json"')
    assert place.check().exit_code == 0
    costs(place, "all.json", "5000")
    place.config('[data]\ncost = "all.json"\n')
    assert place.check().exit_code == 1
    costs(place, "acme.json", "2")
    place.config('[data]\ncost = "all.json"\nacme = { cost = "acme.json" }\n')
    assert place.check().exit_code == 0
    assert place.check(f"--data=cost={costs(place, 'flag.json', '5000')}").exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("c.json", '{"totalMonthlyCost": "7"', "is not valid JSON"),
        ("c.json", "[" * 50_000 + "]" * 50_000, "too deeply"),
        ("c.json", "[" * 150 + "]" * 150, "too deeply"),
        ("c.toml", "totalMonthlyCost = nan", "nan and inf"),
        ("c.toml", "totalMonthlyCost = 2026-01-01", "is not a JSON value"),
        ("c.yaml", "a: &a [1]\nb: [*a, *a]", "has an alias"),
        ("c.yaml", "a: [", "is not valid YAML"),
        ("c.yaml", "1: x", "a key that is no text"),
        ("c.yaml", "a: !!python/object/apply:os.system ['x']", "is not valid YAML"),
        ("c.yaml", "- " * 2_000 + "x", "too deeply"),
        ("c.yaml", "a" * 1_100_000, "is larger than"),
        ("c.xml", "<a/>", "is named *.json, *.toml or *.yaml"),
    ],
)
def test_hostile_files_are_refused(place: Place, name: str, content: str, says: str) -> None:
    """Each in one sentence, with nothing decided."""
    place.write(name, content)
    result = place.check(f"--data=cost={name}")
    assert result.exit_code == 2, result
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_yaml_and_toml_are_read(place: Place) -> None:
    """Both are the same to rules."""
    for name, text in {
        "c.yaml": 'totalMonthlyCost: "5000"\n',
        "c.toml": 'totalMonthlyCost = "5000"\n',
    }.items():
        place.write(name, text)
        assert place.check(f"--data=cost={name}").exit_code == 1
        place.write(name, text.replace("5000", "5"))
        assert place.check(f"--data=cost={name}").exit_code == 0


def test_a_name_that_nobody_declares_is_refused(place: Place) -> None:
    """A misspelt name would leave the rule with the file that is shipped."""
    result = place.check(f"--data=costs={costs(place, 'c.json', '1')}", "--data=cost=c.json")
    assert result.exit_code == 2
    assert "costs" in result.stderr
    assert 'did you mean "cost"' in result.stderr
    assert place.check().exit_code == 2  # a rule that needs a file gets none


def test_a_file_must_fit_its_schema(place: Place) -> None:
    """The error says where, and shows nothing of the file."""
    place.write("rules/cost.schema.json", SCHEMA)
    place.ruleset('schema = "cost.schema.json"')
    assert place.check(f"--data=cost={INFRACOST}").exit_code == 1
    place.write("c.json", {"totalMonthlyCost": "correct horse"})
    result = place.check("--data=cost=c.json")
    assert result.exit_code == 2
    assert "at totalMonthlyCost: pattern is" in result.stderr
    assert "horse" not in result.stderr
    place.write("c.json", {})
    assert "required is" in place.check("--data=cost=c.json").stderr


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://schemas.acme.example/cost.json"},
        {"$ref": "#"},
        {"type": 7},
        {"properties": {"totalMonthlyCost": {"pattern": "(?=x)"}}},
    ],
)
def test_a_schema_that_cannot_be_checked_lets_nothing_through(place: Place, schema: Any) -> None:
    """Nothing is fetched for it either."""
    place.write("rules/cost.schema.json", schema)
    place.ruleset('schema = "cost.schema.json"')
    result = place.check(f"--data=cost={costs(place, 'c.json', '1')}")
    assert result.exit_code == 2
    assert "cost.schema.json" in result.stderr


def test_a_pattern_takes_linear_time(place: Place) -> None:
    """Whatever the file holds: Python's own would take years."""
    place.write(
        "rules/cost.schema.json", {"properties": {"totalMonthlyCost": {"pattern": "^(a+)+$"}}}
    )
    place.ruleset('schema = "cost.schema.json"')
    assert place.check(f"--data=cost={costs(place, 'c.json', 'a' * 5_000 + '!')}").exit_code == 2
