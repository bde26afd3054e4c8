"""An example's table → the plan JSON that it stands for."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.examples.configuration import Configuration, ExampleText, relative
from tfgate.model.rule import Rule, RuleTest, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_STEP: Final = re.compile(r'\.?(?:"((?:[^"\\]|\\.)+)"|([^."\[\]]+))|\[(\d+)\]')
_LARGEST: Final = 9_999
"""Index of an element: the list is made up to it, in memory."""

Step = str | int


def parse_path(path: str) -> tuple[Step, ...]:
    """Take ``ingress[0].cidr_blocks`` apart: ``("ingress", 0, "cidr_blocks")``."""
    steps: list[Step] = []
    for quoted, plain, number in _STEP.findall(path):
        steps.append(min(int(number[:9]), _LARGEST) if number else quoted or plain)
    return tuple(steps)


def put(root: Any, path: tuple[Step, ...], value: Any) -> Any:
    """Return ``root`` with ``value`` at ``path``; objects and lists on the way are made.

    ``root`` is changed where it can be; a part that is no container gives way to one.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = root if isinstance(root, list) else []
        items.extend([None] * (step + 1 - len(items)))
        items[step] = put(items[step], rest, value)
        return items
    table = root if isinstance(root, dict) else {}
    table[step] = put(table.get(step), rest, value)
    return table


def leave_out(root: Any, path: tuple[Step, ...]) -> None:
    """Take what is at ``path`` out, as the format does with unknown values.

    A list keeps its length: its element becomes null.
    """
    *way, last = path
    for step in way:
        inside = isinstance(root, dict) if isinstance(step, str) else isinstance(root, list)
        if not inside or (isinstance(step, int) and step >= len(root)):
            return
        root = root.get(step) if isinstance(root, dict) else root[step]
    if isinstance(root, dict):
        root.pop(last, None)
    elif isinstance(root, list) and isinstance(last, int) and last < len(root):
        root[last] = None


DEFAULT_TYPE: Final = "terraform_data"
"""Type of a change that names none, in a rule whose ``match`` names none either."""
_SPELT: Final = {"replace": ["delete", "create"]}
"""Actions in tfgate's words that the format spells otherwise."""
_ASIDE: Final = ("action_reason", "previous_address", "deposed", "index")
_OF_CHANGE: Final = ("importing", "generated_config", "replace_paths")


