"""Archived plans: nothing secret is left, and rules come to what they came to, or to unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import change, context, plan_bytes, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.engine.functions import rule_functions
from tfgate.errors import PlanError
from tfgate.plan import read_plan
from tfgate.plan.archive import archive_plan
from tfgate.plan.decoding import MARK, unmark
from tfgate.plan.reads import EVERYTHING
from tfgate.query.values import SENSITIVE, UNKNOWN
from tfgate.ruleset import load_ruleset

if TYPE_CHECKING:
    from tfgate.model.decision import Decision

ROOT = Path(__file__).resolve().parents[3]
PLANS = sorted((ROOT / "testdata" / "plans").rglob("*.json"))
SECRET = "c4n4ry-s3cr3t"


def archived(*changes: dict[str, Any], **sections: Any) -> bytes:
    """Return the archived form of a plan made by hand."""
    return archive_plan(read_plan(plan_bytes(*changes, **sections)))


def outcomes(decision: Decision) -> dict[tuple[str, str, str | None], str]:
    """Return the outcome of each rule on each subject, the worst of several."""
    found: dict[tuple[str, str, str | None], str] = {}
    for rule_id, labels in decision.passed.items():
        found |= {(rule_id, label, None): "pass" for label in labels}
    for outcome in decision.outcomes:
        found[outcome.rule, outcome.address, outcome.deposed] = outcome.outcome.value
    return found


@pytest.mark.slow
@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_rules_come_to_the_same_or_to_unknown(path: Path) -> None:
    """On every plan here, an archived plan never turns a pass into a failure or back."""
    data = path.read_bytes()
    try:
        plan = read_plan(data)
    except Exception:
        pytest.skip("it is there to be refused")
    rulesets = [load_ruleset(f"tfgate:{n}", functions=rule_functions()) for n in ("core", "aws")]
    again = read_plan(archive_plan(plan))
    before = outcomes(evaluate(plan, rulesets, context()))
    after = outcomes(evaluate(again, rulesets, context()))
    assert before.keys() == after.keys()
    for key, was in before.items():
        assert after[key] in (was, "unknown"), key


def test_nothing_secret_is_left() -> None:
    """Whatever the redacted view hides is not in the bytes."""
    marked = {"password": True, "tags": {}}
    database = change(
        "aws_db_instance.db",
        ["update"],
        {"password": SECRET, "name": "db"},
        before={"password": f"{SECRET}-old", "name": "db"},
        before_sensitive=marked,
        after_sensitive=marked,
        after_unknown={"id": True},
    )
    whole = change("aws_secret.all", after={"x": SECRET}, after_sensitive=True)
    resource = {
        "address": "aws_db_instance.db", "mode": "managed", "type": "aws_db_instance", "name": "db",
        "expressions": {"password": {"constant_value": SECRET}, "name": {"constant_value": "db"}},
        "provisioners": [{"type": "x", "expressions": {"password": {"constant_value": SECRET}}}],
    }  # fmt: skip
    called = {
        "source": "./m",
        "expressions": {"pw": {"constant_value": SECRET}},
        "module": {"variables": {"pw": {"sensitive": True, "default": SECRET}}},
    }
    data = archived(
        database,
        whole,
        variables={"pw": {"value": SECRET}, "open": {"value": "shown"}},
        output_changes={
            "out": {"actions": ["create"], "before": None, "after": SECRET, "after_sensitive": True}
        },
        planned_values={"outputs": {"out": {"sensitive": True, "value": SECRET}}},
        prior_state={"values": {"outputs": {"out": {"value": SECRET}}}},
        configuration={
            "provider_config": {"aws": {"name": "aws", "expressions": {
                "secret_key": {"constant_value": SECRET}, "region": {"constant_value": "eu"}}}},
            "root_module": {
                "resources": [resource],
                "module_calls": {"m": called},
                "variables": {"pw": {"sensitive": True}, "open": {}},
                "outputs": {"out": {"sensitive": True, "expression": {"constant_value": SECRET}}},
            },
        },
    )  # fmt: skip
    assert SECRET.encode() not in data
    plan = read_plan(data)
    document = plan.changes[0].document(EVERYTHING)
    assert document["after"] == {"password": SENSITIVE, "name": "db", "id": UNKNOWN}
    assert document["before"] == {"password": SENSITIVE, "name": "db"}
    assert document["config"]["expressions"] == {
        "password": {"constant_value": SENSITIVE},
        "name": {"constant_value": "db"},
    }
    assert plan.changes[1].document(EVERYTHING)["after"] is SENSITIVE
    assert plan.variables() == {"pw": SENSITIVE, "open": "shown"}
    assert plan.outputs["out"].after is SENSITIVE
    assert plan.outputs["out"].sensitive


def test_a_rule_on_a_secret_is_unknown(tmp_path: Path) -> None:
    """Where a rule tests what is hidden, its verdict is not known: it is never guessed."""
    entry = change(
        "aws_db_instance.db", after={"password": "short"}, after_sensitive={"password": True}
    )
    rules = ruleset(tmp_path, rule(require="length(after.password) > `9`"))
    (found,) = evaluate(read_plan(plan_bytes(entry)), [rules], context()).outcomes
    assert found.outcome.value == "fail"
    (found,) = evaluate(read_plan(archived(entry)), [rules], context()).outcomes
    assert found.outcome.value == "unknown"
    assert "short" not in found.message


def test_no_value_passes_for_a_mark() -> None:
    """A value that looks like one, as Terraform writes it, is a value."""
    forged = {"labels": {"tfgate:sensitive": True}, "text": MARK.decode()}
    plan = read_plan(plan_bytes_compact(forged))
    assert plan.changes[0].document(EVERYTHING)["after"] == forged


def plan_bytes_compact(after: dict[str, Any]) -> bytes:
    """Return a plan as Terraform writes it: without white space."""
    whole = json.loads(plan_bytes(change("kubernetes_manifest.x", after=after)))
    return json.dumps(whole, separators=(",", ":")).encode()


def test_archiving_twice_gives_the_same() -> None:
    """What is hidden stays hidden, and the bytes are stable: they are addressed by content."""
    entry = change("aws_db_instance.db", after={"password": 1}, after_sensitive={"password": True})
    once = archived(entry)
    assert archive_plan(read_plan(once)) == once
    assert archived(entry) == once


def test_unmark() -> None:
    """Marks are found at any depth, and objects that merely contain the key are none."""
    mark = json.loads(MARK)
    assert unmark([mark, {"a": mark}, {**mark, "b": 1}]) == [
        SENSITIVE,
        {"a": SENSITIVE},
        {"tfgate:sensitive": True, "b": 1},
    ]


def test_formatted_anew() -> None:
    """Marks are told by their bytes: a copy that was laid out for reading is refused."""
    data = archived(change(after={"password": 1}, after_sensitive={"password": True}))
    with pytest.raises(PlanError, match="formatted anew"):
        read_plan(json.dumps(json.loads(data), indent=2).encode())
