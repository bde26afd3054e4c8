#!/usr/bin/env python3
"""Make a realistic plan of N resource changes, and the findings that ten rules must give on it.

scripts/bench/make_plan.py N OUT.json

``terraform show -json`` of a configuration with nested modules, ``count`` and ``for_each``: about
8.4 kB a change. The same N gives the same bytes. ``OUT.expect.json`` gets the pairs
``[rule, address]`` that rules.toml and policy.rego, of the same meaning, must find.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from shapes import ALLOWED, MAKE, NESTED_UNKNOWN, UNKNOWN, Values

AWS = "registry.terraform.io/hashicorp/aws"
NULL = "registry.terraform.io/hashicorp/null"
TYPES = [
    *["aws_s3_bucket"] * 4,
    *["aws_security_group"] * 4,
    *["aws_instance"] * 4,
    *["aws_db_instance"] * 2,
    *["aws_iam_policy"] * 3,
    *["null_resource"] * 3,
]
ACTIONS = [
    *[["no-op"]] * 70,
    *[["update"]] * 12,
    *[["create"]] * 10,
    *[["delete"]] * 4,
    *[["delete", "create"]] * 4,
]
SCHEMA = {"aws_security_group": 1, "aws_instance": 1, "aws_db_instance": 2}
SENSITIVE = {"password", "password_wo"}
COMPUTED = {kind: {*names, "tags_all"} for kind, names in UNKNOWN.items()}


def marks(value: Any) -> Any:
    """Return ``before_sensitive``/``after_sensitive`` of a value."""
    if isinstance(value, dict):
        return {
            key: True if key in SENSITIVE else marks(part)
            for key, part in value.items()
            if isinstance(part, (dict, list)) or key in SENSITIVE
        }
    return [marks(part) for part in value] if isinstance(value, list) else False


def split_unknown(kind: str, full: Values) -> tuple[Values, Values]:
    """Return ``after`` and ``after_unknown`` of a resource that is made."""
    after: Values = {}
    unknown: Values = {}
    for key, value in full.items():
        if key in UNKNOWN[kind]:
            unknown[key] = True
        elif key in NESTED_UNKNOWN:
            hidden = NESTED_UNKNOWN[key]
            after[key] = [{k: v for k, v in e.items() if k not in hidden} for e in value]
            unknown[key] = [dict.fromkeys(hidden, True) for _ in value]
        else:
            after[key] = value
            if isinstance(value, (dict, list)):
                unknown[key] = marks({key: value})[key]
    return after, unknown


def expressions(kind: str, values: Values) -> Values:
    """Return the ``expressions`` of a resource's block."""
    found: Values = {}
    for key, value in values.items():
        if key in COMPUTED[kind] or value is None or value in ([], ""):
            continue
        if key == "password":
            found[key] = {"references": ["var.db_password"]}
        elif key == "policy":
            data = "data.aws_iam_policy_document.this"
            found[key] = {"references": [f"{data}.json", data]}
        elif key in NESTED_UNKNOWN:
            hidden = NESTED_UNKNOWN[key]
            found[key] = [
                {k: {"constant_value": v} for k, v in e.items() if k not in hidden} for e in value
            ]
        elif key in ("tags", "vpc_id", "subnet_id"):
            found[key] = {"references": [f"var.{key}"]}
        else:
            found[key] = {"constant_value": value}
    return found


