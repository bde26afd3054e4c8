"""An example's table → the plan JSON that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.app.example_changes import DEFAULT_TYPE, change_entry, output_body, spread
from tfgate.app.example_configuration import Configuration, relative
from tfgate.model.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.app.example_configuration import ExampleText
    from tfgate.model.rule import Rule, RuleTest

_FACTS: Final = (
    "complete",
    "applyable",
    "errored",
    "terraform_version",
    "format_version",
    "timestamp",
    "checks",
)
_DEFAULTS: Final = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "timestamp": "2026-01-05T12:00:00Z",
    "applyable": True,
    "complete": True,
    "errored": False,
}


class ExamplePlan(NamedTuple):
    """What an example stands for."""

    document: dict[str, Any]
    """The plan's JSON document."""
    address: str
    """Of the subject that the example is about."""
    text: ExampleText
    """What its sources say."""


def example_plan(rule: Rule, test: RuleTest) -> ExamplePlan:
    """Give the plan that an example stands for."""
    return _Builder(rule, test).build()


class _Builder:
    """Builds one plan."""

    def __init__(self, rule: Rule, test: RuleTest) -> None:
        self._table = test.subject
        self._scope = rule.scope
        self._kind = next((glob for glob in rule.match.types if _is_plain(glob)), DEFAULT_TYPE)
        self._configuration = Configuration()
        self._plan: dict[str, Any] = {
            **_DEFAULTS,
            "planned_values": {},
            "output_changes": {},
            "variables": {},
        }
        self._subject = ""
        """Address of a subject that is a resource, as its own module writes it."""

    def build(self) -> ExamplePlan:
        address = _SUBJECTS[self._scope](self)
        others = self._changes(self._table.get("changes", []))
        if "resource_changes" in self._plan or others:
            self._plan["resource_changes"] = [*self._plan.get("resource_changes", ()), *others]
        self._plan.setdefault("resource_changes", [])
        self._plan["configuration"] = (
            self._table.get("configuration") or self._configuration.document()
        )
        return ExamplePlan(self._plan, address, self._configuration.text)

    def _changes(self, tables: list[dict[str, Any]], kind: str = DEFAULT_TYPE) -> list[Any]:
        entries = []
        for table in spread(tables):
            entry = change_entry(table, kind)
            self._configuration.add_block(table, entry, self._subject)
            entries.append(entry)
        return entries

    def _resource(self) -> str:
        return self._resource_in("resource_changes", self._table["change"])

    def _drift(self) -> str:
        return self._resource_in("resource_drift", self._table["drift"])

    def _resource_in(self, section: str, table: dict[str, Any]) -> str:
        entry = change_entry(table, self._kind)
        address: str = entry["address"]
        self._subject = relative(address, entry.get("module_address", ""))
        self._plan[section] = self._changes([table], self._kind)
        return address

    def _output(self) -> str:
        return self._add_output(self._table["output"])

    def _add_output(self, table: Mapping[str, Any]) -> str:
        name = table.get("name", "example")
        body = output_body(table)
        self._plan["output_changes"][name] = body
        declared: dict[str, Any] = {"expression": {}}
        if body["after_sensitive"] is True:
            declared["sensitive"] = True
        outputs = self._configuration.root.setdefault("outputs", {})
        outputs[name] = {**declared, **table.get("config", {})}
        return f"output.{name}"

    def _plan_facts(self) -> str:
        table = self._table.get("plan", {})
        self._plan.update({key: table[key] for key in _FACTS if key in table})
        for key in table.get("null", ()):
            self._plan.pop(key, None)
        self._add_variables(table)
        for output in table.get("outputs", ()):
            self._add_output(output)
        self._plan["resource_drift"] = self._changes(table.get("drift", []))
        self._plan["deferred_changes"] = [
            {"reason": entry.get("deferred_reason", "unknown"), "resource_change": made}
            for entry in spread(table.get("deferred", []))
            for made in self._changes([entry])
        ]
        self._plan["action_invocations"] = [
            _action_entry(each) for each in table.get("actions", ())
        ]
        return "plan"

    def _add_variables(self, table: Mapping[str, Any]) -> None:
        for name, value in table.get("variables", {}).items():
            self._plan["variables"][name] = {"value": value}
            hidden = {"sensitive": True} if name in table.get("sensitive", ()) else {}
            self._configuration.root.setdefault("variables", {})[name] = hidden

    def _module(self) -> str:
        table = dict(self._table["module"])
        name = table.pop("name", "example")
        call = {"source": "./example", "module": {}, **table}
        self._configuration.root.setdefault("module_calls", {})[name] = call
        return f"module.{name}"

    def _provider(self) -> str:
        table = dict(self._table["provider"])
        name = table.get("name", table.get("key", "example"))
        key = table.pop("key", name)
        made = {"name": name, "full_name": f"registry.terraform.io/hashicorp/{name}", **table}
        self._configuration.providers[key] = made
        module, _, provider = key.rpartition(":")
        return f"{module}.provider.{provider}" if module else f"provider.{provider}"

    def _action(self) -> str:
        entry = _action_entry(self._table["action"], self._kind)
        self._plan["action_invocations"] = [entry]
        address: str = entry["address"]
        return address


def _action_entry(table: Mapping[str, Any], kind: str = "example_action") -> dict[str, Any]:
    kind, name = table.get("type", kind), table.get("name", "example")
    return {"address": f"action.{kind}.{name}", "type": kind, "name": name, **table}


_SUBJECTS: Final = {
    Scope.RESOURCE: _Builder._resource,
    Scope.DRIFT: _Builder._drift,
    Scope.OUTPUT: _Builder._output,
    Scope.PLAN: _Builder._plan_facts,
    Scope.MODULE: _Builder._module,
    Scope.PROVIDER: _Builder._provider,
    Scope.ACTION: _Builder._action,
}


def _is_plain(glob: str) -> bool:
    return not any(wild in glob for wild in "*?[")
