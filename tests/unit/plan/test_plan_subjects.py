"""Documents of every scope, plain and redacted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.plan_json import block, change, configuration, plan
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, Plan, Reads, Subject, iter_subjects, read_plan
from tfgate.plan.prior_state import Entry
from tfgate.query.values import SENSITIVE, UNKNOWN

SECRET = "c4nary-in-a-coal-mine"
SAFE = {"before_sensitive": False, "after_sensitive": {}}


def one(scope: Scope, data: bytes) -> Subject:
    """The only subject of a scope."""
    (subject,) = iter_subjects(read_plan(data), scope, workspace="prod")
    return subject


def test_a_plan_document_has_the_facts_of_the_design() -> None:
    """Counts per action with import, move, drift and deferred; lists as in their own scopes."""
    data = plan(
        change("a_b.c", **SAFE, importing={"id": "x"}, actions=["no-op"]),
        change("a_b.d", **SAFE, actions=["delete", "create"], previous_address="a_b.e"),
        resource_drift=[change("a_b.c", actions=["update"])],
        deferred_changes=[{"reason": "absent_prereq", "resource_change": change("a_b.f")}],
        output_changes={"o": {"actions": ["create"], "after": 1}},
        variables={"v": {"value": [1]}, "unset": {}},
        checks=[{"status": "fail"}],
        action_invocations=[{"address": "action.a_b.go", "type": "a_b", "name": "go"}],
        complete=False,
        applyable=True,
        timestamp="2026-01-01T00:00:00Z",
    )
    document = one(Scope.PLAN, data).document(EVERYTHING)
    assert document["counts"] == {
        "create": 0, "update": 0, "replace": 1, "delete": 0, "read": 0, "no-op": 1, "forget": 0,
        "import": 1, "move": 1, "drift": 1, "deferred": 1,
    }  # fmt: skip
    assert document["counts_by_type"] == {"a_b": {"no-op": 1, "replace": 1}}
    assert [entry["address"] for entry in document["changes"]] == ["a_b.c", "a_b.d"]
    assert document["deferred"][0]["deferred_reason"] == "absent_prereq"
    assert document["variables"] == {"v": [1], "unset": None}
    assert document["outputs"][0]["name"] == "o"
    assert document["actions"][0]["address"] == "action.a_b.go"
    assert document["checks"] == [{"status": "fail"}]
    assert (document["complete"], document["applyable"], document["errored"]) == (
        False,
        True,
        False,
    )
    assert document["workspace"] == "prod"


def test_a_plan_document_is_pruned_below_its_lists() -> None:
    """A rule that reads one field of changes decodes that field alone."""
    data = plan(change("a_b.c", after={"x": 1, "y": 2}))
    reads = Reads.of([("changes", "after", "x"), ("changes", "address"), ("counts", "create")])
    document = one(Scope.PLAN, data).document(reads)
    assert set(document) == {"counts", "changes"}
    assert document["changes"] == [{"address": "a_b.c", "after": {"x": 1}}]


@pytest.mark.parametrize(
    "parts",
    [
        {"after": SECRET, "after_sensitive": True, "before_sensitive": True},
        {"after": SECRET, "after_sensitive": False, "before_sensitive": True},
        {"before": {"k": SECRET}, "before_sensitive": {"k": True}, "after_sensitive": False},
        {"after": {"password": SECRET}},
        {"after": [SECRET, 1], "after_sensitive": [True, False], "before_sensitive": False},
    ],
)
def test_outputs_are_redacted_by_their_marks(parts: dict[str, Any]) -> None:
    """An output's sensitivity is a flag, seldom a structure, and absent in old formats."""
    output = one(Scope.OUTPUT, plan(output_changes={"o": {"actions": ["update"], **parts}}))
    assert SECRET in repr(output.document(EVERYTHING))
    assert SECRET not in repr(output.redacted(EVERYTHING))