class Module:
    """A module with its resources, as they stand in three sections of the plan."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.children: dict[str, Module] = {}
        self.planned: list[Values] = []
        self.prior: list[Values] = []
        self.blocks: dict[str, Values] = {}

    @property
    def prefix(self) -> str:
        """What addresses in it begin with."""
        return f"{self.address}." if self.address else ""

    def child(self, name: str) -> Module:
        """Return the module called ``name``, made where it is new."""
        if name not in self.children:
            self.children[name] = Module(f"{self.prefix}module.{name}")
        return self.children[name]

    def values(self, section: str) -> Values:
        """Return it as ``planned`` or ``prior`` values."""
        found: Values = {}
        if resources := getattr(self, section):
            found["resources"] = resources
        if self.address:
            found["address"] = self.address
        children = [child.values(section) for child in self.children.values()]
        children = [child for child in children if "resources" in child or "child_modules" in child]
        if children:
            found["child_modules"] = children
        return found

    def configuration(self) -> Values:
        """Return it as configuration."""
        found: Values = {}
        if self.blocks:
            found["resources"] = list(self.blocks.values())
        if self.children:
            found["module_calls"] = {name: _call(name, m) for name, m in self.children.items()}
        found["variables"] = {
            "db_password": {"sensitive": True},
            "tags": {"default": {}},
            "vpc_id": {},
            "subnet_id": {},
        }
        return found


def _call(name: str, module: Module) -> Values:
    return {
        "source": f"./modules/{name.split('_')[0]}",
        "expressions": {
            "db_password": {"references": ["var.db_password"]},
            "tags": {"references": ["var.tags"]},
        },
        "module": module.configuration(),
    }


class Maker:
    """Makes one plan."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.random = Random(size)
        self.root = Module("")
        self.changes: list[Values] = []
        self.drift: list[Values] = []
        self.relevant: list[Values] = []

    def make(self) -> Values:
        """Return the plan."""
        while len(self.changes) < self.size:
            self._block(len(self.changes))
        return self._plan()

    def _block(self, number: int) -> None:
        kind = self.random.choice(TYPES)
        module = self._module(number)
        name = f"b{number}"
        instances = self.random.choice([1, 1, 1, 2, 5])
        keys: list[Any] = [None]
        if instances > 1:
            numbered = self.random.random() < 0.5
            keys = [n if numbered else f"k{n}" for n in range(instances)]
        for key in keys:
            if len(self.changes) < self.size:
                self._instance(module, kind, name, key, instances)

    def _module(self, number: int) -> Module:
        depth = self.random.choices([0, 1, 2, 3], [5, 20, 30, 45])[0]
        module = self.root
        if depth >= 1:
            module = module.child(f"svc_{number // 200}")
        if depth >= 2:
            module = module.child(f"app_{self.random.randrange(3)}")
        if depth >= 3:
            module = module.child(f"data_{self.random.randrange(3)}")
        return module

    def _instance(self, module: Module, kind: str, name: str, key: Any, instances: int) -> None:
        actions = list(self.random.choice(ACTIONS))
        bad = self.random.random() < 0.03
        full = MAKE[kind](self.random, len(self.changes), bad)
        identity = _identity(module, kind, name, key)
        change, facts = _change(kind, actions, full)
        entry: Values = {"address": identity["address"]}
        if module.address:
            entry["module_address"] = module.address
        entry.update({k: v for k, v in identity.items() if k != "address"})
        entry["change"] = change
        entry.update(facts)
        self.changes.append(entry)
        _state(module, kind, identity, change)
        if actions != ["delete"]:
            block = _configured(module, kind, name, key, instances, full)
            module.blocks.setdefault(f"{kind}.{name}", block)
        if actions == ["update"] and self.random.random() < 0.05:
            self.drift.append(entry)
        if self.random.random() < 0.1:
            self.relevant.append({"resource": identity["address"], "attribute": ["id"]})

    def _plan(self) -> Values:
        output = {"actions": ["no-op"], "before": "ok", "after": "ok", "after_unknown": False}
        return {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "variables": {"db_password": {"value": "hunter2"}},
            "planned_values": {
                "outputs": {"x": {"sensitive": False, "type": "string", "value": "ok"}},
                "root_module": self.root.values("planned"),
            },
            **({"resource_drift": self.drift} if self.drift else {}),
            "resource_changes": self.changes,
            "output_changes": {
                "x": {**output, "before_sensitive": False, "after_sensitive": False}
            },
            "prior_state": {
                "format_version": "1.0",
                "terraform_version": "1.11.4",
                "values": {
                    "outputs": {"x": {"sensitive": False, "value": "ok", "type": "string"}},
                    "root_module": self.root.values("prior"),
                },
            },
            "configuration": self._configuration(),
            "relevant_attributes": self.relevant,
            "timestamp": "2025-06-01T10:00:00Z",
            "applyable": True,
            "complete": True,
            "errored": False,
        }

    def _configuration(self) -> Values:
        return {
            "provider_config": {
                "aws": {
                    "name": "aws",
                    "full_name": AWS,
                    "version_constraint": "5.100.0",
                    "expressions": {"region": {"constant_value": "us-east-1"}},
                },
                "null": {"name": "null", "full_name": NULL, "version_constraint": "3.2.3"},
            },
            "root_module": {
                "outputs": {"x": {"expression": {"references": ["module.svc_0"]}}},
                **self.root.configuration(),
            },
        }


def _identity(module: Module, kind: str, name: str, key: Any) -> Values:
    index = "" if key is None else f"[{json.dumps(key)}]"
    return {
        "address": f"{module.prefix}{kind}.{name}{index}",
        "mode": "managed",
        "type": kind,
        "name": name,
        **({} if key is None else {"index": key}),
        "provider_name": NULL if kind == "null_resource" else AWS,
    }


