"""Plans made by hand, for tests that need one thing in them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from tfgate.engine.context import Context
from tfgate.engine.functions import rule_functions
from tfgate.model.decision import Operator, Workspace
from tfgate.plan import Plan, read_plan
from tfgate.ruleset import Ruleset, load_ruleset

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.timezone.utc)

HEADER = """\
[ruleset]
id = "test"
version = "1.0.0"
title = "Rules of a test"
owners = ["tester@tfgate.example"]
"""


def change(
    address: str = "aws_s3_bucket.logs",
    actions: list[str] | None = None,
    after: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """Return an entry of ``resource_changes``; keys of ``change`` and of the entry may be added."""
    module, _, rest = address.rpartition(".aws_") if ".aws_" in address else ("", "", address)
    rest = f"aws_{rest}" if module else rest
    kind, name = rest.split(".", 1)
    inner = {"before", "after_unknown", "after_sensitive", "before_sensitive", "replace_paths",
             "importing"}  # fmt: skip
    entry: dict[str, Any] = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name.partition("[")[0],
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": actions or ["create"],
            "before": None,
            "after": after,
            "after_unknown": {},
            "before_sensitive": False,
            "after_sensitive": {},
            **{key: value for key, value in more.items() if key in inner},
        },
        **{key: value for key, value in more.items() if key not in inner},
    }
    if module:
        entry["module_address"] = module
    return entry


def plan_data(*changes: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Return a plan's JSON data with these resource changes and other sections."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "configuration": {"root_module": {}},
        "complete": True,
        "applyable": True,
        "errored": False,
        **sections,
    }


def plan_bytes(*changes: dict[str, Any], **sections: Any) -> bytes:
    """Return a plan's JSON text."""
    return json.dumps(plan_data(*changes, **sections)).encode()


def plan(*changes: dict[str, Any], **sections: Any) -> Plan:
    """Return a plan."""
    return read_plan(plan_bytes(*changes, **sections))


def ruleset(folder: Path, rules: str, *, header: str = HEADER) -> Ruleset:
    """Load ``[[rules]]`` tables as a ruleset."""
    path = folder / "rules.toml"
    path.write_text(header + rules, encoding="utf-8")
    return load_ruleset(str(path), base=folder, functions=rule_functions())


def rule(
    rule_id: str = "T-1",
    *,
    enforcement: str = "hard-mandatory",
    message: str = "{address} is wrong",
    more: str = "",
    **expressions: str,
) -> str:
    """Write one ``[[rules]]`` table: ``deny``/``require``/``when``/``scope`` as keywords."""
    lines = [
        "[[rules]]",
        f'id = "{rule_id}"',
        f'title = "Rule {rule_id}"',
        'severity = "high"',
        f'enforcement = "{enforcement}"',
        f"message = {json.dumps(message)}",
        'remediation = "Mend it."',
    ]
    lines += [f"{key} = {json.dumps(value)}" for key, value in expressions.items()]
    return "\n".join([*lines, more, ""])


def context(**more: Any) -> Context:
    """Return a context with a fixed time, workspace and operator."""
    return Context(
        **{
            "workspace": Workspace(name="default", source="default"),
            "operator": Operator(name="tester", source="flag"),
            "now": NOW,
            **more,
        }
    )