@pytest.mark.parametrize("place", ["configuration", "planned_values"])
def test_outputs_are_redacted_by_their_declaration(place: str) -> None:
    """Format 0.1 has the flag in the configuration and in planned values alone."""
    declared = {"o": {"sensitive": True, "expression": {"constant_value": SECRET}}}
    parts = {
        "configuration": {"configuration": configuration(outputs=declared)},
        "planned_values": {
            "planned_values": {"outputs": {"o": {"sensitive": True, "value": SECRET}}}
        },
    }[place]
    changes = {"o": {"actions": ["create"], "after": SECRET, "after_unknown": False}}
    output = one(Scope.OUTPUT, plan(output_changes=changes, format_version="0.1", **parts))
    assert output.redacted(EVERYTHING)["after"] is SENSITIVE
    assert SECRET not in repr(output.redacted(EVERYTHING))
    assert output.document(EVERYTHING)["sensitive"] is True


def test_outputs_have_unknown_values() -> None:
    """As a whole, or in their structure."""
    changes = {"o": {"actions": ["create"], "after": {"a": 1}, "after_unknown": {"b": True}}}
    output = one(Scope.OUTPUT, plan(output_changes=changes))
    assert output.document(EVERYTHING)["after"] == {"a": 1, "b": UNKNOWN}
    changes = {"o": {"actions": ["create"], "after_unknown": True}}
    assert one(Scope.OUTPUT, plan(output_changes=changes)).document(EVERYTHING)["after"] is UNKNOWN


def variables(declared: Any, name: str = "v") -> Plan:
    """A plan with one variable."""
    parts = {} if declared is None else {"configuration": configuration(variables=declared)}
    return read_plan(plan(variables={name: {"value": SECRET}}, **parts))


def test_variables_are_redacted_by_their_declaration() -> None:
    """A variable that is not known to be harmless is hidden."""
    assert variables({"v": {"sensitive": True}}).redacted_variables() == {"v": SENSITIVE}
    assert variables(None).redacted_variables() == {"v": SENSITIVE}
    assert variables({"w": {}}).redacted_variables() == {"v": SENSITIVE}
    assert variables({"v": {}}).redacted_variables() == {"v": SECRET}
    assert variables({"api_key": {}}, "api_key").redacted_variables() == {"api_key": SENSITIVE}
    assert variables({"v": {"sensitive": True}}).variables() == {"v": SECRET}


def test_providers_are_redacted_by_name() -> None:
    """Their constants are in the plan in plain text."""
    arguments = {
        name: {"constant_value": SECRET}
        for name in ("secret_key", "token", "app_key", "client_certificate", "password")
    }
    nested = {
        "region": {"constant_value": "eu-west-1"},
        "auth": [{"password": {"constant_value": SECRET}}],
    }
    config = {"aws.west": {"name": "aws", "alias": "west", "expressions": {**arguments, **nested}}}
    provider = one(Scope.PROVIDER, plan(configuration={"provider_config": config}))
    assert SECRET in repr(provider.document(EVERYTHING))
    hidden = provider.redacted(EVERYTHING)
    assert SECRET not in repr(hidden)
    assert hidden["expressions"]["region"] == {"constant_value": "eu-west-1"}
    assert hidden["address"] == "provider.aws.west"


def test_module_calls_are_redacted_by_the_variables_they_set() -> None:
    """A called module says which of its variables are sensitive."""
    module = {"variables": {"code": {"sensitive": True, "default": SECRET}}}
    expressions = {"code": {"constant_value": SECRET}, "size": {"constant_value": 3}}
    calls = {"m": {"source": "a/b/c", "expressions": expressions, "module": module}}
    nested = {"outer": {"source": "./outer", "module": {"module_calls": calls}}}
    data = plan(configuration=configuration(module_calls=nested))
    outer, inner = iter_subjects(read_plan(data), Scope.MODULE)
    assert (outer.address, inner.address) == ("module.outer", "module.outer.module.m")
    assert inner.module_address == "module.outer"
    assert SECRET in repr(inner.document(EVERYTHING))
    hidden = inner.redacted(EVERYTHING)
    assert SECRET not in repr(hidden)
    assert hidden["expressions"]["size"] == {"constant_value": 3}