def spread(tables: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return each table, and those with ``repeat`` that many times with the indexes 0, 1, …"""
    for table in tables:
        if "repeat" not in table:
            yield table
            continue
        for index in range(table["repeat"]):
            yield {**table, "index": index}


def change_entry(table: Mapping[str, Any], kind: str = DEFAULT_TYPE) -> dict[str, Any]:
    """Make an entry of ``resource_changes``; ``kind`` is the type where the table names none."""
    kind = table.get("type", kind)
    name = table.get("name", "example")
    mode = table.get("mode", "managed")
    entry = {
        "address": table.get("address") or _address(table, kind, name, mode),
        "mode": mode,
        "type": kind,
        "name": name,
        "provider_name": table.get("provider_name") or provider_of(kind),
        "change": change_body(table, read=mode == "data"),
    }
    if table.get("module_address"):
        entry["module_address"] = table["module_address"]
    return {**entry, **{key: table[key] for key in _ASIDE if key in table}}


def _address(table: Mapping[str, Any], kind: str, name: str, mode: str) -> str:
    parts = [table.get("module_address"), "data" if mode == "data" else None, kind, name]
    address = ".".join(part for part in parts if part)
    return f"{address}[{json.dumps(table['index'])}]" if "index" in table else address


def provider_of(kind: str) -> str:
    """Return the full name of the provider that a type's prefix most likely stands for."""
    prefix = kind.partition("_")[0]
    if prefix == "terraform":
        return "terraform.io/builtin/terraform"
    return f"registry.terraform.io/hashicorp/{prefix}"


def change_body(table: Mapping[str, Any], *, read: bool = False) -> dict[str, Any]:
    """Make a "change representation" from a table's values and marks."""
    before, after = copy.deepcopy(table.get("before")), copy.deepcopy(table.get("after"))
    actions = _actions(table, has_before=before is not None, has_after=after is not None, read=read)
    ends = not {"create", "update", "read", "no-op"} & set(actions)
    starts = not {"delete", "update", "forget", "no-op"} & set(actions)
    after = None if ends else _with_nulls(after, table.get("null", ()))
    before = None if starts else _with_nulls(before, table.get("before_null", ()))
    if "no-op" in actions and before is None:
        before = copy.deepcopy(after)
    paths = [*table.get("unknown", ()), *([] if ends else _not_known_yet(table, after))]
    unknown = _marks(table.get("after_unknown"), paths)
    for path in paths:
        leave_out(after, parse_path(path))
    sensitive = table.get("sensitive", ())
    body = {
        "actions": actions,
        "before": {} if before is None and not starts else before,
        "after": {} if after is None and not ends else after,
        "after_unknown": unknown,
        "before_sensitive": _marks(table.get("before_sensitive"), sensitive),
        "after_sensitive": _marks(table.get("after_sensitive"), sensitive),
    }
    return {**body, **{key: table[key] for key in _OF_CHANGE if key in table}}


def _not_known_yet(table: Mapping[str, Any], after: Any) -> list[str]:
    """Return the arguments that refer to something whose value the example does not say.

    In a real plan they hold an id or ARN that the apply will give.
    """
    return [
        name for name in table.get("refers_to", ()) if "." not in name and name not in (after or {})
    ]


def output_body(table: Mapping[str, Any]) -> dict[str, Any]:
    """Make an entry of ``output_changes``: the same of a value that may be anything."""
    before, after = copy.deepcopy(table.get("before")), copy.deepcopy(table.get("after"))
    actions = _actions(table, has_before=before is not None, has_after=after is not None)
    unknown = _marks(table.get("after_unknown"), table.get("unknown", ()))
    for path in table.get("unknown", ()):
        leave_out(after, parse_path(path))
    sensitive = table.get("sensitive", ())
    return {
        "actions": actions,
        "before": _with_nulls(before, table.get("before_null", ())),
        "after": _with_nulls(after, table.get("null", ())),
        "after_unknown": unknown or False,
        "before_sensitive": _marks(table.get("before_sensitive"), sensitive) or False,
        "after_sensitive": _marks(table.get("after_sensitive"), sensitive) or False,
    }


def _actions(
    table: Mapping[str, Any], *, has_before: bool, has_after: bool, read: bool = False
) -> list[str]:
    if "actions" in table:
        words = list(table["actions"])
        return _SPELT.get(words[0], words) if len(words) == 1 else words
    if read:
        return ["read"]
    if has_before:
        return ["update"] if has_after else ["delete"]
    return ["create"]


def _with_nulls(values: Any, paths: Any) -> Any:
    for path in paths:
        values = put(values, parse_path(path), None)
    return values


def _marks(given: Any, paths: Any) -> Any:
    marks = copy.deepcopy(given) if given is not None else {}
    for path in paths:
        marks = put(marks, parse_path(path), True)
    return _filled(marks)


def _filled(marks: Any) -> Any:
    """Lists of marks that ``put`` made longer have nulls: the format has false there."""
    if isinstance(marks, list):
        return [False if mark is None else _filled(mark) for mark in marks]
    if isinstance(marks, dict):
        return {key: _filled(mark) for key, mark in marks.items()}
    return marks


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
    """Return the plan that an example stands for."""
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
        self._add_variables(self._table)
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
        self._configuration.add_text(f"module.{name}", call)
        return f"module.{name}"

    def _provider(self) -> str:
        table = dict(self._table["provider"])
        name = table.get("name", table.get("key", "example"))
        key = table.pop("key", name)
        made = {"name": name, "full_name": f"registry.terraform.io/hashicorp/{name}", **table}
        self._configuration.providers[key] = made
        self._configuration.add_text(f"provider.{key}", made)
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