def _change(kind: str, actions: list[str], full: Values) -> tuple[Values, Values]:
    """Return ``change`` and what stands beside it."""
    before: Values | None = None if actions == ["create"] else full
    after: Values | None = full
    unknown: Values = {}
    facts: Values = {}
    replaced: Values = {}
    if actions == ["delete"]:
        after = None
        facts = {"action_reason": "delete_because_no_resource_config"}
    elif actions == ["update"]:
        before, unknown = _updated(full), marks(full)
        unknown.pop("password", None)
        unknown.pop("password_wo", None)
    elif actions != ["no-op"]:
        after, unknown = split_unknown(kind, full)
    if actions == ["delete", "create"]:
        facts = {"action_reason": "replace_because_cannot_update"}
        replaced = {"replace_paths": [["name" if "name" in full else "id"]]}
    change = {
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": unknown,
        "before_sensitive": False if before is None else marks(before),
        "after_sensitive": False if after is None else marks(after),
        **replaced,
    }
    return change, facts


def _updated(full: Values) -> Values:
    before = dict(full)
    if "tags" in full:
        before["tags"] = before["tags_all"] = {**full["tags"], "Env": "old"}
    else:
        before["triggers"] = {"hash": "0"}
    return before


def _state(module: Module, kind: str, identity: Values, change: Values) -> None:
    resource = {**identity, "schema_version": SCHEMA.get(kind, 0)}
    for section, side in (("planned", "after"), ("prior", "before")):
        if (values := change[side]) is not None:
            entry = {**resource, "values": values, "sensitive_values": marks(values)}
            if section == "prior":
                entry["depends_on"] = ["aws_security_group.base"]
            getattr(module, section).append(entry)


def _configured(
    module: Module, kind: str, name: str, key: Any, instances: int, full: Values
) -> Values:
    provider = "null" if kind == "null_resource" else "aws"
    block = {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_config_key": f"{module.address}:{provider}" if module.address else provider,
        "expressions": expressions(kind, full),
        "schema_version": SCHEMA.get(kind, 0),
    }
    if isinstance(key, int):
        block["count_expression"] = {"constant_value": instances}
    elif key is not None:
        block["for_each_expression"] = {"references": ["var.keys"]}
    return block


def expected(changes: list[Values]) -> list[list[str]]:
    """Return the findings of the ten rules, computed in plain Python."""
    found = [[rule, entry["address"]] for entry in changes for rule in _broken(entry)]
    deletions = sum("delete" in entry["change"]["actions"] for entry in changes)
    return sorted([*found, *([["R8", "plan"]] if deletions > 50 else [])])


def _broken(entry: Values) -> list[str]:
    kind, change = entry["type"], entry["change"]
    after = change["after"]
    deleted = kind == "aws_db_instance" and "delete" in change["actions"]
    checks = {
        "R1": kind == "aws_s3_bucket" and not ((after or {}).get("tags") or {}).get("Owner"),
        "R2": kind == "aws_security_group" and any(map(_open, (after or {}).get("ingress", ()))),
        "R5": kind == "aws_db_instance" and (after or {}).get("storage_encrypted") is not True,
        "R6": kind == "aws_db_instance" and (after or {}).get("publicly_accessible") is True,
        "R9": kind == "aws_iam_policy" and after is not None and _allows_all(after["policy"]),
        **_instance_checks(kind, after),
    }
    return [
        *(rule for rule, broken in checks.items() if broken and after is not None),
        *(["R7"] if deleted else []),
    ]


def _instance_checks(kind: str, after: Values | None) -> dict[str, bool]:
    if kind != "aws_instance" or after is None:
        return {}
    return {
        "R3": not any(m["http_tokens"] == "required" for m in after["metadata_options"]),
        "R4": after["instance_type"] not in ALLOWED,
        "R10": any(block["encrypted"] is not True for block in after["root_block_device"]),
    }


def _open(ingress: Values) -> bool:
    reached = ingress["from_port"] <= 22 <= ingress["to_port"]
    return bool(reached and "0.0.0.0/0" in ingress["cidr_blocks"])


def _allows_all(policy: str) -> bool:
    for statement in json.loads(policy)["Statement"]:
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        if statement["Effect"] == "Allow" and "*" in listed:
            return True
    return False


def main() -> int:
    """Write the plan and its expected findings."""
    size, out = int(sys.argv[1]), Path(sys.argv[2])
    maker = Maker(size)
    text = json.dumps(maker.make(), separators=(",", ":"))
    for character in "<>&":  # as Go's encoder writes them
        text = text.replace(character, f"\\u{ord(character):04x}")
    out.write_text(text + "\n", encoding="utf-8")
    findings = expected(maker.changes)
    out.with_suffix(".expect.json").write_text(json.dumps(findings), encoding="utf-8")
    print(f"{out}: {size} changes, {len(text) / 1e6:.1f} MB, {len(findings)} findings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