def test_the_block_of_a_change_is_redacted_by_its_marks() -> None:
    """Marks of values, names, nested blocks and provisioners all hide constants."""
    config = configuration(
        block(
            "a_b.c",
            note=SECRET,
            size=3,
            setting=[{"value": {"constant_value": SECRET}}],
            admin_password=SECRET,
            environment={"constant_value": {"API_TOKEN": SECRET}},
            provisioners=[{"type": "x", "expressions": {"secret": {"constant_value": SECRET}}}],
        )
    )
    marks = {
        "before_sensitive": False,
        "after_sensitive": {"note": True, "setting": [{"value": True}]},
    }
    subject = one(Scope.RESOURCE, plan(change("a_b.c", **marks), configuration=config))
    assert SECRET in repr(subject.document(EVERYTHING))
    hidden = subject.redacted(EVERYTHING)
    assert SECRET not in repr(hidden)
    assert hidden["config"]["expressions"]["size"] == {"constant_value": 3}


def test_old_formats_are_redacted_by_name_as_well() -> None:
    """Before 1.0 a mark says nothing of what the provider's schema calls sensitive."""
    parts = {"before_sensitive": False, "after_sensitive": {}, "after": {"password": SECRET}}
    assert one(Scope.RESOURCE, plan(change(**parts))).redacted(EVERYTHING)["after"] == {
        "password": SECRET
    }
    old = one(Scope.RESOURCE, plan(change(**parts), format_version="0.2"))
    assert old.redacted(EVERYTHING)["after"] == {"password": SENSITIVE}
    parts.pop("after_sensitive")
    bare = one(Scope.RESOURCE, plan(change(**parts)))
    assert bare.redacted(EVERYTHING)["after"] == {"password": SENSITIVE}


def test_actions_have_merged_and_redacted_arguments() -> None:
    """They are shown by Terraform 1.14 as changes are."""
    invocation = {
        "address": "module.m.action.aws_lambda_invoke.go",
        "type": "aws_lambda_invoke",
        "name": "go",
        "config_values": {"payload": SECRET},
        "config_unknown": {"arn": True},
        "config_sensitive": {"payload": True},
        "lifecycle_action_trigger": {"action_trigger_event": "AfterCreate"},
    }
    deferred = [{"reason": "unknown", "action_invocation": invocation}]
    data = plan(action_invocations=[invocation], deferred_action_invocations=deferred)
    first, second = iter_subjects(read_plan(data), Scope.ACTION)
    document = first.document(EVERYTHING)
    assert document["config_values"] == {"payload": SECRET, "arn": UNKNOWN}
    assert document["lifecycle_action_trigger"] == {"action_trigger_event": "AfterCreate"}
    assert first.module_address == "module.m"
    assert SECRET not in repr(first.redacted(EVERYTHING))
    assert second.document(Reads.of([("deferred_reason",)])) == {"deferred_reason": "unknown"}


def test_a_deferred_change_names_its_place() -> None:
    """Errors in it have the path of the list it stands in."""
    entry = {"reason": "unknown", "resource_change": change(after={})}
    (deferred,) = read_plan(plan(deferred_changes=[entry])).deferred
    assert deferred.where == "deferred_changes[0].resource_change.change"
    assert deferred.deferred_reason == "unknown"


def test_source_has_no_subjects_in_a_plan() -> None:
    """It is about HCL."""
    assert list(iter_subjects(read_plan(plan(change())), Scope.SOURCE)) == []


def test_a_state_of_terraform_0_12_has_no_module_and_no_key_in_an_address() -> None:
    """The address is made of the parts then; a whole one stays as it is."""
    old = Entry(address="data.a.b", mode="data", type="a", name="b", index=2)
    assert old.address_in("module.m") == "module.m.data.a.b[2]"
    assert old.address_in("") == "data.a.b[2]"
    whole = Entry(address='module.m.a.b["x"]', mode="managed", type="a", name="b", index="x")
    assert whole.address_in("module.m") == 'module.m.a.b["x"]'
